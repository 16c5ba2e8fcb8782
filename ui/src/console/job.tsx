/** Long work: begun here, watched until it ends, and found again by whoever comes later. */
import { Alert, Button, Group, Progress, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { call, type Job } from '~/api/admin';
import { when } from '~/parts/figures';
import css from './console.module.css';
import { latest } from './latest';

const WATCH = 700; // milliseconds

/** The last job of a kind (about one thing), kept up to date while it runs; what it changed is read anew at its end.
 *  Of several machines only one knows how far it is, so what was begun here stays until any says that it has ended. */
export function useJob(kind: string, about?: string) {
  const client = useQueryClient();
  const [begun, setBegun] = useState<Job | null>(null);
  const jobs = useQuery({
    queryKey: ['admin', 'jobs', kind],
    queryFn: () => call('listJobs', { query: { kind, limit: 50 } }),
    refetchInterval: (query) =>
      latest(query.state.data?.data ?? [], begun, about)?.state === 'running' ? WATCH : false,
  });
  const last = latest(jobs.data?.data ?? [], begun, about);
  const begin = useMutation({ mutationFn: (start: () => Promise<Job>) => start(), onSuccess: setBegun });
  const running = last?.state === 'running';
  const before = useRef(running);
  useEffect(() => {
    if (before.current && !running) void client.invalidateQueries();
    before.current = running;
  }, [running, client]);
  return { last, begin, busy: running || begin.isPending, error: begin.error };
}

type Watched = ReturnType<typeof useJob>;

/** How far it is, or why it failed; what came of it is the page's to show. */
export function JobState({ job, doing }: { job: Watched; doing: string }) {
  const { last, error } = job;
  if (error) return <Wrong title="It did not begin">{error.message}</Wrong>;
  if (last?.state === 'failed') return <Wrong title={`It failed ${when(last.ended ?? 0)}`}>{last.problem}</Wrong>;
  if (last?.state !== 'running') return null;
  const part = last.total ? ((last.done ?? 0) / last.total) * 100 : null;
  return (
    <div role="status" className={css.progress}>
      <Group justify="space-between" mb={6}>
        <Text size="sm">{doing}…</Text>
        <Text size="sm" c="dimmed" className="numbers">
          {part === null ? `since ${when(last.started)}` : `${part.toFixed(0)} %`}
        </Text>
      </Group>
      <Progress value={part ?? 100} animated aria-label={doing} />
      <Text size="xs" c="dimmed" mt={6}>
        It goes on when you leave this page.
      </Text>
    </div>
  );
}

function Wrong({ title, children }: { title: string; children: string | null }) {
  return (
    <Alert color="red" variant="light" mb="sm" role="alert" title={title} classNames={{ message: css.plain }}>
      <span className="anyword">{children}</span>
    </Alert>
  );
}

export function Begin({ job, start, children }: { job: Watched; start: () => Promise<Job>; children: string }) {
  return (
    <Button variant="default" style={{ flexShrink: 0 }} loading={job.busy} onClick={() => job.begin.mutate(start)}>
      {children}
    </Button>
  );
}
