import { Button, Group, Select, Switch, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { json } from '~/api/http';
import { CodeBlock } from '~/parts/CodeBlock';
import type { Column } from '~/parts/DataTable';
import { DataTable } from '~/parts/DataTable';
import { Page } from '~/parts/Page';
import { Empty, Failed } from '~/parts/states';
import { Confirm } from './Confirm';
import { Listing, useAct } from './Listing';

type Policy = { kind: string; owner: string; enabled: boolean; terms: Record<string, unknown> };
type Seen = { id: string; listed: boolean; status: string | null; served: string | null; reason: string | null };
type Preview = { key: string; storefront: string; problem: string | null; models: Seen[] };
type Key = { id: string; name: string; workspace: string; user: string; revoked: boolean };

const SEEN: Column<Seen>[] = [
  { id: 'id', title: 'Model', value: (one) => one.id, cell: (one) => <code>{one.id}</code> },
  { id: 'listed', title: 'Sees it', value: (one) => (one.listed ? 0 : 1), cell: (one) => (one.listed ? 'yes' : 'no') },
  { id: 'reason', title: 'Why not', value: (one) => one.reason },
  {
    id: 'served',
    title: 'Served by',
    value: (one) => one.served,
    cell: (one) => (one.served && one.served !== one.id ? one.served : '–'),
  },
];

export function PoliciesPage() {
  const act = useAct();
  const columns = useMemo(
    (): Column<Policy>[] => [
      { id: 'of', title: 'Of', value: (one) => `${one.kind} ${one.owner}` },
      {
        id: 'terms',
        title: 'Terms',
        cell: (one) => <CodeBlock code={JSON.stringify(one.terms, null, 2)} language="json" />,
      },
      {
        id: 'on',
        title: 'On',
        cell: (one) => (
          <Switch
            aria-label={`The policy of ${one.kind} ${one.owner}`}
            checked={one.enabled}
            onChange={(event) =>
              act.mutate({
                method: 'PUT',
                path: `policies/${one.kind}/${one.owner}`,
                body: { enabled: event.currentTarget.checked },
                said: 'The policy is changed',
              })
            }
          />
        ),
      },
      {
        id: 'act',
        title: 'Change',
        cell: (one) => (
          <Confirm
            verb="Remove"
            label={`Remove the policy of ${one.kind} ${one.owner}`}
            title="Remove this policy?"
            act={() =>
              act.mutate({ method: 'DELETE', path: `policies/${one.kind}/${one.owner}`, said: 'The policy is gone' })
            }
          >
            The {one.kind} {one.owner} is no longer narrowed by it. Switching it off keeps its terms for later.
          </Confirm>
        ),
      },
    ],
    [act.mutate],
  );
  return (
    <Page
      wide
      title="Policies"
      about="What narrows who: a workspace’s, a user’s and a key’s policy all count. `conflux policies set` writes them."
    >
      <Listing<Policy>
        path="policies"
        columns={columns}
        label="Policies"
        rowKey={(one) => `${one.kind}/${one.owner}`}
        empty="Nothing is narrowed"
        hint="Every key may run every enabled model of its storefront."
      />
      <Title order={2} size="h4" mt="xl" mb="xs">
        What would this key see, and why?
      </Title>
      <WhatItSees />
    </Page>
  );
}

function WhatItSees() {
  const keys = useQuery({
    queryKey: ['admin', 'keys', 'all'],
    queryFn: () => json<{ data: Key[] }>('admin/api/v1/keys?limit=100'),
  });
  const [key, setKey] = useState<string | null>(null);
  const [client, setClient] = useState<string | null>(null);
  const look = useMutation({
    mutationFn: () => json<Preview>('admin/api/v1/policies/preview', { body: { key, ...(client ? { client } : {}) } }),
  });
  const data =
    keys.data?.data
      .filter((one) => !one.revoked)
      .map((one) => ({ value: one.id, label: `${one.name} (${one.workspace}/${one.user})` })) ?? [];
  return (
    <>
      <Group mb="sm" align="flex-end">
        <Select label="Key" data={data} value={key} onChange={setKey} searchable placeholder="Choose a key" />
        <Select
          label="Client"
          data={['claude-code', 'codex']}
          value={client}
          onChange={setClient}
          clearable
          clearButtonProps={{ 'aria-label': 'Any client' }}
          placeholder="Any"
        />
        <Button disabled={!key} loading={look.isPending} onClick={() => look.mutate()}>
          Look
        </Button>
      </Group>
      {look.isError && <Failed error={look.error} />}
      {look.data?.problem && <Text c="red">{look.data.problem}</Text>}
      {look.data && (
        <>
          <Text size="sm" c="dimmed" mb={6} role="status">
            {look.data.models.filter((one) => one.listed).length} of {look.data.models.length} models
          </Text>
          <DataTable
            label="What the key sees"
            rows={look.data.models}
            columns={SEEN}
            rowKey={(one) => one.id}
            dim={(one) => !one.listed}
            empty={<Empty title="No models" />}
          />
        </>
      )}
    </>
  );
}
