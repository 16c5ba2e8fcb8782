/** One's own account: whose models are asked, the password, one's keys, and where one is signed in. */
import { Anchor, Badge, PasswordInput, Select, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { call, type Key, pathOf, type SessionInfo } from '~/api/admin';
import { catalogueQuery } from '~/api/catalogue';
import { administers, useSession } from '~/api/session';
import { Ask } from '~/console/Ask';
import { useAct } from '~/console/act';
import { Confirm } from '~/console/Confirm';
import { useKeyColumns } from '~/console/keyColumns';
import { Listing } from '~/console/Listing';
import type { Column } from '~/parts/DataTable';
import { when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Section } from '~/parts/Section';

const AUTOCOMPLETE = { old: 'current-password', new: 'new-password' };

export function AccountPage() {
  const session = useSession();
  return (
    <Page
      title="Account"
      about={
        session.by_key
          ? `Signed in with the admin’s key ${session.key ?? ''}: the whole gateway is open to you.`
          : `${session.user}, ${session.role} of ${session.workspace}.`
      }
    >
      {!session.by_key && <Storefront />}
      {!session.by_key && <Password />}
      {!session.by_key && <OwnKeys />}
      <Sessions />
    </Page>
  );
}

function Storefront() {
  const session = useSession();
  const client = useQueryClient();
  const act = useAct();
  const catalogue = useQuery(catalogueQuery);
  return (
    <Section
      title="Models of"
      about="Whose models the chat asks. Usage and budgets of all storefronts are yours alike."
    >
      <Select
        aria-label="Storefront"
        w={260}
        allowDeselect={false}
        data={catalogue.data?.storefronts.map((one) => ({ value: one.id, label: one.name })) ?? []}
        value={session.storefront ?? null}
        onChange={(storefront) =>
          storefront &&
          act.mutate({
            run: async () => {
              await call('switchStorefront', { body: { storefront } });
              await client.invalidateQueries();
            },
            said: 'The chat asks its models from now on',
          })
        }
      />
    </Section>
  );
}

function Password() {
  return (
    <Section
      title="Password"
      about="With a new one, every other place where you are signed in is signed out."
      actions={
        <Ask
          plain
          verb="Change the password"
          title="Change the password"
          send={async (filled) => {
            if (filled.raw('new') !== filled.raw('again')) throw new Error('The new password is not the same twice');
            await call('changePassword', { body: { old: filled.raw('old'), new: filled.raw('new') } });
          }}
          said={() => 'The password is changed'}
          submit="Change"
        >
          {[
            ['old', 'The password until now'],
            ['new', 'The new one, 10 characters or more'],
            ['again', 'The new one again'],
          ].map(([name, label]) => (
            <PasswordInput
              key={name}
              name={name}
              label={label}
              required
              {...(name === 'old' ? {} : { minLength: 10 })}
              autoComplete={name === 'old' ? AUTOCOMPLETE.old : AUTOCOMPLETE.new}
              visibilityToggleButtonProps={{ 'aria-label': 'Show or hide it' }}
            />
          ))}
        </Ask>
      }
    />
  );
}

/** What a browser calls itself, as people know it. */
function agentOf(text: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/\d+/.exec(text.replace(/HeadlessChrome/, 'Chrome'))?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS|Linux)/.exec(text)?.[1];
  const name = { Edg: 'Edge', OPR: 'Opera' }[browser ?? ''] ?? browser;
  return name ? `${name}${system ? ` on ${system}` : ''}` : text || 'unknown';
}

function OwnKeys() {
  const session = useSession();
  const columns = useKeyColumns().filter((one) => one.id !== 'who');
  return (
    <Section
      title="Keys"
      about={
        administers(session) ? (
          <>
            What your programs sign in with. You make keys{' '}
            <Anchor component={Link} to="/console/keys" inherit>
              in the console
            </Anchor>
            .
          </>
        ) : (
          'What your programs sign in with. An admin of your workspace makes them; revoke what you do not know.'
        )
      }
    >
      <Listing<Key>
        path={pathOf('listKeys', {
          query: { workspace: session.workspace ?? null, user: session.user ?? null, revoked: false },
        })}
        columns={columns}
        label="Your keys"
        rowKey={(key) => key.id}
        empty="No keys yet"
      />
    </Section>
  );
}

function Sessions() {
  const act = useAct();
  const columns = useMemo(
    (): Column<SessionInfo>[] => [
      {
        id: 'agent',
        title: 'Where',
        value: (one) => agentOf(one.agent),
        cell: (one) => (
          <>
            {agentOf(one.agent)} {one.current && <Badge size="xs">this one</Badge>}
          </>
        ),
      },
      { id: 'created', title: 'Since', value: (one) => one.created, cell: (one) => when(one.created * 1000) },
      { id: 'ends', title: 'Until', value: (one) => one.expires_at, cell: (one) => when(one.expires_at * 1000) },
      {
        id: 'act',
        title: 'Change',
        cell: (one) =>
          one.current ? (
            <Text size="xs" c="dimmed">
              sign out in the menu
            </Text>
          ) : (
            <Confirm
              verb="End"
              label={`End the session since ${when(one.created * 1000)}`}
              title="End this session?"
              act={() =>
                act.mutate({
                  run: () => call('endSession', { path: { session: one.id } }),
                  said: 'The session is ended',
                })
              }
            >
              Whoever uses it is signed out at their next click.
            </Confirm>
          ),
      },
    ],
    [act.mutate],
  );
  return (
    <Section title="Signed in" about="Every browser that is signed in as you. End what you do not know.">
      <Listing<SessionInfo>
        path={pathOf('listSessions')}
        columns={columns}
        label="Sessions"
        rowKey={(one) => one.id}
        empty="Nowhere"
      />
    </Section>
  );
}
