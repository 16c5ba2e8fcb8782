/** What a key sees, and why not the rest. */
import { Alert, Group, SegmentedControl, Select, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type PreviewRow } from '~/api/admin';
import { type Column, DataTable } from '~/parts/DataTable';
import { State } from '~/parts/State';
import { Blank, Failed, Loading } from '~/parts/states';
import css from './console.module.css';

const COLUMNS: Column<PreviewRow>[] = [
  { id: 'id', title: 'Model', value: (one) => one.id, cell: (one) => <code>{one.id}</code> },
  {
    id: 'listed',
    title: 'Sees it',
    value: (one) => (one.listed ? 0 : 1),
    cell: (one) => <State color={one.listed ? 'teal' : 'gray'}>{one.listed ? 'yes' : 'no'}</State>,
  },
  { id: 'reason', title: 'Why', value: (one) => one.reason },
  {
    id: 'served',
    title: 'Answers',
    value: (one) => one.served,
    cell: (one) => (one.served ? <code>{one.served === one.id ? 'itself' : one.served}</code> : '–'),
  },
];

export function Preview() {
  const keys = useQuery({
    queryKey: ['admin', 'keys', 'all'],
    queryFn: () => call('listKeys', { query: { limit: 500, revoked: false } }),
  });
  const [key, setKey] = useState<string | null>(null);
  const [client, setClient] = useState<string | null>(null);
  const [which, setWhich] = useState('all');
  const look = useQuery({
    queryKey: ['admin', 'preview', key, client],
    queryFn: () => call('previewPolicies', { body: { key: key ?? '', client } }),
    enabled: key !== null,
  });
  const rows = look.data?.models.filter((one) => which === 'all' || one.listed === (which === 'seen')) ?? [];
  return (
    <>
      <Group mb="sm" align="flex-end">
        <Select
          label="Key"
          w={300}
          data={
            keys.data?.data.map((one) => ({
              value: one.id,
              label: `${one.name || one.id} (${one.workspace}/${one.user})`,
            })) ?? []
          }
          value={key}
          onChange={setKey}
          searchable
          placeholder={keys.isPending ? 'Loading' : 'Choose a key'}
          nothingFoundMessage="No key is called that"
        />
        <Select
          label="Client"
          w={180}
          data={['claude-code', 'codex']}
          value={client}
          onChange={setClient}
          clearable
          clearButtonProps={{ 'aria-label': 'Any client' }}
          placeholder="any"
        />
        {look.data && (
          <SegmentedControl
            aria-label="Which models"
            value={which}
            onChange={setWhich}
            data={[
              { value: 'all', label: 'All' },
              { value: 'seen', label: 'Seen' },
              { value: 'not', label: 'Not seen' },
            ]}
          />
        )}
      </Group>
      {key === null && <Text c="dimmed">Choose a key to see its list.</Text>}
      {key !== null && look.isPending && <Loading />}
      {look.isError && <Failed error={look.error} retry={() => void look.refetch()} />}
      {look.data?.problem && (
        <Alert color="red" variant="light" mb="sm" classNames={{ message: css.plain }}>
          {look.data.problem}
        </Alert>
      )}
      {look.data && (
        <>
          <Text size="sm" c="dimmed" mb={6} role="status">
            Sees {look.data.models.filter((one) => one.listed).length} of {look.data.models.length} models of{' '}
            {look.data.storefront}
            {look.data.policies.length > 0 && `; narrowed by ${look.data.policies.join(', ')}`}
          </Text>
          <DataTable
            label="What the key sees"
            rows={rows}
            columns={COLUMNS}
            rowKey={(one) => one.id}
            dim={(one) => !one.listed}
            empty={<Blank title="No models" />}
          />
        </>
      )}
    </>
  );
}
