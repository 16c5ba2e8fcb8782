import { PasswordInput, Text, TextInput, Title } from '@mantine/core';
import { useMemo } from 'react';
import { type Credential, call, type Provider, pathOf } from '~/api/admin';
import type { Column } from '~/parts/DataTable';
import { when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { State } from '~/parts/State';
import { Ask } from './Ask';
import { useAct } from './act';
import { Confirm } from './Confirm';
import css from './console.module.css';
import { Listing } from './Listing';

const nameOf = (one: Provider): string => one.label || one.id;

const COLUMNS: Column<Provider>[] = [
  {
    id: 'label',
    title: 'Provider',
    value: (one) => nameOf(one),
    cell: (one) => (
      <>
        <Text fw={600} size="sm">
          {nameOf(one)}
        </Text>
        {one.label && <code className={css.quiet}>{one.id}</code>}
      </>
    ),
  },
  {
    id: 'live',
    title: 'State',
    value: (one) => (one.live ? 0 : 1),
    cell: (one) => <State color={one.live ? 'teal' : 'gray'}>{one.live ? 'live' : 'no credential'}</State>,
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
  const act = useAct();
  const entered = useMemo(
    (): Column<Credential>[] => [
      { id: 'provider', title: 'Provider', value: (one) => one.provider },
      { id: 'label', title: 'Label', value: (one) => one.label, cell: (one) => one.label || '–' },
      { id: 'last4', title: 'Ends with', cell: (one) => <code>…{one.last4}</code> },
      { id: 'created', title: 'Entered', value: (one) => one.created, cell: (one) => when(one.created * 1000) },
      { id: 'by', title: 'By', value: (one) => one.created_by },
      {
        id: 'act',
        title: 'Change',
        cell: (one) => (
          <Confirm
            verb="Remove"
            label={`Remove ${one.id} of ${one.provider}`}
            title="Remove this credential?"
            act={() =>
              act.mutate({
                run: () => call('removeCredential', { path: { credential: one.id } }),
                said: 'The credential is removed',
              })
            }
          >
            {one.provider} is not called with it any more. It cannot be brought back: enter it again.
          </Confirm>
        ),
      },
    ],
    [act.mutate],
  );
  return (
    <Page
      wide
      title="Providers"
      about="Who is called. Credentials can be written and replaced, never read back; they are encrypted at rest."
    >
      <Listing<Provider>
        path={pathOf('listProviders')}
        columns={COLUMNS}
        label="Providers"
        rowKey={(one) => one.id}
        empty="No providers"
        every={15_000}
      />
      <Title order={2} size="h4" mt={36} mb="xs">
        Credentials entered here
      </Title>
      <Listing<Credential>
        path={pathOf('listCredentials')}
        columns={entered}
        label="Credentials"
        rowKey={(one) => one.id}
        empty="None was entered here"
        hint="Those of the configuration and the environment are named beside their provider."
      />
    </Page>
  );
}

function NewCredential({ provider }: { provider: Provider }) {
  return (
    <Ask
      small
      verb="Add"
      label={`Add a credential for ${nameOf(provider)}`}
      title={`A credential for ${nameOf(provider)}`}
      send={(filled) =>
        call('addCredential', {
          path: { provider: provider.id },
          body: { value: filled.text('value'), label: filled.text('label') },
        })
      }
      said={() => 'The credential is kept, encrypted, and counts at once'}
      submit="Keep it"
    >
      <PasswordInput
        label="Key"
        name="value"
        required
        autoComplete="off"
        data-autofocus
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the key' }}
      />
      <TextInput label="Label" name="label" description="To know it by" maxLength={100} />
    </Ask>
  );
}
