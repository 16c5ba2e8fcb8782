/** Where calls went over time: how often each target was chosen, and what it cost the house. */
import { Paper, SegmentedControl, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { TargetUse } from '~/api/admin';
import { every } from '~/api/every';
import { type Column, DataTable } from '~/parts/DataTable';
import { compact, usd } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Empty, Failed, Loading } from '~/parts/states';
import { type Point, seriesOf, timesBetween } from '~/usage/series';
import css from './console.module.css';

const Plot = lazy(() => import('~/usage/Plot'));

type Measure = 'calls' | 'share' | 'cost';
const MEASURES: { value: Measure; label: string }[] = [
  { value: 'calls', label: 'Calls' },
  { value: 'share', label: 'Share' },
  { value: 'cost', label: 'Cost' },
];
const HOUR = 3600;
const SPANS: Record<string, { label: string; by: 'hour' | 'day'; step: number; count: number }> = {
  day: { label: 'Last 24 hours', by: 'hour', step: HOUR, count: 25 },
  week: { label: 'Last 7 days', by: 'day', step: 24 * HOUR, count: 7 },
  month: { label: 'Last 30 days', by: 'day', step: 24 * HOUR, count: 30 },
  quarter: { label: 'Last 90 days', by: 'day', step: 24 * HOUR, count: 90 },
};
type Span = (typeof SPANS)[string];
const FORMATS: Record<Measure, (value: number) => string> = {
  calls: compact,
  share: (value) => `${(value * 100).toFixed(1)} %`,
  cost: usd,
};

/** The moments that a span has, the last of them the one that is not over. */
function timesOf(span: Span): number[] {
  const last = Math.floor(Date.now() / 1000 / span.step) * span.step;
  return timesBetween(last - (span.count - 1) * span.step, last, span.step);
}

export function TargetsPage({ pool }: { pool?: string | undefined }) {
  const [named, setNamed] = useState('day');
  const navigate = useNavigate();
  const span = SPANS[named] as Span;
  const uses = useQuery({
    queryKey: ['admin', 'targets', named],
    queryFn: () =>
      every('listTargetUsage', {
        by: span.by,
        since: new Date((timesOf(span)[0] as number) * 1000).toISOString().slice(0, 19),
      }),
    refetchInterval: 15_000,
  });
  const pools = useMemo(() => [...new Set(uses.data?.flatMap((one) => one.pools) ?? [])].sort(), [uses.data]);
  return (
    <Page
      wide
      title="Targets"
      about="Where calls went: how often each target was chosen, and what that cost you. Users never see this."
      actions={
        <>
          <Select
            aria-label="Pool"
            placeholder="Every pool"
            w={200}
            searchable
            clearable
            clearButtonProps={{ 'aria-label': 'Every pool' }}
            data={pool && !pools.includes(pool) ? [pool, ...pools] : pools}
            value={pool ?? null}
            onChange={(value) => void navigate({ to: '/console/targets', search: value ? { pool: value } : {} })}
          />
          <Select
            aria-label="Period"
            w={150}
            allowDeselect={false}
            data={Object.entries(SPANS).map(([value, { label }]) => ({ value, label }))}
            value={named}
            onChange={(value) => setNamed(value ?? 'day')}
          />
        </>
      }
    >
      {uses.isPending ? (
        <Loading />
      ) : uses.isError ? (
        <Failed error={uses.error} retry={() => void uses.refetch()} />
      ) : (
        <Shown uses={uses.data.filter((one) => pool === undefined || one.pools.includes(pool))} span={span} />
      )}
    </Page>
  );
}

function pointsOf(uses: TargetUse[], measure: Measure): Point[] {
  const all = new Map<number, number>();
  for (const one of uses) all.set(one.at, (all.get(one.at) ?? 0) + one.selected);
  return uses.map(({ at, target: name, selected, provider_cost_usd: cost }) =>
    measure === 'cost'
      ? { at, name, value: Number(cost) }
      : { at, name, value: selected, ...(measure === 'share' ? { of: all.get(at) ?? 0 } : {}) },
  );
}

type Whole = { target: string; pools: string[]; selected: number; cost: number; share: number };

function wholesOf(uses: TargetUse[]): Whole[] {
  const found = new Map<string, Whole>();
  for (const one of uses) {
    const whole = found.get(one.target) ?? { target: one.target, pools: one.pools, selected: 0, cost: 0, share: 0 };
    whole.selected += one.selected;
    whole.cost += Number(one.provider_cost_usd);
    found.set(one.target, whole);
  }
  const all = [...found.values()].reduce((sum, one) => sum + one.selected, 0);
  return [...found.values()]
    .map((one) => ({ ...one, share: one.selected / all }))
    .sort((a, b) => b.selected - a.selected);
}

const COLUMNS: Column<Whole>[] = [
  { id: 'target', title: 'Target', value: (one) => one.target, cell: (one) => <code>{one.target}</code> },
  {
    id: 'pools',
    title: 'Pool',
    value: (one) => one.pools.join(' '),
    cell: (one) =>
      one.pools.map((name, index) => (
        <span key={name}>
          {index > 0 && ', '}
          <Link to="/console/pools" search={{ q: name }} className={css.link}>
            {name}
          </Link>
        </span>
      )),
  },
  { id: 'calls', title: 'Calls', value: (one) => one.selected, cell: (one) => compact(one.selected), right: true },
  { id: 'share', title: 'Share', value: (one) => one.share, cell: (one) => FORMATS.share(one.share), right: true },
  { id: 'cost', title: 'Cost', value: (one) => one.cost, cell: (one) => usd(one.cost), right: true },
  {
    id: 'each',
    title: 'A call',
    value: (one) => one.cost / one.selected,
    cell: (one) => usd(one.cost / one.selected),
    right: true,
  },
];

function Shown({ uses, span }: { uses: TargetUse[]; span: Span }) {
  const [measure, setMeasure] = useState<Measure>('calls');
  const series = useMemo(() => seriesOf(pointsOf(uses, measure), timesOf(span)), [uses, measure, span]);
  if (uses.length === 0)
    return <Empty title="Nothing was called">Calls of the chosen time show here as soon as there are some.</Empty>;
  return (
    <>
      <Paper withBorder p="md" mb="lg">
        <SegmentedControl
          size="xs"
          mb="sm"
          aria-label="What to plot"
          value={measure}
          onChange={(value) => setMeasure(value as Measure)}
          data={MEASURES}
        />
        <Suspense fallback={<Loading label="Drawing" />}>
          <Plot
            series={series}
            label={`${measure} by target over time`}
            format={FORMATS[measure]}
            by={span.by}
            whole={measure === 'calls'}
          />
        </Suspense>
      </Paper>
      <DataTable label="Targets" rows={wholesOf(uses)} columns={COLUMNS} rowKey={(one) => one.target} />
    </>
  );
}
