import { Button, Group, PasswordInput, Select, Text, TextInput, Title } from '@mantine/core';
import { useMemo } from 'react';
import { call, pathOf, type User, type UserChange, type Workspace } from '~/api/admin';
import { useSession } from '~/api/session';
import type { Column } from '~/parts/DataTable';
import { Page } from '~/parts/Page';
import { State } from '~/parts/State';
import { Ask, type Filled } from './Ask';
import { useAct } from './act';
import { Confirm } from './Confirm';
import { Listing } from './Listing';

type Role = 'owner' | 'admin' | 'member';

const on = (enabled: boolean) => <State color={enabled ? 'teal' : 'gray'}>{enabled ? 'on' : 'off'}</State>;
const changeUser = (user: User, body: UserChange) =>
  call('changeUser', { path: { workspace: user.workspace, name: user.name }, body });

/** As it is typed: at the door it is not trimmed either. */
const passwordOf = (filled: Filled) => (filled.raw('password') === '' ? {} : { password: filled.raw('password') });

/** Without it nobody could get in: the gateway's own. */
const isFirst = (workspace: string, user = 'default') => workspace === 'default' && user === 'default';

/** Admins make members; owners and the house make everybody. */
function useRoles(): Role[] {
  const { house, role } = useSession();
  return house || role === 'owner' ? ['member', 'admin', 'owner'] : ['member'];
}

export function PeoplePage() {
  const session = useSession();
  const roles = useRoles();
  const act = useAct();
  const columns = useMemo((): Column<User>[] => {
    const turned = (user: User, enabled: boolean) =>
      act.mutate({
        run: () => changeUser(user, { enabled }),
        undo: () => changeUser(user, { enabled: !enabled }),
        said: `${user.name} is switched ${enabled ? 'on' : 'off'}`,
      });
    return [
      {
        id: 'name',
        title: 'User',
        value: (user) => user.name,
        cell: (user) => <span className="anyword">{user.name}</span>,
      },
      { id: 'workspace', title: 'Workspace', value: (user) => user.workspace },
      { id: 'role', title: 'Role', value: (user) => user.role },
      { id: 'keys', title: 'Keys', value: (user) => user.keys, right: true },
      { id: 'enabled', title: 'State', cell: (user) => on(user.enabled) },
      {
        id: 'act',
        title: 'Change',
        cell: (user) =>
          roles.length === 1 && user.role !== 'member' ? (
            '–'
          ) : (
            <Group gap={6}>
              <EditUser user={user} roles={roles} />
              {user.enabled && isFirst(user.workspace, user.name) ? null : user.enabled ? (
                <Confirm
                  verb="Switch off"
                  label={`Switch off ${user.name}`}
                  title={`Switch ${user.name} off?`}
                  act={() => turned(user, false)}
                >
                  {user.workspace === session.workspace && user.name === session.user && (
                    <Text size="sm" fw={600} mb="xs">
                      This is you: you are signed out at once, and somebody else has to switch you on again.
                    </Text>
                  )}
                  Sessions end and keys are refused until the user is switched on again.
                </Confirm>
              ) : (
                <Button
                  size="compact-xs"
                  variant="light"
                  onClick={() => turned(user, true)}
                  aria-label={`Switch on ${user.name}`}
                >
                  Switch on
                </Button>
              )}
              {!isFirst(user.workspace, user.name) && (
                <Confirm
                  verb="Delete"
                  label={`Delete ${user.name}`}
                  title={`Delete ${user.workspace}/${user.name}?`}
                  act={() =>
                    act.mutate({
                      run: () => call('deleteUser', { path: { workspace: user.workspace, name: user.name } }),
                      said: `${user.name} is deleted`,
                    })
                  }
                >
                  <Gone keys={user.keys} />
                  Sessions, conversations, budgets and policies of the user go with them, and cannot be brought back.
                  Receipts and the audit log stay.
                </Confirm>
              )}
            </Group>
          ),
      },
    ];
  }, [act.mutate, roles, session.workspace, session.user]);
  return (
    <Page wide title="People" about="Who signs in, and where they belong." actions={<NewUser roles={roles} />}>
      <Listing<User>
        path={pathOf('listUsers')}
        columns={columns}
        label="Users"
        rowKey={(user) => user.id}
        dim={(user) => !user.enabled}
        empty="Nobody yet"
        csv
      />
      <Group justify="space-between" mt={36} mb="xs">
        <Title order={2} size="h4">
          Workspaces
        </Title>
        {session.house && <NewWorkspace />}
      </Group>
      <Workspaces house={Boolean(session.house)} />
    </Page>
  );
}

/** The gateway refuses then; better to know before. */
function Gone({ keys }: { keys: number }) {
  if (keys === 0) return null;
  return (
    <Text size="sm" fw={600} mb="xs">
      {keys === 1 ? 'A key belongs' : `${keys} keys belong`} here, so this will be refused: receipts speak of them, also
      of revoked ones. Switch off instead.
    </Text>
  );
}

