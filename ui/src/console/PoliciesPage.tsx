import { Group, Switch, Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import { call, type Policy, pathOf } from '~/api/admin';
import type { Column } from '~/parts/DataTable';
import { when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Ask } from './Ask';
import { useAct } from './act';
import { Confirm } from './Confirm';
import css from './console.module.css';
import { Listing } from './Listing';
import { Preview } from './Preview';
import { linesOf, type Terms, TermsFields, termsOf } from './terms';
import { type Kind, WHOSE, Whose } from './Whose';

const put = (kind: string, owner: string, terms: Terms, enabled?: boolean) =>
  call('changePolicy', {
    path: { kind: kind as Kind, owner },
    body: { terms: { ...terms }, ...(enabled === undefined ? {} : { enabled }) },
  });

export function PoliciesPage() {
  const act = useAct();
  const columns = useMemo(
    (): Column<Policy>[] => [
      WHOSE,
      {
        id: 'terms',
        title: 'Terms',
        cell: (one) =>
          linesOf(one.terms as Terms).map(([name, said]) => (
            <Text key={name} size="sm" className="anyword">
              <span className={css.quiet}>{name}</span> {said}
            </Text>
          )),
      },
      { id: 'changed', title: 'Changed', value: (one) => one.changed, cell: (one) => when(one.changed * 1000) },
      {
        id: 'on',
        title: 'On',
        cell: (one) => {
          const turn = (enabled: boolean) =>
            call('changePolicy', { path: { kind: one.kind as Kind, owner: one.owner }, body: { enabled } });
          return (
            <Switch
              aria-label={`The policy of ${one.kind} ${one.owner}`}
              checked={one.enabled}
              onChange={(event) => {
                const enabled = event.currentTarget.checked;
                act.mutate({
                  run: () => turn(enabled),
                  undo: () => turn(!enabled),
                  said: `The policy is switched ${enabled ? 'on' : 'off'}`,
                });
              }}
            />
          );
        },
      },
      {
        id: 'act',
        title: 'Change',
        cell: (one) => (
          <Group gap={6} wrap="nowrap">
            <Ask
              small
              verb="Edit"
              size="lg"
              label={`Edit the policy of ${one.kind} ${one.owner}`}
              title={`The policy of ${one.kind} ${one.owner}`}
              send={(filled) => put(one.kind, one.owner, termsOf(filled))}
              said={() => 'The policy is changed; it counts at once'}
              submit="Save"
            >
              <TermsFields terms={one.terms as Terms} />
            </Ask>
            <Confirm
              verb="Remove"
              label={`Remove the policy of ${one.kind} ${one.owner}`}
              title="Remove this policy?"
              act={() =>
                act.mutate({
                  run: () => call('deletePolicy', { path: { kind: one.kind as Kind, owner: one.owner } }),
                  undo: () => put(one.kind, one.owner, one.terms as Terms, one.enabled),
                  said: 'The policy is removed',
                })
              }
            >
              The {one.kind} {one.owner} is no longer narrowed by it. Switching it off keeps its terms for later.
            </Confirm>
          </Group>
        ),
      },
    ],
    [act.mutate],
  );
  return (
    <Page
      wide
      title="Policies"
      about="What narrows who: a workspace’s, a user’s and a key’s policy all count, and none can widen another. What is not listed cannot be run."
      actions={
        <Ask
          verb="Make a policy"
          title="Make a policy"
          size="lg"
          send={async (filled) => {
            const terms = termsOf(filled);
            if (Object.values(terms).every((one) => one === null))
              throw new Error('Say at least one thing that narrows');
            await put(filled.text('kind'), filled.text('owner'), terms);
          }}
          said={(filled) => `${filled.text('owner')} is narrowed from now on`}
          submit="Make"
        >
          <Whose />
          <TermsFields terms={{}} />
        </Ask>
      }
    >
      <Listing<Policy>
        path={pathOf('listPolicies')}
        columns={columns}
        label="Policies"
        rowKey={(one) => `${one.kind}/${one.owner}`}
        dim={(one) => !one.enabled}
        empty="Nothing is narrowed"
        hint="Every key may run every enabled model of its storefront."
      />
      <Title order={2} size="h4" mt={40} mb={4}>
        What would this key see, and why?
      </Title>
      <Text size="sm" c="dimmed" mb="sm" maw={640}>
        Decided by the code that decides the list and the run, so it is what <code>GET /v1/models</code> answers that
        key.
      </Text>
      <Preview />
    </Page>
  );
}
