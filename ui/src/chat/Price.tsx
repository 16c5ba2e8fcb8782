/** The most that a question can cost, as the gateway itself plans it: what it would hold, were this sent now. */
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { ApiError, json } from '~/api/http';
import { modelsQuery } from '~/api/models';
import { mostUsd } from '~/parts/figures';
import { type Wish, wouldBe } from './ask';
import type { Conversation } from './tree';
import { pathOf } from './tree';

type Explained = { worst_case_usd: string; simulated: boolean };
type Props = { conversation: Conversation | undefined; typed: string; wish: Wish };

const PAUSE = 400; // milliseconds without a key
const FRESH = 30_000;

export function Price({ conversation, typed, wish }: Props) {
  const [text] = useDebouncedValue(typed.trim(), PAUSE);
  const said = JSON.stringify(wish);
  const path = conversation ? pathOf(conversation) : NOTHING;
  const before = path.map((node) => node.id).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: while an answer streams its words make no new question
  const bodies = useMemo(() => {
    const { models, ...rest }: Wish = JSON.parse(said);
    const each = rest.flux ? [[]] : models.map((one) => [one]);
    return each.map((one) => wouldBe(path, text || '?', { ...rest, models: one }));
  }, [before, text, said]);
  const plan = useQuery({
    queryKey: ['plan', before, text, said],
    queryFn: ({ signal }) => Promise.all(bodies.map((body) => json<Explained>('v1/route/explain', { body, signal }))),
    placeholderData: keepPreviousData,
    staleTime: FRESH,
    retry: false,
  });
  const client = useQueryClient();
  const unknown = plan.error instanceof ApiError && plan.error.status === 404;
  useEffect(() => {
    if (unknown) void client.invalidateQueries({ queryKey: modelsQuery.queryKey }); // the page says which is gone
  }, [unknown, client]);
  if (plan.isError) return <>{plan.error.message}</>;
  if (!plan.data) return <>…</>;
  const charged = plan.data.filter((one) => !one.simulated);
  if (charged.length === 0) return <>nothing: the simulator answers</>;
  return (
    <>
      at most {mostUsd(charged.reduce((sum, one) => sum + Number(one.worst_case_usd), 0))}
      {path.some((node) => node.images?.length) && ', pictures apart'}
    </>
  );
}

const NOTHING: ReturnType<typeof pathOf> = [];
