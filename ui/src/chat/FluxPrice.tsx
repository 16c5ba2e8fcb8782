/** The most that a panel can cost, as the gateway itself plans it: what it would hold, were this sent now. */
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { json } from '~/api/http';
import { usd } from '~/parts/figures';
import { type FluxWish, wouldBe } from './ask';
import type { Conversation } from './tree';
import { pathOf } from './tree';

type Explained = { flux?: { worst_case_usd: string; simulated: boolean } };
type Props = { conversation: Conversation | undefined; typed: string; flux: FluxWish };

const PAUSE = 400; // milliseconds without a key
const FRESH = 30_000;

export function FluxPrice({ conversation, typed, flux }: Props) {
  const [text] = useDebouncedValue(typed.trim(), PAUSE);
  const wish = JSON.stringify(flux);
  const path = conversation ? pathOf(conversation) : NOTHING;
  const before = path.map((node) => node.id).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: while an answer streams its words make no new question
  const body = useMemo(() => wouldBe(path, text || '?', { models: [], flux: JSON.parse(wish) }), [before, text, wish]);
  const plan = useQuery({
    queryKey: ['flux-plan', before, text, wish],
    queryFn: ({ signal }) => json<Explained>('v1/route/explain', { body, signal }),
    placeholderData: keepPreviousData,
    staleTime: FRESH,
    retry: false,
  });
  if (plan.isError) return <>{plan.error.message}</>;
  const found = plan.data?.flux;
  if (!found) return <>…</>;
  return found.simulated ? <>nothing: the simulator answers</> : <>at most {usd(found.worst_case_usd)}</>;
}

const NOTHING: ReturnType<typeof pathOf> = [];
