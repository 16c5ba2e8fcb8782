import { Alert, Button, Checkbox, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Key, pathOf } from '~/api/admin';
import { catalogueQuery } from '~/api/catalogue';
import { useSession } from '~/api/session';
import { CopyButton } from '~/parts/CopyButton';
import { Page } from '~/parts/Page';
import { AMOUNT } from './Ask';
import { useAct } from './act';
import css from './console.module.css';
import { useKeyColumns } from './keyColumns';
import { Listing } from './Listing';

export function KeysPage() {
  const [open, dialog] = useDisclosure(false);
  const columns = useKeyColumns();
  return (
    <Page
      wide
      title="Keys"
      about="What programs sign in with. A key’s secret is shown once, when it is made."
      actions={<Button onClick={dialog.open}>Make a key</Button>}
    >
      <Listing<Key>
        path={pathOf('listKeys')}
        csv
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
  const [secret, setSecret] = useState<string | null>(null);
  const act = useAct();
  const users = useQuery({
    queryKey: ['admin', 'users', 'all'],
    queryFn: () => call('listUsers', { query: { limit: 500 } }),
    enabled: open,
  });
  const leave = () => {
    setSecret(null);
    close();
  };
  const make = (data: FormData) => {
    const text = (name: string) => String(data.get(name) ?? '').trim();
    const [workspace, user] = text('for').split('/');
    act.mutate({
      run: async () => {
        const made = await call('createKey', {
          body: {
            name: text('name'),
            ...(text('storefront') ? { storefront: text('storefront') } : {}),
            ...(text('budget') ? { budget_usd: text('budget') } : {}),
            ...(text('expires') ? { expires: text('expires') } : {}),
            ...(data.get('agent') ? { agent: true } : {}),
            workspace: workspace ?? null,
            user: user ?? 'default',
          },
        });
        setSecret(made.key);
      },
      said: `The key ${text('name')} is made`,
    });
  };
  const own = `${session.workspace}/${session.user}`;
  const whom = users.data?.data.map((one) => `${one.workspace}/${one.name}`) ?? [];
  return (
    // The second click of a double click falls beside the smaller dialog: it must not take the secret away.
    <Modal
      opened={open}
      onClose={leave}
      closeOnClickOutside={secret === null}
      title="Make a key"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          <Alert color="yellow" classNames={{ message: css.plain }}>
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
            make(new FormData(event.currentTarget));
          }}
        >
          <Stack>
            <TextInput label="Name" name="name" required data-autofocus />
            <Select
              label="For"
              name="for"
              searchable
              allowDeselect={false}
              data={whom.includes(own) ? whom : [own, ...whom]}
              defaultValue={own}
            />
            <Select
              label="Storefront"
              name="storefront"
              data={catalogue.data?.storefronts.map((one) => ({ value: one.id, label: one.name })) ?? []}
              defaultValue={session.storefront ?? null}
            />
            <Group grow>
              <TextInput label="Budget in USD" name="budget" {...AMOUNT} placeholder="no cap of its own" />
              <TextInput label="Expires" name="expires" placeholder="never; or 30d" />
            </Group>
            {session.house && (
              <Checkbox
                name="agent"
                label="For a coding agent"
                description="A plan pays for it where its user has one"
              />
            )}
            <Button type="submit" loading={act.isPending}>
              Make
            </Button>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
