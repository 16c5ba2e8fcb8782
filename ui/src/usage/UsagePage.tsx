import { Anchor, Group, Paper, Progress, SegmentedControl, Select, SimpleGrid, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { PaceRow } from '~/api/admin';
import { every } from '~/api/every';
import { type KeySelf, keyQuery, type Usage, type UsageRow, usagePath, usageQuery } from '~/api/usage';
import { at } from '~/base';
import { type Column, DataTable } from '~/parts/DataTable';
import { Figure } from '~/parts/Figure';
import { compact, millis, usd, when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Section } from '~/parts/Section';
import { Empty, Failed, Loading } from '~/parts/states';
import { Cost } from './Cost';
import { ReceiptLog } from './ReceiptLog';
import { daySeconds, type Measure, pacePoints, pointsOf, seriesOf, timesBetween, tokensOf } from './series';

const Plot = lazy(() => import('./Plot'));
type By = 'model' | 'key' | 'user';
const BY: { value: By; label: string }[] = [
  { value: 'model', label: 'Model' },
  { value: 'key', label: 'Key' },
  { value: 'user', label: 'User' },
];
const MEASURES: { value: Measure; label: string }[] = [
  { value: 'cost', label: 'Cost' },
  { value: 'tokens', label: 'Tokens' },
  { value: 'requests', label: 'Requests' },
  { value: 'latency', label: 'Time taken' },
  { value: 'cached', label: 'From cache' },
];
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
const FORMATS: Record<Measure, (value: number) => string> = {
  cost: usd,
  tokens: compact,
  requests: compact,
  latency: millis,
  cached: percent,
};

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

const paceQuery = (by: By, since: string) =>
  queryOptions({
    queryKey: ['performance', by, since],
    queryFn: () => every('listPerformance', { group_by: by, by: 'day', since }),
  });

export function UsagePage() {
  const [days, setDays] = useState('30');
  const [by, setBy] = useState<By>('model');
  const from = daysAgo(Number(days) - 1);
  const daily = useQuery({ ...usageQuery(`day,${by}`, from), placeholderData: keepPreviousData });
  return (
    <Page
      title="Usage"
      about="What was asked, what it used, how long it took and what it cost."
      actions={
        <>
          <Select
            aria-label="Period"
            size="sm"
            w={150}
            allowDeselect={false}
            value={days}
            onChange={(value) => setDays(value ?? '30')}
            data={[
              { value: '7', label: 'Last 7 days' },
              { value: '30', label: 'Last 30 days' },
              { value: '90', label: 'Last 90 days' },
            ]}
          />
          <Anchor href={at(`${usagePath(`day,${by}`, from)}&format=csv`)} download="usage.csv" size="sm">
            <Group gap={4}>
              <IconDownload size={16} /> CSV
            </Group>
          </Anchor>
        </>
      }
    >
      {daily.isPending ? (
        <Loading />
      ) : daily.isError ? (
        <Failed error={daily.error} retry={() => void daily.refetch()} />
      ) : daily.data.data.length === 0 ? (
        <Empty title="Nothing used yet">
          Ask something in the chat, or send a request with a key: it shows here at once.
        </Empty>
      ) : (
        <>
          <Totals usage={daily.data} />
          <OverTime usage={daily.data} from={from} by={by} setBy={setBy} />
          <Budgets />
          <Split from={from} by={by} />
          <ReceiptLog />
        </>
      )}
    </Page>
  );
}

const sum = (rows: UsageRow[], of: (row: UsageRow) => number): number => rows.reduce((all, row) => all + of(row), 0);

function Totals({ usage }: { usage: Usage }) {
  const input = sum(usage.data, (row) => (row.usage.input ?? 0) + (row.usage.cache_read ?? 0));
  const cached = sum(usage.data, (row) => row.usage.cache_read ?? 0);
  const played = usage.data.filter((row) => row.simulated);
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} mb="md">
      <Figure
        title="Charged"
        note={played.length > 0 && `simulated, not charged: ${usd(sum(played, (row) => Number(row.cost_usd)))}`}
      >
        {usd(usage.total.cost_usd)}
      </Figure>
      <Figure title="Requests">{compact(sum(usage.data, (row) => row.requests))}</Figure>
      <Figure title="Tokens">{compact(sum(usage.data, tokensOf))}</Figure>
      <Figure title="Read from cache">{input > 0 ? percent(cached / input) : '–'}</Figure>
    </SimpleGrid>
  );
}

type OverTimeProps = { usage: Usage; from: string; by: By; setBy: (by: By) => void };

