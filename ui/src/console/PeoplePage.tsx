import { Badge, Button, Group, Modal, PasswordInput, Select, Stack, TextInput, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import { useSession } from '~/api/session';
import type { Column } from '~/parts/DataTable';
import { Page } from '~/parts/Page';
import { Confirm } from './Confirm';
import { Listing, useAct } from './Listing';

type Workspace = { id: string; name: string; enabled: boolean; users: number; keys: number };
type User = { id: string; name: string; workspace: string; role: string; enabled: boolean; keys: number };

const on = (enabled: boolean) => (
  <Badge variant="dot" color={enabled ? 'teal' : 'gray'} c="var(--mantine-color-text)">
    {enabled ? 'on' : 'off'}
  </Badge>
);
const WORKSPACES: Column<Workspace>[] = [
  { id: 'name', title: 'Workspace', value: (one) => one.name },
  { id: 'users', title: 'Users', value: (one) => one.users, right: true },
  { id: 'keys', title: 'Keys', value: (one) => one.keys, right: true },
  { id: 'enabled', title: 'State', cell: (one) => on(one.enabled) },
];

export function PeoplePage() {
  const session = useSession();
  const [open, dialog] = useDisclosure(false);
  const act = useAct();
  const columns = useMemo((): Column<User>[] => {
    const turn = (user: User, enabled: boolean) =>
      act.mutate({
        method: 'PATCH',
        path: `workspaces/${user.workspace}/users/${user.name}`,
        body: { enabled },
        said: `${user.name} is switched ${enabled ? 'on' : 'off'}`,
      });
    return [
      { id: 'name', title: 'User', value: (user) => user.name },
      { id: 'workspace', title: 'Workspace', value: (user) => user.workspace },
      { id: 'role', title: 'Role', value: (user) => user.role },
      { id: 'keys', title: 'Keys', value: (user) => user.keys, right: true },
      { id: 'enabled', title: 'State', cell: (user) => on(user.enabled) },
      {
        id: 'act',
        title: 'Change',
        cell: (user) =>
          user.enabled ? (
            <Confirm
              verb="Switch off"
              label={`Switch off ${user.name}`}
              title={`Switch ${user.name} off?`}
              act={() => turn(user, false)}
            >
              Sessions end and keys are refused until the user is switched on again.
            </Confirm>
          ) : (
            <Button size="compact-xs" variant="light" onClick={() => turn(user, true)}>
              Switch on
            </Button>
          ),
      },
    ];
  }, [act.mutate]);
  return (
    <Page
      wide
      title="People"
      about="Who signs in, and where they belong."
      actions={<Button onClick={dialog.open}>Add a user</Button>}
    >
      <Listing<User>
        path="users"
        columns={columns}
        label="Users"
        rowKey={(user) => user.id}
        dim={(user) => !user.enabled}
        empty="Nobody yet"
      />
      <Group justify="space-between" mt="xl" mb="xs">
        <Title order={2} size="h4">
          Workspaces
        </Title>
        {session.house && <NewWorkspace />}
      </Group>
      <Listing<Workspace>
        path="workspaces"
        columns={WORKSPACES}
        label="Workspaces"
        rowKey={(one) => one.id}
        empty="No workspaces"
      />
      <NewUser
        open={open}
        close={dialog.close}
        workspace={session.workspace ?? 'default'}
        house={Boolean(session.house)}
      />
    </Page>
  );
}

function NewWorkspace() {
  const [open, dialog] = useDisclosure(false);
  const [name, setName] = useState('');
  const act = useAct(dialog.close);
  return (
    <>
      <Button size="xs" variant="default" onClick={dialog.open}>
        Add a workspace
      </Button>
      <Modal opened={open} onClose={dialog.close} title="Add a workspace" closeButtonProps={{ 'aria-label': 'Close' }}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate({ path: 'workspaces', body: { name }, said: `${name} is there` });
          }}
        >
          <TextInput
            label="Name"
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <Button type="submit" mt="md" fullWidth loading={act.isPending}>
            Add
          </Button>
        </form>
      </Modal>
    </>
  );
}

function NewUser({
  open,
  close,
  workspace,
  house,
}: {
  open: boolean;
  close: () => void;
  workspace: string;
  house: boolean;
}) {
  const [where, setWhere] = useState(workspace);
  const [name, setName] = useState('');
  const [role, setRole] = useState<string | null>('member');
  const [password, setPassword] = useState('');
  const act = useAct(close);
  return (
    <Modal opened={open} onClose={close} title="Add a user" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate({
            path: `workspaces/${encodeURIComponent(where)}/users`,
            body: { name, role, ...(password ? { password } : {}) },
            said: `${name} is added`,
          });
        }}
      >
        <Stack>
          <TextInput
            label="Workspace"
            required
            disabled={!house}
            value={where}
            onChange={(event) => setWhere(event.currentTarget.value)}
          />
          <TextInput
            label="Name"
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <Select
            label="Role"
            data={['member', 'admin', 'owner']}
            value={role}
            onChange={setRole}
            allowDeselect={false}
          />
          <PasswordInput
            label="Password"
            description="10 to 256 characters; empty: cannot sign in to the web"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
          />
          <Button type="submit" loading={act.isPending}>
            Add
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
