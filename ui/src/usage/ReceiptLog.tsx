/** The requests, the newest first; more of them as one asks for more. */
import { Button, Group, Select, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { json } from '~/api/http';
import { type ReceiptRow, receiptsPath } from '~/api/usage';
import { type Column, DataTable } from '~/parts/DataTable';
import { compact, millis, when } from '~/parts/figures';
import { State } from '~/parts/State';
import { Blank, Failed, Loading } from '~/parts/states';
import { Cost } from './Cost';

type Paged = { data: ReceiptRow[]; next: string | null };

export const COLUMNS: Column<ReceiptRow>[] = [
  {
    id: 'created',
    title: 'When',
    value: (row) => row.created,
    cell: (row) => (
      <Link
        to="/usage/$receipt"
        params={{ receipt: row.id }}
        style={{ color: 'var(--cx-accent)', whiteSpace: 'nowrap' }}
      >
        {when(row.created)}
      </Link>
    ),
  },
  { id: 'model', title: 'Model', value: (row) => row.served_model ?? row.requested_model },
  { id: 'who', title: 'Who', value: (row) => row.user, cell: (row) => `${row.user} · ${row.key}` },
  { id: 'ending', title: 'Ending', value: (row) => row.ending, cell: (row) => <Ending row={row} /> },
  { id: 'in', title: 'In', value: (row) => row.input_tokens, cell: (row) => compact(row.input_tokens), right: true },
  {
    id: 'out',
    title: 'Out',
    value: (row) => row.output_tokens,
    cell: (row) => compact(row.output_tokens),
    right: true,
  },
  { id: 'latency', title: 'Took', value: (row) => row.latency_ms, cell: (row) => millis(row.latency_ms), right: true },
  { id: 'cost', title: 'Cost', value: (row) => Number(row.cost_usd), cell: (row) => <Cost {...row} />, right: true },
];

function Ending({ row }: { row: ReceiptRow }) {
  return (
    <State color={row.ending === 'done' ? 'teal' : 'red'}>
      {row.ending}
      {row.simulated ? ', simulated' : ''}
    </State>
  );
}

export function ReceiptLog() {
  const [model, setModel] = useState('');
  const [ending, setEnding] = useState<string | null>(null);
  const [sought] = useDebouncedValue(model.trim(), 250);
  const filter = useMemo(() => ({ model: sought, ending: ending ?? '' }), [sought, ending]);
  const log = useInfiniteQuery({
    queryKey: ['receipts', filter],
    queryFn: ({ pageParam }) => json<Paged>(receiptsPath(filter, pageParam)),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const rows = useMemo(() => log.data?.pages.flatMap((page) => page.data) ?? [], [log.data]);
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          Requests
        </Title>
        <Group gap="xs">
          <TextInput
            size="xs"
            aria-label="Filter by model"
            placeholder="Model, its whole id"
            value={model}
            onChange={(event) => setModel(event.currentTarget.value)}
          />
          <Select
            size="xs"
            w={130}
            aria-label="Filter by ending"
            placeholder="Any ending"
            clearable
            clearButtonProps={{ 'aria-label': 'Any ending' }}
            value={ending}
            onChange={setEnding}
            data={['done', 'failed', 'cancelled', 'cut', 'crashed']}
          />
        </Group>
      </Group>
      {log.isPending ? (
        <Loading />
      ) : log.isError ? (
        <Failed error={log.error} retry={() => void log.refetch()} />
      ) : (
        <>
          <DataTable
            label="Requests"
            rows={rows}
            columns={COLUMNS}
            rowKey={(row) => row.id}
            empty={<Blank title="No request fits">Take a filter away to see more.</Blank>}
          />
          {log.hasNextPage && (
            <Button variant="subtle" mt="sm" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
              Older ones
            </Button>
          )}
        </>
      )}
    </section>
  );
}
