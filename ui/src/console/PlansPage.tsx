import { Badge, Group, Paper, Progress, Select, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import {
  type CreditBalance,
  call,
  type Grant,
  type Plan,
  pathOf,
  type Subscription,
  type WindowUse,
} from '~/api/admin';
import { useSession } from '~/api/session';
import type { Column } from '~/parts/DataTable';
import { compact, when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { type Colour, State } from '~/parts/State';
import { Blank, Failed, Loading } from '~/parts/states';
import { AMOUNT, Ask } from './Ask';
import { useAct } from './act';
import { Confirm } from './Confirm';
import css from './console.module.css';
import { Listing } from './Listing';
import { type Kind, Whose } from './Whose';

const STATES: Record<string, Colour> = { open: 'teal', spent: 'gray', expired: 'yellow', revoked: 'red' };
const BALANCES: Column<CreditBalance>[] = [
  { id: 'workspace', title: 'Workspace', value: (one) => one.workspace },
  { id: 'credits', title: 'Credits', value: (one) => Number(one.credits), cell: (one) => one.credits, right: true },
  { id: 'held', title: 'Held', value: (one) => Number(one.held), cell: (one) => one.held, right: true },
];

export function PlansPage() {
  const house = Boolean(useSession().house);
  return (
    <Page
      wide
      title="Plans & credits"
      about="Who pays with what: credits that a workspace was given, and plans whose windows roll, for agents that run all day."
    >
      <Plans house={house} />
      <Heading text="Subscriptions" action={house && <Subscribe />} />
      <Subscriptions house={house} />
      <Heading text="Credits" action={house && <GiveCredits />} />
      <Listing<CreditBalance>
        path={pathOf('listCredits')}
        columns={BALANCES}
        label="Balances"
        rowKey={(one) => one.workspace}
        empty="Nobody was given credits"
        hint="From its first grant on a workspace pays with credits, and stops when they are spent."
      />
      <Heading text="Grants" />
      <Grants house={house} />
    </Page>
  );
}

function Heading({ text, action }: { text: string; action?: React.ReactNode }) {
  return (
    <Group justify="space-between" mt={36} mb="xs" mih={36}>
      <Title order={2} size="h4">
        {text}
      </Title>
      {action}
    </Group>
  );
}

function Plans({ house }: { house: boolean }) {
  const plans = useQuery({ queryKey: ['admin', 'plans'], queryFn: () => call('listPlans', { query: { limit: 100 } }) });
  if (plans.isPending) return <Loading />;
  if (plans.isError) return <Failed error={plans.error} retry={() => void plans.refetch()} />;
  if (plans.data.data.length === 0)
    return (
      <Blank title="The catalogue has no plans">
        {house && (
          <>
            Write one as <code>[[plan]]</code> in the configuration.
          </>
        )}
      </Blank>
    );
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
      {plans.data.data.map((plan) => (
        <PlanCard key={plan.id} plan={plan} />
      ))}
    </SimpleGrid>
  );
}

const most = (count: number | null, of: string) => (count === null ? `any number of ${of}` : `${compact(count)} ${of}`);

function PlanCard({ plan }: { plan: Plan }) {
  return (
    <Paper withBorder p="md">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Text fw={650}>{plan.name}</Text>
          <code className={css.quiet}>{plan.id}</code>
        </div>
        {plan.default && <Badge>usual</Badge>}
      </Group>
      <Stack gap={2} mt="sm">
        {plan.windows.map((one) => (
          <Text key={one.window} size="sm">
            <b>{one.window}</b>: {most(one.requests, 'requests')}
            {one.tokens !== null && `, ${compact(one.tokens)} tokens`}
          </Text>
        ))}
      </Stack>
      <Text size="xs" c="dimmed" mt="sm">
        in {plan.storefront}
      </Text>
    </Paper>
  );
}

function Use({ one }: { one: WindowUse }) {
  const part = (used: number, limit: number | null) => (limit ? Math.min(100, (used / limit) * 100) : 0);
  const used = Math.max(part(one.requests, one.requests_limit), part(one.tokens, one.tokens_limit));
  return (
    <div style={{ minWidth: 220 }}>
      <Text size="xs" className="numbers">
        <b>{one.window}</b>: {compact(one.requests)}
        {one.requests_limit !== null && ` of ${compact(one.requests_limit)}`} requests, {compact(one.tokens)}
        {one.tokens_limit !== null && ` of ${compact(one.tokens_limit)}`} tokens
        {one.frees_at && <span className={css.quiet}> · more at {when(Date.parse(one.frees_at))}</span>}
      </Text>
      <Progress
        value={used}
        size="xs"
        mt={3}
        mb={5}
        color={used > 90 ? 'red' : 'teal'}
        aria-label={`${one.window} used`}
      />
    </div>
  );
}

function Subscriptions({ house }: { house: boolean }) {
  const act = useAct();
  const columns = useMemo(
    (): Column<Subscription>[] => [
      { id: 'of', title: 'Whose', value: (one) => `${one.kind} ${one.owner}` },
      {
        id: 'plan',
        title: 'Plan',
        value: (one) => one.plan,
        cell: (one) => (
          <>
            {one.plan} {!one.offered && <Badge color="yellow">no longer offered</Badge>}
          </>
        ),
      },
      {
        id: 'use',
        title: 'Used',
        cell: (one) => (one.windows.length > 0 ? one.windows.map((use) => <Use key={use.window} one={use} />) : '–'),
      },
      {
        id: 'since',
        title: 'Since',
        value: (one) => one.since,
        cell: (one) => (one.since ? when(Date.parse(one.since)) : '–'),
      },
      ...(house
        ? [
            {
              id: 'act',
              title: 'Change',
              cell: (one: Subscription) => {
                const path = { kind: one.kind as Kind, owner: one.owner };
                return (
                  <Confirm
                    verb="End"
                    label={`End the subscription of ${one.owner}`}
                    title={`End ${one.plan} for ${one.owner}?`}
                    act={() =>
                      act.mutate({
                        run: () => call('unsubscribe', { path }),
                        undo: () => call('subscribe', { path, body: { plan: one.plan } }),
                        said: `${one.owner} is on no plan`,
                      })
                    }
                  >
                    From now on {one.owner} pays as everybody does.
                  </Confirm>
                );
              },
            },
          ]
        : []),
    ],
    [act.mutate, house],
  );
  return (
    <Listing<Subscription>
      path={pathOf('listSubscriptions')}
      columns={columns}
      label="Subscriptions"
      rowKey={(one) => `${one.kind}/${one.owner}`}
      empty="Nobody is on a plan"
      hint="Keys for agents get the usual plan of their storefront when they are made."
    />
  );
}

function Subscribe() {
  const plans = useQuery({ queryKey: ['admin', 'plans'], queryFn: () => call('listPlans', { query: { limit: 100 } }) });
  return (
    <Ask
      verb="Put on a plan"
      title="Put on a plan"
      send={(filled) =>
        call('subscribe', {
          path: { kind: filled.text('kind') as Kind, owner: filled.text('owner') },
          body: { plan: filled.text('plan') },
        })
      }
      said={(filled) => `${filled.text('owner')} is on ${filled.text('plan')}`}
      submit="Subscribe"
    >
      <Whose />
      <Select
        label="Plan"
        name="plan"
        required
        data={plans.data?.data.map((one) => ({ value: one.id, label: `${one.name} (${one.storefront})` })) ?? []}
      />
    </Ask>
  );
}

function GiveCredits() {
  const workspaces = useQuery({
    queryKey: ['admin', 'workspaces', 'all'],
    queryFn: () => call('listWorkspaces', { query: { limit: 500 } }),
  });
  return (
    <Ask
      verb="Give credits"
      title="Give credits"
      send={(filled) =>
        call('grantCredits', {
          body: {
            workspace: filled.text('workspace'),
            credits: filled.text('credits'),
            note: filled.text('note'),
            ...(filled.has('expires') ? { expires: filled.text('expires') } : {}),
          },
        })
      }
      said={(filled) => `${filled.text('workspace')} has ${filled.text('credits')} credits more`}
      submit="Give"
    >
      <Select
        label="Workspace"
        name="workspace"
        required
        searchable
        data={workspaces.data?.data.map((one) => one.name) ?? []}
      />
      <TextInput label="Credits" name="credits" required {...AMOUNT} />
      <TextInput label="Expire" name="expires" description="A day, or a span such as 30d; empty: never" />
      <TextInput label="Note" name="note" maxLength={200} />
    </Ask>
  );
}

function Grants({ house }: { house: boolean }) {
  const act = useAct();
  const columns = useMemo(
    (): Column<Grant>[] => [
      { id: 'workspace', title: 'Workspace', value: (one) => one.workspace },
      { id: 'credits', title: 'Given', value: (one) => Number(one.credits), cell: (one) => one.credits, right: true },
      { id: 'left', title: 'Left', value: (one) => Number(one.left), cell: (one) => one.left, right: true },
      {
        id: 'status',
        title: 'State',
        value: (one) => one.status,
        cell: (one) => <State color={STATES[one.status] ?? 'gray'}>{one.status}</State>,
      },
      {
        id: 'created',
        title: 'When',
        value: (one) => one.created,
        cell: (one) => (one.created ? when(Date.parse(one.created)) : '–'),
      },
      {
        id: 'expires',
        title: 'Expires',
        value: (one) => one.expires,
        cell: (one) => (one.expires ? when(Date.parse(one.expires)) : 'never'),
      },
      {
        id: 'note',
        title: 'Note',
        value: (one) => one.note,
        cell: (one) => <span className="anyword">{one.note || '–'}</span>,
      },
      ...(house
        ? [
            {
              id: 'act',
              title: 'Change',
              cell: (one: Grant) =>
                one.status === 'open' ? (
                  <Confirm
                    verb="Revoke"
                    label={`Revoke ${one.id}`}
                    title={`Revoke what is left of ${one.credits} credits?`}
                    act={() =>
                      act.mutate({
                        run: () => call('revokeGrant', { path: { grant: one.id } }),
                        said: 'The grant is revoked',
                      })
                    }
                  >
                    {one.workspace} loses {one.left} credits. What was spent stays spent. This cannot be undone; you can
                    give credits again.
                  </Confirm>
                ) : (
                  '–'
                ),
            },
          ]
        : []),
    ],
    [act.mutate, house],
  );
  return (
    <Listing<Grant>
      path={pathOf('listGrants')}
      columns={columns}
      label="Grants"
      rowKey={(one) => one.id}
      dim={(one) => one.status !== 'open'}
      empty="No grants yet"
      csv
    />
  );
}
