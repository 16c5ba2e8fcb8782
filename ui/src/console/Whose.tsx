/** Whom a limit is for: a workspace, a user or a key, as the admin API names them. */
import { Select, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '~/api/admin';
import { useSession } from '~/api/session';

export type Kind = 'workspace' | 'user' | 'key';

const READ: Record<Kind, () => Promise<{ value: string; label: string }[]>> = {
  workspace: async () => (await call('listWorkspaces', { query: { limit: 500 } })).data.map((one) => plain(one.name)),
  user: async () =>
    (await call('listUsers', { query: { limit: 500 } })).data.map((one) => plain(`${one.workspace}/${one.name}`)),
  key: async () =>
    (await call('listKeys', { query: { limit: 500, revoked: false } })).data.map((one) => ({
      value: one.id,
      label: `${one.name || one.id} (${one.workspace}/${one.user})`,
    })),
};

const plain = (name: string) => ({ value: name, label: name });

export function Whose() {
  const session = useSession();
  const [kind, setKind] = useState<Kind>(session.house ? 'workspace' : 'user');
  const owners = useQuery({ queryKey: ['admin', 'owners', kind], queryFn: READ[kind] });
  return (
    <Stack gap="sm">
      <Select
        label="For a"
        name="kind"
        allowDeselect={false}
        data={session.house ? ['workspace', 'user', 'key'] : ['user', 'key']}
        value={kind}
        onChange={(value) => setKind((value ?? 'user') as Kind)}
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
