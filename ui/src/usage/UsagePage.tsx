import { Anchor, Group, Paper, Progress, SegmentedControl, Select, SimpleGrid, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useMemo, useState } from 'react';
import { type KeySelf, keyQuery, type Usage, type UsageRow, usagePath, usageQuery } from '~/api/usage';
import { at } from '~/base';
import { type Column, DataTable } from '~/parts/DataTable';
import { compact, usd, when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Empty, Failed, Loading } from '~/parts/states';
import { ReceiptLog } from './ReceiptLog';
import { type Measure, seriesOf, tokensOf } from './series';

const Plot = lazy(() => import('./Plot'));
const BY = [
  { value: 'model', label: 'Model' },
  { value: 'key', label: 'Key' },
  { value: 'user', label: 'User' },
  { value: 'day', label: 'Day' },
];

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

export function UsagePage() {
  const [days, setDays] = useState('30');
  const from = daysAgo(Number(days) - 1);
  const daily = useQuery(usageQuery('day,model', from));
  return (
    <Page
      title="Usage"
      about="What was asked, what it used and what it cost."
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
          <Anchor href={at(`${usagePath('day,model', from)}&format=csv`)} download="usage.csv" size="sm">
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
      ) : (
        <Shown usage={daily.data} from={from} />
      )}
    </Page>
  );
}

const sum = (rows: UsageRow[], of: (row: UsageRow) => number): number => rows.reduce((all, row) => all + of(row), 0);

function Shown({ usage, from }: { usage: Usage; from: string }) {
  const [measure, setMeasure] = useState<Measure>('cost');
  const series = useMemo(() => seriesOf(usage.data, usage.from, usage.to, measure), [usage, measure]);
  if (usage.data.length === 0)
    return (
      <Empty title="Nothing used yet">
        Ask something in the chat, or send a request with a key: it shows here at once.
      </Empty>
    );
  const input = sum(usage.data, (row) => (row.usage.input ?? 0) + (row.usage.cache_read ?? 0));
  const cached = sum(usage.data, (row) => row.usage.cache_read ?? 0);
  const played = usage.data.filter((row) => row.simulated);
  return (
    <>
      <SimpleGrid cols={{ base: 2, sm: 4 }} mb="md">
        <Figure
          title="Charged"
          note={
            played.length > 0 ? `simulated beside it: ${usd(sum(played, (row) => Number(row.cost_usd)))}` : undefined
          }
        >
          {usd(usage.total.cost_usd)}
        </Figure>
        <Figure title="Requests">{compact(sum(usage.data, (row) => row.requests))}</Figure>
        <Figure title="Tokens">{compact(sum(usage.data, tokensOf))}</Figure>
        <Figure title="Read from cache">{input > 0 ? `${((cached / input) * 100).toFixed(1)} %` : '–'}</Figure>
      </SimpleGrid>
      <Paper withBorder p="md" mb="md">
        <SegmentedControl
          size="xs"
          mb="sm"
          aria-label="What to plot"
          value={measure}
          onChange={(value) => setMeasure(value as Measure)}
          data={[
            { value: 'cost', label: 'Cost' },
            { value: 'tokens', label: 'Tokens' },
            { value: 'requests', label: 'Requests' },
            { value: 'cached', label: 'Cached' },
          ]}
        />
        <Suspense fallback={<Loading label="Drawing" />}>
          <Plot series={series} label={`${measure} by day and model`} format={measure === 'cost' ? usd : compact} />
        </Suspense>
      </Paper>
      <Budgets />
      <Split from={from} />
      <ReceiptLog />
    </>
  );
}

function Figure({ title, note, children }: { title: string; note?: string | undefined; children: ReactNode }) {
  return (
    <Paper withBorder p="md">
      <Text size="sm" c="dimmed">
        {title}
      </Text>
      <Text fz={26} fw={640} className="numbers" style={{ letterSpacing: '-0.02em' }}>
        {children}
      </Text>
      {note && (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      )}
    </Paper>
  );
}

function Budgets() {
  const key = useQuery(keyQuery);
  const capped = key.data?.budgets.filter((one) => one.cap_usd !== null) ?? [];
  if (capped.length === 0) return null;
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        Budgets
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 2 }} mb="md">
        {capped.map((one) => (
          <Budget key={one.scope + one.window} budget={one} />
        ))}
      </SimpleGrid>
    </section>
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
          resets {when(budget.resets_at * 1000)}
        </Text>
      )}
    </Paper>
  );
}

function Split({ from }: { from: string }) {
  const [by, setBy] = useState('model');
  const rows = useQuery(usageQuery(by, from));
  const columns = useMemo(() => columnsOf(by), [by]);
  return (
    <section style={{ marginBottom: 32 }}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          By {by}
        </Title>
        <SegmentedControl size="xs" aria-label="Split by" value={by} onChange={setBy} data={BY} />
      </Group>
      {rows.isPending ? (
        <Loading />
      ) : rows.isError ? (
        <Failed error={rows.error} />
      ) : (
        <DataTable
          key={by}
          label={`Usage by ${by}`}
          rows={rows.data.data}
          columns={columns}
          rowKey={(row) => `${nameOf(row, by)}${row.simulated}`}
        />
      )}
    </section>
  );
}

function nameOf(row: UsageRow, by: string): string {
  return String((row as Record<string, unknown>)[by] ?? '–');
}

function columnsOf(by: string): Column<UsageRow>[] {
  return [
    {
      id: 'name',
      title: BY.find((one) => one.value === by)?.label ?? by,
      value: (row) => nameOf(row, by),
      cell: (row) => `${nameOf(row, by)}${row.simulated ? ' (simulated)' : ''}`,
    },
    { id: 'requests', title: 'Requests', value: (row) => row.requests, right: true },
    {
      id: 'in',
      title: 'Input',
      value: (row) => row.usage.input ?? 0,
      cell: (row) => compact(row.usage.input),
      right: true,
    },
    {
      id: 'cached',
      title: 'Cached',
      value: (row) => row.usage.cache_read ?? 0,
      cell: (row) => compact(row.usage.cache_read),
      right: true,
    },
    {
      id: 'out',
      title: 'Output',
      value: (row) => row.usage.output ?? 0,
      cell: (row) => compact(row.usage.output),
      right: true,
    },
    { id: 'credits', title: 'Credits', value: (row) => Number(row.credits), cell: (row) => row.credits, right: true },
    { id: 'cost', title: 'Cost', value: (row) => Number(row.cost_usd), cell: (row) => usd(row.cost_usd), right: true },
  ];
}
