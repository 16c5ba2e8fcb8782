import { Group, Progress, Select, Text, TextInput } from '@mantine/core';
import { useMemo } from 'react';
import { type Budget, call, pathOf } from '~/api/admin';
import { useSession } from '~/api/session';
import type { Column } from '~/parts/DataTable';
import { usd, when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { AMOUNT, Ask } from './Ask';
import { useAct } from './act';
import { Confirm } from './Confirm';
import { Listing } from './Listing';
import { type Kind, WHOSE, Whose } from './Whose';

type Window = 'total' | 'day' | 'week' | 'month';
const WINDOWS: { value: Window; label: string }[] = [
  { value: 'total', label: 'in all' },
  { value: 'day', label: 'a day' },
  { value: 'week', label: 'a week' },
  { value: 'month', label: 'a month' },
];

const set = (kind: string, owner: string, window: string, cap: string | null) =>
  call('setBudget', { path: { kind: kind as Kind, owner }, body: { usd: cap, window: window as Window } });

export function Spent({ budget }: { budget: Pick<Budget, 'cap_usd' | 'spent_usd' | 'held_usd' | 'left_usd'> }) {
  const cap = Number(budget.cap_usd);
  const part = (text: string) => (cap > 0 ? Math.min(100, (Number(text) / cap) * 100) : 100);
  const used = Math.min(100, part(budget.spent_usd) + part(budget.held_usd));
  return (
    <div style={{ minWidth: 'min(170px, 36vw)' }}>
      <Group justify="space-between" gap="0 10px">
        <Text size="xs" className="numbers">
          {usd(budget.spent_usd)} spent{Number(budget.held_usd) > 0 && `, ${usd(budget.held_usd)} held`}
        </Text>
        <Text size="xs" c="dimmed" className="numbers" style={{ whiteSpace: 'nowrap' }}>
          {usd(budget.left_usd)} left
        </Text>
      </Group>
      <Progress.Root size="sm" mt={4}>
        <Progress.Section
          value={part(budget.spent_usd)}
          color={used > 90 ? 'red' : used > 70 ? 'yellow' : 'teal'}
          aria-label={`${part(budget.spent_usd).toFixed(0)} % spent`}
        />
        {Number(budget.held_usd) > 0 && (
          <Progress.Section value={part(budget.held_usd)} color="gray" aria-label="held for requests under way" />
        )}
      </Progress.Root>
    </div>
  );
}

export function BudgetsPage() {
  const { house } = useSession();
  const act = useAct();
  const columns = useMemo(
    (): Column<Budget>[] => [
      WHOSE,
      {
        id: 'cap',
        title: 'Cap',
        value: (one) => Number(one.cap_usd),
        cell: (one) => `${usd(one.cap_usd)} ${WINDOWS.find(({ value }) => value === one.window)?.label ?? one.window}`,
      },
      { id: 'spent', title: 'Spent', value: (one) => Number(one.spent_usd), cell: (one) => <Spent budget={one} /> },
      {
        id: 'resets',
        title: 'Begins anew',
        value: (one) => one.resets_at,
        cell: (one) => (one.resets_at ? when(Date.parse(one.resets_at)) : 'never'),
      },
      {
        id: 'act',
        title: 'Change',
        cell: (one) =>
          !house && (one.kind === 'workspace' || one.kind === 'storefront') ? (
            '–'
          ) : (
            <Group gap={6} wrap="nowrap">
              <Ask
                small
                verb="Change"
                label={`Change the budget of ${one.kind} ${one.owner}, ${one.window}`}
                title={`The budget of ${one.owner}, ${one.window}`}
                send={(filled) => set(one.kind, one.owner, one.window, filled.text('usd'))}
                said={() => 'The budget is changed'}
                submit="Set"
              >
                <TextInput
                  label="Cap in USD"
                  name="usd"
                  {...AMOUNT}
                  required
                  defaultValue={one.cap_usd}
                  data-autofocus
                />
              </Ask>
              <Confirm
                verb="Take away"
                label={`Take away the budget of ${one.kind} ${one.owner}, ${one.window}`}
                title="Take this budget away?"
                act={() =>
                  act.mutate({
                    run: () => set(one.kind, one.owner, one.window, null),
                    undo: () => set(one.kind, one.owner, one.window, one.cap_usd),
                    said: `The budget of ${one.owner} is gone`,
                  })
                }
              >
                {one.kind} {one.owner} may then spend as much as the budgets above it allow.
              </Confirm>
            </Group>
          ),
      },
    ],
    [act.mutate, house],
  );
  return (
    <Page
      wide
      title="Budgets"
      about="What may be spent: a workspace’s, a user’s and a key’s budget all count, and the one with the least left decides. Who reaches it is answered with 402 until it begins anew."
      actions={
        <Ask
          verb="Set a budget"
          title="Set a budget"
          send={(filled) => set(filled.text('kind'), filled.text('owner'), filled.text('window'), filled.text('usd'))}
          said={(filled) => `${filled.text('owner')} has a budget of ${usd(filled.text('usd'))}`}
          submit="Set"
        >
          <Whose storefronts />
          <TextInput label="Cap in USD" name="usd" {...AMOUNT} required />
          <Select label="It counts" name="window" data={WINDOWS} defaultValue="month" allowDeselect={false} />
        </Ask>
      }
    >
      <Listing<Budget>
        path={pathOf('listBudgets')}
        columns={columns}
        label="Budgets"
        rowKey={(one) => `${one.kind}/${one.owner}/${one.window}`}
        empty="Nothing is capped"
        hint="Everybody may spend without an end. A budget for the default workspace is a good start."
        csv
        every={10_000}
      />
    </Page>
  );
}
