import { Alert, Button, Group, SegmentedControl, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { type Change, call, pathOf } from '~/api/admin';
import type { Column } from '~/parts/DataTable';
import { DataTable } from '~/parts/DataTable';
import { when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { State } from '~/parts/State';
import { Failed, Loading } from '~/parts/states';
import { useAct } from './act';
import { Confirm } from './Confirm';
import css from './console.module.css';
import { ImportRows } from './ImportRows';
import { Listing } from './Listing';

type Source = {
  provider: string;
  kind: string;
  outcome: string;
  detail: string;
  tried: number;
  good: number | null;
  models: number;
  missing: Record<string, unknown>;
};

const SOURCES: Column<Source>[] = [
  { id: 'provider', title: 'Provider', value: (one) => one.provider },
  { id: 'kind', title: 'What', value: (one) => one.kind },
  {
    id: 'outcome',
    title: 'Last time',
    value: (one) => one.outcome,
    cell: (one) => (
      <>
        <State color={one.outcome === 'good' ? 'teal' : 'yellow'}>{one.outcome}</State>
        {one.detail && (
          <Text size="xs" c="dimmed" className="anyword">
            {one.detail}
          </Text>
        )}
      </>
    ),
  },
  { id: 'tried', title: 'When', value: (one) => one.tried, cell: (one) => when(one.tried * 1000) },
  { id: 'models', title: 'Models', value: (one) => one.models, right: true },
  { id: 'missing', title: 'Missing', value: (one) => Object.keys(one.missing).length, right: true },
];

const shown = (values: Record<string, unknown>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} = ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('\n') || '–';

export function ChangesPage() {
  const [state, setState] = useState('open');
  const act = useAct();
  const columns = useMemo((): Column<Change>[] => {
    const decide = (one: Change, what: 'acceptChanges' | 'rejectChanges', said: string) => ({
      run: () => call(what, { body: { ids: [one.id] } }),
      said,
    });
    return [
      {
        id: 'of',
        title: 'Of',
        value: (one) => `${one.table} ${one.key.join('/')}`,
        cell: (one) => (
          <>
            <Text size="xs" c="dimmed">
              {one.table}
            </Text>
            <code className="anyword">{one.key.join('/')}</code>
          </>
        ),
      },
      { id: 'old', title: 'Is', cell: (one) => <code className={css.values}>{shown(one.old)}</code> },
      { id: 'new', title: 'Becomes', cell: (one) => <code className={css.values}>{shown(one.new)}</code> },
      {
        id: 'source',
        title: 'Says who',
        value: (one) => one.source,
        cell: (one) => (
          <>
            {one.source}
            <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
              {when((one.decided ?? one.seen) * 1000)}
              {one.decided_by && ` · ${one.decided_by}`}
            </Text>
          </>
        ),
      },
      {
        id: 'act',
        title: 'Change',
        cell: (one) =>
          one.state === 'open' ? (
            <Group gap={6} wrap="nowrap">
              <Button
                size="compact-xs"
                aria-label={`Accept change ${one.id}`}
                onClick={() =>
                  act.mutate({
                    ...decide(one, 'acceptChanges', 'It counts from now on'),
                    undo: () => call('rejectChanges', { body: { ids: [one.id] } }),
                  })
                }
              >
                Accept
              </Button>
              <Confirm
                verb="Reject"
                label={`Reject change ${one.id}`}
                title="Reject this proposal?"
                act={() => act.mutate(decide(one, 'rejectChanges', 'It is rejected'))}
              >
                The catalogue stays as it is, and this is not proposed again.
              </Confirm>
            </Group>
          ) : one.state === 'accepted' ? (
            <Confirm
              verb="Take back"
              label={`Take back change ${one.id}`}
              title="Take this change back?"
              act={() => act.mutate(decide(one, 'rejectChanges', 'It is taken back'))}
            >
              The catalogue is as before the change, from now on. Receipts keep the price they were written with.
            </Confirm>
          ) : (
            one.state
          ),
      },
    ];
  }, [act.mutate]);
  return (
    <Page
      wide
      title="Catalogue changes"
      about="What providers’ own lists say differently becomes a proposal. Nothing of the catalogue changes until somebody accepts it."
      actions={
        <>
          <ImportRows />
          <Button
            variant="default"
            loading={act.isPending}
            onClick={() =>
              act.mutate({ run: () => call('syncCatalogue', { body: {} }), said: 'The providers’ lists were read' })
            }
          >
            Read the lists now
          </Button>
        </>
      }
    >
      <SegmentedControl
        mb="sm"
        aria-label="Which changes"
        value={state}
        onChange={setState}
        data={[
          { value: 'open', label: 'Proposed' },
          { value: 'accepted', label: 'Accepted' },
          { value: 'rejected', label: 'Rejected' },
        ]}
      />
      <Listing<Change>
        key={state}
        path={pathOf('listChanges', { query: { state: state as 'open' } })}
        columns={columns}
        label="Changes"
        rowKey={(one) => String(one.id)}
        empty={state === 'open' ? 'Nothing is proposed' : `Nothing was ${state}`}
        hint={state === 'open' && 'Read the lists to compare the catalogue with what live providers say.'}
        csv
      />
      <Sources />
    </Page>
  );
}

function Sources() {
  const sources = useQuery({ queryKey: ['admin', 'sources'], queryFn: () => call('listSources') });
  return (
    <section style={{ marginTop: 36 }}>
      <Title order={2} size="h4" mb="xs">
        Lists that were read
      </Title>
      {sources.isPending ? (
        <Loading />
      ) : sources.isError ? (
        <Failed error={sources.error} retry={() => void sources.refetch()} />
      ) : (
        <>
          {sources.data.missing.map((one) => (
            <Alert key={String(one.target)} color="yellow" mb="xs" classNames={{ message: css.plain }} variant="light">
              <code>{String(one.target)}</code> is not listed by its provider any more; it is tried last.
            </Alert>
          ))}
          <DataTable
            label="Lists"
            rows={sources.data.sources as Source[]}
            columns={SOURCES}
            rowKey={(one) => one.provider + one.kind}
            empty={<Text c="dimmed">None yet: only live providers have lists.</Text>}
          />
        </>
      )}
    </section>
  );
}