function EditUser({ user, roles }: { user: User; roles: Role[] }) {
  return (
    <Ask
      small
      verb="Edit"
      label={`Edit ${user.name}`}
      title={`${user.workspace}/${user.name}`}
      send={(filled) =>
        changeUser(user, {
          ...(filled.text('role') === user.role ? {} : { role: filled.text('role') as Role }),
          ...passwordOf(filled),
        })
      }
      said={() => `${user.name} is changed`}
      submit="Save"
    >
      <Select label="Role" name="role" data={roles} defaultValue={user.role} allowDeselect={false} />
      <PasswordInput
        label="New password"
        name="password"
        description="10 to 256 characters; every session of the user ends. Empty: stays as it is"
        autoComplete="new-password"
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      />
    </Ask>
  );
}

function Workspaces({ house }: { house: boolean }) {
  const act = useAct();
  const columns = useMemo((): Column<Workspace>[] => {
    const turn = (one: Workspace, enabled: boolean) =>
      call('changeWorkspace', { path: { name: one.name }, body: { enabled } });
    const turned = (one: Workspace, enabled: boolean) =>
      act.mutate({
        run: () => turn(one, enabled),
        undo: () => turn(one, !enabled),
        said: `${one.name} is switched ${enabled ? 'on' : 'off'}`,
      });
    return [
      { id: 'name', title: 'Workspace', value: (one) => one.name },
      { id: 'users', title: 'Users', value: (one) => one.users, right: true },
      { id: 'keys', title: 'Keys', value: (one) => one.keys, right: true },
      { id: 'enabled', title: 'State', cell: (one) => on(one.enabled) },
      ...(house
        ? [
            {
              id: 'act',
              title: 'Change',
              cell: (one: Workspace) => (
                <Group gap={6}>
                  <Rename workspace={one} />
                  {one.enabled && isFirst(one.name) ? null : one.enabled ? (
                    <Confirm
                      verb="Switch off"
                      label={`Switch off the workspace ${one.name}`}
                      title={`Switch ${one.name} off?`}
                      act={() => turned(one, false)}
                    >
                      Nobody in it can sign in, and every key of it is refused, until it is switched on again.
                    </Confirm>
                  ) : (
                    <Button
                      size="compact-xs"
                      variant="light"
                      onClick={() => turned(one, true)}
                      aria-label={`Switch on the workspace ${one.name}`}
                    >
                      Switch on
                    </Button>
                  )}
                  {!isFirst(one.name) && (
                    <Confirm
                      verb="Delete"
                      label={`Delete the workspace ${one.name}`}
                      title={`Delete ${one.name}?`}
                      act={() =>
                        act.mutate({
                          run: () => call('deleteWorkspace', { path: { name: one.name } }),
                          said: `${one.name} is deleted`,
                        })
                      }
                    >
                      <Gone keys={one.keys} />
                      {one.users > 0 && `Its ${one.users === 1 ? 'user goes' : `${one.users} users go`} with it. `}
                      Their sessions and conversations, its budgets and policies go too, and cannot be brought back.
                      Receipts and the audit log stay.
                    </Confirm>
                  )}
                </Group>
              ),
            },
          ]
        : []),
    ];
  }, [act.mutate, house]);
  return (
    <Listing<Workspace>
      path={pathOf('listWorkspaces')}
      columns={columns}
      label="Workspaces"
      rowKey={(one) => one.id}
      dim={(one) => !one.enabled}
      empty="No workspaces"
    />
  );
}

function Rename({ workspace }: { workspace: Workspace }) {
  if (isFirst(workspace.name)) return null;
  return (
    <Ask
      small
      verb="Rename"
      label={`Rename the workspace ${workspace.name}`}
      title={`Rename ${workspace.name}`}
      send={(filled) =>
        call('changeWorkspace', { path: { name: workspace.name }, body: { name: filled.text('name') } })
      }
      said={(filled) => `${workspace.name} is called ${filled.text('name')} now`}
    >
      <TextInput
        label="Name"
        name="name"
        required
        defaultValue={workspace.name}
        description="Its people sign in with the new one"
        data-autofocus
      />
    </Ask>
  );
}

function NewWorkspace() {
  return (
    <Ask
      small
      verb="Add a workspace"
      title="Add a workspace"
      send={(filled) => call('createWorkspace', { body: { name: filled.text('name') } })}
      said={(filled) => `${filled.text('name')} is there`}
      submit="Add"
    >
      <TextInput label="Name" name="name" required data-autofocus />
    </Ask>
  );
}

function NewUser({ roles }: { roles: Role[] }) {
  const session = useSession();
  return (
    <Ask
      verb="Add a user"
      title="Add a user"
      send={(filled) =>
        call('createUser', {
          path: { workspace: filled.text('workspace') },
          body: {
            name: filled.text('name'),
            role: filled.text('role') as Role,
            ...passwordOf(filled),
          },
        })
      }
      said={(filled) => `${filled.text('name')} is added`}
      submit="Add"
    >
      <TextInput
        label="Workspace"
        name="workspace"
        required
        readOnly={!session.house}
        defaultValue={session.workspace ?? 'default'}
      />
      <TextInput label="Name" name="name" required data-autofocus />
      <Select label="Role" name="role" data={roles} defaultValue="member" allowDeselect={false} />
      <PasswordInput
        label="Password"
        name="password"
        description="10 to 256 characters; empty: cannot sign in to the web"
        autoComplete="new-password"
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      />
    </Ask>
  );
}
