import { Badge, Button, Modal, PasswordInput, Text } from '@mantine/core';
import { useState } from 'react';
import type { Column } from '~/parts/DataTable';
import { Page } from '~/parts/Page';
import { Listing, useAct } from './Listing';

type Provider = {
  id: string;
  label: string;
  base_url: string;
  dialects: string[];
  currency: string;
  live: boolean;
  pools: number;
  credentials: { name: string; there: boolean; refused: string | null }[];
};

const COLUMNS: Column<Provider>[] = [
  { id: 'label', title: 'Provider', value: (one) => one.label, cell: (one) => <b>{one.label}</b> },
  {
    id: 'live',
    title: 'State',
    value: (one) => (one.live ? 0 : 1),
    cell: (one) => (
      <Badge variant="dot" c="var(--mantine-color-text)" color={one.live ? 'teal' : 'gray'}>
        {one.live ? 'live' : 'no credential'}
      </Badge>
    ),
  },
  { id: 'dialects', title: 'Speaks', cell: (one) => <Text size="xs">{one.dialects.join(', ')}</Text> },
  { id: 'url', title: 'Address', cell: (one) => <code className="anyword">{one.base_url}</code> },
  { id: 'pools', title: 'Pools', value: (one) => one.pools, right: true },
  {
    id: 'credentials',
    title: 'Credentials',
    cell: (one) =>
      one.credentials.map((credential) => (
        <Text key={credential.name} size="xs" c={credential.there ? undefined : 'dimmed'}>
          {credential.name}: {credential.refused ?? (credential.there ? 'there' : 'not set')}
        </Text>
      )),
  },
  { id: 'add', title: 'Change', cell: (one) => <NewCredential provider={one} /> },
];

export function ProvidersPage() {
  return (
    <Page
      wide
      title="Providers"
      about="Who is called. Credentials can be written and replaced, never read back; they are encrypted at rest."
    >
      <Listing<Provider>
        path="providers"
        columns={COLUMNS}
        label="Providers"
        rowKey={(one) => one.id}
        empty="No providers"
      />
    </Page>
  );
}

function NewCredential({ provider }: { provider: Provider }) {
  const [open, setOpen] = useState(false);
  const [value, setValue] = useState('');
  const leave = () => {
    setOpen(false);
    setValue('');
  };
  const act = useAct(leave);
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        onClick={() => setOpen(true)}
        aria-label={`Add a credential for ${provider.label}`}
      >
        Add
      </Button>
      <Modal
        opened={open}
        onClose={leave}
        title={`A credential for ${provider.label}`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate({
              path: `providers/${provider.id}/credentials`,
              body: { value },
              said: 'The credential is kept, encrypted',
            });
          }}
        >
          <PasswordInput
            label="Key"
            required
            autoComplete="off"
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the key' }}
          />
          <Button type="submit" mt="md" fullWidth loading={act.isPending}>
            Keep it
          </Button>
        </form>
      </Modal>
    </>
  );
}
