/** Whom a limit is for: a workspace, a user, a key or a storefront, as the admin API names them. */
import { Select, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '~/api/admin';
import { useSession } from '~/api/session';
import type { Column } from '~/parts/DataTable';

export type Kind = 'workspace' | 'user' | 'key';
type Wider = Kind | 'storefront';

const READ: Record<Wider, () => Promise<{ value: string; label: string }[]>> = {
  workspace: async () => (await call('listWorkspaces', { query: { limit: 500 } })).data.map((one) => plain(one.name)),
  user: async () =>
    (await call('listUsers', { query: { limit: 500 } })).data.map((one) => plain(`${one.workspace}/${one.name}`)),
  key: async () =>
    (await call('listKeys', { query: { limit: 500, revoked: false } })).data.map((one) => ({
      value: one.id,
      label: `${one.name || one.id} (${one.workspace}/${one.user})`,
    })),
  storefront: async () =>
    (await call('listStorefronts', { query: { limit: 500 } })).data.map((one) => ({ value: one.id, label: one.name })),
};

const plain = (name: string) => ({ value: name, label: name });

/** The column that says it. */
export const WHOSE: Column<{ kind: string; owner: string }> = {
  id: 'of',
  title: 'Whose',
  value: (one) => `${one.kind} ${one.owner}`,
  cell: (one) => (
    <>
      <Text size="xs" c="dimmed">
        {one.kind}
      </Text>
      <span className="anyword">{one.owner}</span>
    </>
  ),
};

export function Whose({ storefronts = false }: { storefronts?: boolean }) {
  const session = useSession();
  const [kind, setKind] = useState<Wider>(session.house ? 'workspace' : 'user');
  const owners = useQuery({ queryKey: ['admin', 'owners', kind], queryFn: READ[kind] });
  return (
    <Stack gap="sm">
      <Select
        label="For a"
        name="kind"
        allowDeselect={false}
        data={[
          ...(session.house ? ['workspace'] : []),
          'user',
          'key',
          ...(session.house && storefronts ? ['storefront'] : []),
        ]}
        value={kind}
        onChange={(value) => setKind((value ?? 'user') as Wider)}
      />
      <Select
        key={kind}
        label="Which"
        name="owner"
        required
        searchable
        data={owners.data ?? []}
        placeholder={owners.isPending ? 'Loading' : 'Choose'}
        nothingFoundMessage="None is called that"
      />
    </Stack>
  );
}