function OverTime({ usage, from, by, setBy }: OverTimeProps) {
  const [measure, setMeasure] = useState<Measure>('cost');
  const pace = useQuery({ ...paceQuery(by, from), enabled: measure === 'latency' });
  const series = useMemo(() => {
    const times = timesBetween(daySeconds(usage.from), daySeconds(usage.to));
    return seriesOf(measure === 'latency' ? pacePoints(pace.data ?? []) : pointsOf(usage.data, by, measure), times);
  }, [usage, measure, by, pace.data]);
  return (
    <Paper withBorder p="md" mb={40}>
      <Group justify="space-between" mb="sm" gap="xs">
        <SegmentedControl
          size="xs"
          aria-label="What to plot"
          value={measure}
          onChange={(value) => setMeasure(value as Measure)}
          data={MEASURES}
        />
        <SegmentedControl
          size="xs"
          aria-label="Split by"
          value={by}
          onChange={(value) => setBy(value as By)}
          data={BY}
        />
      </Group>
      {measure === 'latency' && pace.isError ? (
        <Failed error={pace.error} retry={() => void pace.refetch()} />
      ) : measure === 'latency' && pace.isPending ? (
        <Loading label="Drawing" />
      ) : (
        <Suspense fallback={<Loading label="Drawing" />}>
          <Plot
            series={series}
            label={`${measure} by day and ${by}`}
            format={FORMATS[measure]}
            whole={FORMATS[measure] === compact}
          />
        </Suspense>
      )}
    </Paper>
  );
}

function Budgets() {
  const key = useQuery(keyQuery);
  const capped = key.data?.budgets.filter((one) => one.cap_usd !== null) ?? [];
  if (capped.length === 0) return null;
  return (
    <Section title="Budgets">
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {capped.map((one) => (
          <Budget key={one.scope + one.window} budget={one} />
        ))}
      </SimpleGrid>
    </Section>
  );
}

function Budget({ budget }: { budget: KeySelf['budgets'][number] }) {
  const part = Number(budget.cap_usd) > 0 ? (Number(budget.spent_usd) / Number(budget.cap_usd)) * 100 : 100;
  return (
    <Paper withBorder p="md">
      <Group justify="space-between">
        <Text fw={600}>
          {budget.scope}, {budget.window}
        </Text>
        <Text size="sm" className="numbers">
          {usd(budget.left_usd)} left of {usd(budget.cap_usd)}
        </Text>
      </Group>
      <Progress
        value={Math.min(100, part)}
        color={part > 90 ? 'red' : 'teal'}
        mt="xs"
        aria-label={`${part.toFixed(0)} % spent`}
      />
      {budget.resets_at && (
        <Text size="xs" c="dimmed" mt={4}>
          resets {when(Date.parse(budget.resets_at))}
        </Text>
      )}
    </Paper>
  );
}

type SplitRow = UsageRow & { name: string; latency: number | null; failed: number };

/** The pace of the whole span for each name, from its days. */
function pacesOf(rows: PaceRow[]): Map<string, { latency: number | null; failed: number }> {
  const all = new Map<string, PaceRow[]>();
  for (const row of rows) all.set(row.name, [...(all.get(row.name) ?? []), row]);
  return new Map(
    [...all].map(([name, those]) => [
      name,
      {
        latency:
          seriesOf(
            pacePoints(those),
            those.map((one) => one.at),
          ).lines[0]?.whole ?? null,
        failed: those.reduce((count, one) => count + one.failed, 0),
      },
    ]),
  );
}

function Split({ from, by }: { from: string; by: By }) {
  const rows = useQuery({ ...usageQuery(by, from), placeholderData: keepPreviousData });
  const pace = useQuery(paceQuery(by, from));
  const title = BY.find((one) => one.value === by)?.label ?? by;
  const columns = useMemo(() => columnsOf(title), [title]);
  const shown = useMemo((): SplitRow[] => {
    const paces = pacesOf(pace.data ?? []);
    return (rows.data?.data ?? []).map((row) => {
      const name = row[by] ?? '–';
      return { ...row, name, ...(paces.get(name) ?? { latency: null, failed: 0 }) };
    });
  }, [rows.data, pace.data, by]);
  return (
    <Section title={`By ${by}`}>
      {rows.isPending ? (
        <Loading />
      ) : rows.isError ? (
        <Failed error={rows.error} retry={() => void rows.refetch()} />
      ) : (
        <DataTable
          key={by}
          label={`Usage by ${by}`}
          rows={shown}
          columns={columns}
          rowKey={(row) => `${row.name}${row.simulated}`}
        />
      )}
    </Section>
  );
}

function columnsOf(title: string): Column<SplitRow>[] {
  const count = (id: string, title: string, of: (row: SplitRow) => number | undefined): Column<SplitRow> => ({
    id,
    title,
    value: (row) => of(row) ?? 0,
    cell: (row) => compact(of(row) ?? 0),
    right: true,
  });
  return [
    {
      id: 'name',
      title,
      value: (row) => row.name,
      cell: (row) => (
        <>
          <span className="anyword">{row.name}</span>
          {row.simulated && (
            <Text span size="xs" c="dimmed">
              {' '}
              simulated
            </Text>
          )}
        </>
      ),
    },
    count('requests', 'Requests', (row) => row.requests),
    count('failed', 'Failed', (row) => row.failed),
    { id: 'latency', title: 'Took', value: (row) => row.latency, cell: (row) => millis(row.latency), right: true },
    count('in', 'Input', (row) => row.usage.input),
    count('cached', 'Cached', (row) => row.usage.cache_read),
    count('out', 'Output', (row) => row.usage.output),
    { id: 'credits', title: 'Credits', value: (row) => Number(row.credits), cell: (row) => row.credits, right: true },
    { id: 'cost', title: 'Cost', value: (row) => Number(row.cost_usd), cell: (row) => <Cost {...row} />, right: true },
  ];
}
