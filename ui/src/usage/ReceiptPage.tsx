import { Alert, Anchor, Group, Paper, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useSession } from '~/api/session';
import { type Receipt, receiptQuery } from '~/api/usage';
import { CopyButton } from '~/parts/CopyButton';
import { type Column, DataTable } from '~/parts/DataTable';
import { compact, millis, when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { priceTitle } from '~/parts/prices';
import { Section } from '~/parts/Section';
import { State } from '~/parts/State';
import { Failed, Loading } from '~/parts/states';
import { callsOf } from './lines';
import { Refund } from './Refund';
import css from './usage.module.css';

type Line = Receipt['lines'][number] & { number: number; of: string | null };
type Call = Receipt['calls'][number];

const OF: Column<Line> = { id: 'of', title: 'For', value: (line) => line.of };
const LINES: Column<Line>[] = [
  { id: 'bucket', title: 'What', value: (line) => priceTitle(line.bucket) },
  {
    id: 'quantity',
    title: 'Quantity',
    value: (line) => line.quantity,
    cell: (line) => line.quantity.toLocaleString('en'),
    right: true,
  },
  { id: 'unit', title: 'Unit price', cell: (line) => `$${line.unit_price}`, right: true },
  {
    id: 'amount',
    title: 'Amount',
    value: (line) => Number(line.amount),
    cell: (line) => `$${line.amount}`,
    right: true,
  },
];
const TARGET: Column<Call> = { id: 'target', title: 'Target', cell: (call) => <code>{call.target ?? '–'}</code> };
const CALLS: Column<Call>[] = [
  { id: 'role', title: 'Role', value: (call) => call.role },
  { id: 'model', title: 'Model', value: (call) => call.model },
  { id: 'status', title: 'Status', cell: (call) => (call.reason ? `${call.status}: ${call.reason}` : call.status) },
  {
    id: 'latency',
    title: 'Took',
    value: (call) => call.latency_ms,
    cell: (call) => millis(call.latency_ms),
    right: true,
  },
  {
    id: 'cost',
    title: 'Cost',
    value: (call) => Number(call.cost_usd),
    cell: (call) => `$${call.cost_usd}`,
    right: true,
  },
];

const HOW: Record<string, string> = {
  named: 'The model was asked for by its own name.',
  alias: 'The model was asked for by another name of it.',
  task: 'A task was asked for, and the gateway chose the model.',
  flux: 'Flux: several models drafted, and one wrote the answer.',
};

export function ReceiptPage({ id }: { id: string }) {
  const receipt = useQuery(receiptQuery(id));
  if (receipt.isPending) return <Loading label="Loading the receipt" />;
  if (receipt.isError) return <Failed error={receipt.error} retry={() => void receipt.refetch()} />;
  return <Shown receipt={receipt.data} />;
}

function Shown({ receipt }: { receipt: Receipt }) {
  const { house } = useSession();
  const of = callsOf(receipt);
  const refunded = Number(receipt.refunded_usd) > 0;
  const lines = receipt.lines.map((line, number) => ({ ...line, number, of: of[number] ?? null }));
  return (
    <Page
      title="Receipt"
      about={
        <Group gap={6}>
          <code className="anyword">{receipt.id}</code>
          <CopyButton text={receipt.id} label="Copy the id" />
          <State color={receipt.status === 'done' ? 'teal' : 'red'}>{receipt.status}</State>
        </Group>
      }
      actions={
        <>
          {house && !receipt.simulated && !refunded && Number(receipt.cost_usd) > 0 && <Refund receipt={receipt} />}
          <Anchor component={Link} to="/usage">
            All usage
          </Anchor>
        </>
      }
    >
      {receipt.simulated && (
        <Alert variant="light" color="gray" mb="md" styles={{ message: { color: 'var(--mantine-color-text)' } }}>
          The simulator answered: this is what it would have cost. Nothing was charged.
        </Alert>
      )}
      <Paper withBorder p="lg" mb="lg">
        <Group justify="space-between" align="flex-start">
          <div>
            <Text size="sm" c="dimmed">
              {when(receipt.created * 1000)}
            </Text>
            <Text fw={600} size="lg" className="anyword">
              {receipt.served_model ?? receipt.requested_model}
            </Text>
            {receipt.served_model && receipt.served_model !== receipt.requested_model && (
              <Text size="sm" c="dimmed">
                asked for {receipt.requested_model}
              </Text>
            )}
          </div>
          <div style={{ textAlign: 'right' }}>
            <Text fz={28} fw={650} className="numbers">
              ${receipt.cost_usd}
            </Text>
            <Text size="sm" c="dimmed" className="numbers">
              {receipt.credits} credits
            </Text>
            {refunded && (
              <Text size="sm" className="numbers">
                ${receipt.refunded_usd} given back
              </Text>
            )}
          </div>
        </Group>
      </Paper>
      <Section title="Line by line">
        <DataTable
          label="Lines"
          rows={lines}
          columns={receipt.calls.length > 1 && lines.some((one) => one.of !== null) ? [OF, ...LINES] : LINES}
          rowKey={(line) => String(line.number)}
          empty={<Text c="dimmed">Nothing was used, so there is nothing to pay.</Text>}
        />
      </Section>
      <Section title="Why it went there" about={HOW[receipt.route.how]}>
        <ol className={css.steps}>
          {receipt.route.words.map((said, index) => (
            <li key={index} className="anyword">
              {said.charAt(0).toUpperCase() + said.slice(1)}
            </li>
          ))}
        </ol>
      </Section>
      <Section title="Calls" about="Each model that was asked for this one request.">
        <DataTable
          label="Calls"
          rows={receipt.calls}
          columns={receipt.calls.some((one) => one.target) ? [...CALLS.slice(0, 2), TARGET, ...CALLS.slice(2)] : CALLS}
          rowKey={(call) => `${call.role}${call.model}${receipt.calls.indexOf(call)}`}
          empty={<Text c="dimmed">Nobody was asked.</Text>}
        />
      </Section>
      <Text size="sm" c="dimmed" mt="lg">
        Usage as told by: {receipt.provenance} · prices: version {receipt.price_version} ·{' '}
        {Object.entries(receipt.usage)
          .filter(([, count]) => count > 0)
          .map(([name, count]) => `${priceTitle(name).toLowerCase()} ${compact(count)}`)
          .join(', ') || 'nothing used'}
        {receipt.dropped.length > 0 && ` · not passed on: ${receipt.dropped.join(', ')}`}
      </Text>
    </Page>
  );
}
