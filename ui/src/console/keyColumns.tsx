/** Keys as a table shows them: the console's, and one's own on the account page. */
import { Badge, Text } from '@mantine/core';
import { useMemo } from 'react';
import { call, type Key } from '~/api/admin';
import { useSession } from '~/api/session';
import type { Column } from '~/parts/DataTable';
import { usd, when } from '~/parts/figures';
import { useAct } from './act';
import { Confirm } from './Confirm';

const WEB = 'web'; // as the prefix: what somebody asks in the web app is written under it, and nobody holds it

export function useKeyColumns(): Column<Key>[] {
  const session = useSession();
  const own = session.by_key ? session.key : null;
  const act = useAct();
  return useMemo(
    (): Column<Key>[] => [
      {
        id: 'name',
        title: 'Name',
        value: (key) => key.name,
        cell: (key) => (
          <span className="anyword">
            {key.name || key.id} {key.admin && <Badge size="xs">admin</Badge>}{' '}
            {key.test && <Badge size="xs">test</Badge>} {key.agent && <Badge size="xs">agent</Badge>}
          </span>
        ),
      },
      {
        id: 'key',
        title: 'Key',
        cell: (key) =>
          key.prefix === WEB ? (
            <Text size="xs" c="dimmed">
              none: the web app’s
            </Text>
          ) : (
            <code>
              {key.prefix}…{key.last4}
            </code>
          ),
      },
      { id: 'storefront', title: 'Storefront', value: (key) => key.storefront },
      {
        id: 'expires',
        title: 'Expires',
        value: (key) => key.expires_at,
        cell: (key) => (key.expires_at ? when(key.expires_at * 1000) : 'never'),
      },
      { id: 'who', title: 'Whose', value: (key) => `${key.workspace}/${key.user}` },
      {
        id: 'spent',
        title: 'Spent',
        value: (key) => Number(key.spent_usd),
        cell: (key) => usd(key.spent_usd),
        right: true,
      },
      {
        id: 'budget',
        title: 'Budget',
        value: (key) => Number(key.budget_usd ?? 0),
        cell: (key) => usd(key.budget_usd),
        right: true,
      },
      {
        id: 'act',
        title: 'Change',
        cell: (key) =>
          key.revoked ? (
            'revoked'
          ) : key.prefix === WEB ? (
            '–'
          ) : (
            <Confirm
              verb="Revoke"
              label={`Revoke ${key.name}`}
              title={`Revoke ${key.name}?`}
              act={() =>
                act.mutate({
                  run: () => call('revokeKey', { path: { key: key.id } }),
                  said: `${key.name || key.id} is revoked`,
                })
              }
            >
              {key.id === own && (
                <Text size="sm" fw={600} mb="xs">
                  It is the key that you are signed in with: you are signed out at once.
                </Text>
              )}
              Whoever uses {key.prefix}…{key.last4} is refused from now on. A revoked key cannot be brought back; its
              receipts stay.
            </Confirm>
          ),
      },
    ],
    [act.mutate, own],
  );
}
