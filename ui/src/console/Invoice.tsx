/** A provider's invoice, held against the ledger line by line. */
import { Alert, FileInput, Select, SimpleGrid, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Job } from '~/api/admin';
import { type Column, DataTable } from '~/parts/DataTable';
import { Figure } from '~/parts/Figure';
import { compact, when } from '~/parts/figures';
import { textOf } from '~/parts/file';
import { Section } from '~/parts/Section';
import { AMOUNT, Ask, type Filled } from './Ask';
import css from './console.module.css';
import { JobState, useJob } from './job';

const MOST = 6_000_000; // characters the gateway takes

type Difference = { kind: string; id: string; place: string; field: string; ours: string; theirs: string };
type Result = { invoice?: number; ledger?: number; without_id?: number; differences?: Difference[] } & Record<
  string,
  unknown
>;

const KINDS: Record<string, string> = {
  missing: 'not on the invoice',
  extra: 'not in the ledger',
  differs: 'they differ',
};
const COLUMNS: Column<Difference>[] = [
  { id: 'kind', title: 'What', value: (one) => KINDS[one.kind] ?? one.kind },
  {
    id: 'id',
    title: 'Provider’s id',
    value: (one) => one.id,
    cell: (one) => <code className="anyword">{one.id}</code>,
  },
  { id: 'place', title: 'Where', value: (one) => one.place },
  { id: 'field', title: 'Of', value: (one) => one.field, cell: (one) => one.field || 'the whole line' },
  { id: 'ours', title: 'Ledger', cell: (one) => one.ours || '–', right: true },
  { id: 'theirs', title: 'Invoice', cell: (one) => one.theirs || '–', right: true },
];

export function Invoice() {
  const job = useJob('ledger.reconcile');
  const [file, setFile] = useState<File | null>(null);
  const providers = useQuery({
    queryKey: ['admin', 'providers', 'names'],
    queryFn: () => call('listProviders', { query: { limit: 500 } }),
  });
  const send = async (filled: Filled) => {
    if (!file) throw new Error('Choose the invoice’s file first');
    const content = await textOf(file, MOST, 'split it by days');
    const begun = call('reconcileInvoice', {
      body: {
        provider: filled.text('provider'),
        name: file.name,
        content,
        columns: filled.text('columns'),
        ...(filled.has('from') ? { from: filled.text('from') } : {}),
        ...(filled.has('to') ? { to: filled.text('to') } : {}),
        ...(filled.has('tolerance') ? { tolerance_usd: filled.text('tolerance') } : {}),
      },
    });
    await job.begin.mutateAsync(() => begun);
  };
  return (
    <Section
      title="A provider’s invoice"
      about="Does the provider ask for what was really used? Its invoice or usage export is held against the ledger, line by line. Nothing is changed."
      actions={
        <Ask
          verb="Compare an invoice"
          title="Compare an invoice with the ledger"
          plain
          send={send}
          said={() => 'The invoice is being compared'}
          submit="Compare"
        >
          <Select
            label="Provider"
            name="provider"
            required
            searchable
            data={providers.data?.data.map((one) => ({ value: one.id, label: one.label || one.id })) ?? []}
            placeholder={providers.isPending ? 'Loading' : 'Choose'}
          />
          <FileInput
            label="Its file"
            description="CSV, JSON or JSON lines, with the provider’s id of each answer"
            placeholder="Choose a file"
            accept=".csv,.json,.jsonl,.ndjson,.txt,text/csv,application/json"
            required
            value={file}
            onChange={setFile}
          />
          <SimpleGrid cols={2}>
            <TextInput type="date" label="First day" name="from" />
            <TextInput type="date" label="Last day" name="to" />
          </SimpleGrid>
          <TextInput
            label="Columns"
            name="columns"
            placeholder="id=response_id,cost=usd_total"
            description="Only where the file’s own names are not known"
          />
          <TextInput label="Costs this near are the same, in USD" name="tolerance" {...AMOUNT} placeholder="0.000001" />
        </Ask>
      }
    >
      <JobState job={job} doing="Comparing the invoice with the ledger" />
      {job.last?.state === 'done' && <Compared job={job.last} />}
    </Section>
  );
}

function Compared({ job }: { job: Job }) {
  const result = (job.result ?? {}) as Result;
  const count = (name: string) => Number(result[name] ?? 0);
  const wrong = count('missing') + count('extra') + count('differs');
  return (
    <>
      <Alert
        color={wrong > 0 ? 'yellow' : 'teal'}
        variant="light"
        mb="sm"
        role="status"
        classNames={{ message: css.plain, label: css.plain }}
        title={wrong > 0 ? `${compact(wrong)} lines do not agree` : 'Invoice and ledger agree'}
      >
        {job.about}, compared {when(job.ended ?? job.started)} by {job.by}.
      </Alert>
      <SimpleGrid cols={{ base: 2, sm: 4 }} mb="sm">
        <Figure small title="On the invoice">
          {compact(count('invoice'))}
        </Figure>
        <Figure small title="In the ledger">
          {compact(count('ledger'))}
        </Figure>
        <Figure small title="Not on the invoice">
          {compact(count('missing'))}
        </Figure>
        <Figure small title="Not in the ledger">
          {compact(count('extra'))}
        </Figure>
      </SimpleGrid>
      {result.differences ? (
        <DataTable
          label="Differences"
          rows={result.differences}
          columns={COLUMNS}
          rowKey={(one) => `${one.kind}${one.id}${one.place}${one.field}`}
        />
      ) : (
        wrong > 0 && (
          <Text size="sm" c="dimmed">
            The lines themselves are not kept: compare the invoice again to see them.
          </Text>
        )
      )}
    </>
  );
}
