import { Alert, Badge, Button, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { catalogueQuery } from '~/api/catalogue';
import { useSession } from '~/api/session';
import { CopyButton } from '~/parts/CopyButton';
import type { Column } from '~/parts/DataTable';
import { usd } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Confirm } from './Confirm';
import css from './console.module.css';
import { Listing, useAct } from './Listing';

type Key = {
  id: string;
  name: string;
  prefix: string;
  last4: string;
  storefront: string;
  workspace: string;
  user: string;
  admin: boolean;
  test: boolean;
  revoked: boolean;
  budget_usd: string | null;
  spent_usd: string;
};

export function KeysPage() {
  const [open, dialog] = useDisclosure(false);
  const act = useAct();
  const columns = useMemo(
    (): Column<Key>[] => [
      {
        id: 'name',
        title: 'Name',
        value: (key) => key.name,
        cell: (key) => (
          <span className="anyword">
            {key.name} {key.admin && <Badge size="xs">admin</Badge>} {key.test && <Badge size="xs">test</Badge>}
          </span>
        ),
      },
      {
        id: 'key',
        title: 'Key',
        cell: (key) => (
          <code>
            {key.prefix}…{key.last4}
          </code>
        ),
      },
      { id: 'storefront', title: 'Storefront', value: (key) => key.storefront },
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
          ) : (
            <Confirm
              verb="Revoke"
              label={`Revoke ${key.name}`}
              title={`Revoke ${key.name}?`}
              act={() => act.mutate({ method: 'DELETE', path: `keys/${key.id}`, said: `${key.name} is revoked` })}
            >
              Whoever uses {key.prefix}…{key.last4} is refused from now on. A revoked key cannot be brought back; its
              receipts stay.
            </Confirm>
          ),
      },
    ],
    [act.mutate],
  );
  return (
    <Page
      wide
      title="Keys"
      about="What programs sign in with. A key’s secret is shown once, when it is made."
      actions={<Button onClick={dialog.open}>Make a key</Button>}
    >
      <Listing<Key>
        path="keys"
        columns={columns}
        label="Keys"
        rowKey={(key) => key.id}
        dim={(key) => key.revoked}
        empty="No keys yet"
        hint="Make one for each program, so that each can be taken back alone."
      />
      <NewKey open={open} close={dialog.close} />
    </Page>
  );
}

function NewKey({ open, close }: { open: boolean; close: () => void }) {
  const session = useSession();
  const catalogue = useQuery(catalogueQuery);
  const [name, setName] = useState('');
  const [storefront, setStorefront] = useState<string | null>(session.storefront ?? null);
  const [budget, setBudget] = useState<string | number>('');
  const [secret, setSecret] = useState<string | null>(null);
  const act = useAct<{ key: string }>((made) => setSecret(made.key));
  const leave = () => {
    setSecret(null);
    setName('');
    setBudget('');
    close();
  };
  const make = () =>
    act.mutate({
      path: 'keys',
      said: `The key ${name} is made`,
      body: {
        name,
        ...(storefront ? { storefront } : {}),
        workspace: session.workspace,
        user: session.user,
        ...(budget !== '' ? { budget_usd: String(budget) } : {}),
      },
    });
  return (
    <Modal opened={open} onClose={leave} title="Make a key" closeButtonProps={{ 'aria-label': 'Close' }}>
      {secret ? (
        <Stack>
          <Alert color="yellow" styles={{ message: { color: 'var(--mantine-color-text)' } }}>
            Copy it now: it is shown this once, and kept nowhere.
          </Alert>
          <div className={css.secret} data-testid="secret">
            <span>{secret}</span> <CopyButton text={secret} label="Copy the key" />
          </div>
          <Button onClick={leave}>I have it</Button>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            make();
          }}
        >
          <Stack>
            <TextInput
              label="Name"
              required
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
            />
            <Select
              label="Storefront"
              data={catalogue.data?.storefronts.map((one) => ({ value: one.id, label: one.name })) ?? []}
              value={storefront}
              onChange={setStorefront}
            />
            <NumberInput
              label="Budget in USD"
              description="Empty: no cap of its own"
              min={0}
              value={budget}
              onChange={setBudget}
            />
            <Group justify="space-between">
              <Text size="xs" c="dimmed">
                for {session.workspace}/{session.user}
              </Text>
              <Button type="submit" loading={act.isPending}>
                Make
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
