/** What keeps the gateway in order over time: backups, what is kept and for how long, and the long work that was done. */
import { Text } from '@mantine/core';
import { type Backup, call, type Job, type Kept, pathOf } from '~/api/admin';
import type { Column } from '~/parts/DataTable';
import { size, when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Section } from '~/parts/Section';
import { type Colour, State } from '~/parts/State';
import { Confirm } from './Confirm';
import { Begin, JobState, useJob } from './job';
import { Listing } from './Listing';

const BACKUPS: Column<Backup>[] = [
  { id: 'name', title: 'File', value: (one) => one.name, cell: (one) => <code className="anyword">{one.name}</code> },
  { id: 'created', title: 'Made', value: (one) => one.created, cell: (one) => when(one.created * 1000) },
  { id: 'bytes', title: 'Size', value: (one) => one.bytes, cell: (one) => size(one.bytes), right: true },
];

const KINDS: Record<string, string> = {
  answers: 'Answers kept for a repeated request',
  comments: 'Comments of feedback',
  receipts: 'Receipts',
  responses: 'Responses that clients asked to store',
};
const TIMES: Record<string, string> = { ever: 'for ever', 'as each was told': 'as long as each request asked for' };

const KEPT: Column<Kept>[] = [
  { id: 'kind', title: 'What', value: (one) => one.kind, cell: (one) => KINDS[one.kind] ?? one.kind },
  { id: 'for', title: 'Kept', cell: (one) => TIMES[one.for] ?? `for ${one.for}` },
  {
    id: 'over',
    title: 'To be removed',
    value: (one) => one.over,
    cell: (one) => (one.over === 0 ? 'nothing' : one.over.toLocaleString('en')),
    right: true,
  },
];

const WORK: Record<string, string> = {
  'ledger.verify': 'Check of the ledger',
  'ledger.reconcile': 'Comparison of an invoice',
  backup: 'Backup',
  probe: 'Probe of a model',
  sweep: 'Removal of what is over',
};
const STATES: Record<string, [Colour, string]> = {
  running: ['yellow', 'running'],
  done: ['teal', 'done'],
  failed: ['red', 'failed'],
};

/** Seconds, as people say them. */
const took = (one: Job): string => {
  const seconds = ((one.ended ?? Date.now()) - one.started) / 1000;
  return seconds < 1 ? 'under 1 s' : seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
};

const JOBS: Column<Job>[] = [
  {
    id: 'kind',
    title: 'What',
    value: (one) => WORK[one.kind] ?? one.kind,
    cell: (one) => (
      <>
        {WORK[one.kind] ?? one.kind}
        {one.about && (
          <Text size="xs" c="dimmed" className="anyword">
            {one.about}
          </Text>
        )}
      </>
    ),
  },
  {
    id: 'state',
    title: 'State',
    value: (one) => one.state,
    cell: (one) => {
      const [color, word] = STATES[one.state] ?? ['gray', one.state];
      return (
        <>
          <State color={color}>
            {word}
            {one.state === 'running' && one.total ? ` ${Math.round(((one.done ?? 0) / one.total) * 100)} %` : ''}
          </State>
          {one.problem && (
            <Text size="xs" c="dimmed" className="anyword" maw={420}>
              {one.problem}
            </Text>
          )}
        </>
      );
    },
  },
  { id: 'started', title: 'Begun', value: (one) => one.started, cell: (one) => when(one.started) },
  { id: 'by', title: 'By', value: (one) => one.by },
  { id: 'took', title: 'Took', cell: took, right: true },
];

export function UpkeepPage() {
  const backup = useJob('backup');
  const sweep = useJob('sweep');
  return (
    <Page title="Upkeep" about="Backups, how long things are kept, and the long work that was done here.">
      <Section
        title="Backups"
        about="One file with the database and the secrets, checked after it is written. It stays on the server, in the folder backups of the data directory: whoever has it has every secret."
        actions={
          <Begin job={backup} start={() => call('makeBackup')}>
            Back up now
          </Begin>
        }
      >
        <JobState job={backup} doing="Making a backup" />
        <Listing<Backup>
          path={pathOf('listBackups')}
          columns={BACKUPS}
          label="Backups"
          rowKey={(one) => one.name}
          empty="There is no backup yet"
          hint="Make one before an upgrade, and keep a copy on another machine."
        />
      </Section>
      <Section
        title="What is kept, and for how long"
        about="The gateway removes by itself what is over. Change the times in the configuration, under [retention]."
        actions={
          <Confirm
            verb="Remove it now"
            label="Remove it now"
            title="Remove what is over now?"
            size="sm"
            act={() => sweep.begin.mutate(() => call('sweepRetention'))}
          >
            What the list below calls to be removed is erased, receipts and comments too, and cannot be brought back.
            Sums of usage stay.
          </Confirm>
        }
      >
        <JobState job={sweep} doing="Removing what is over" />
        <Listing<Kept>
          path={pathOf('listRetention')}
          columns={KEPT}
          label="What is kept"
          rowKey={(one) => one.kind}
          empty="Nothing is removed"
        />
      </Section>
      <Section title="Long work" about="What runs now, and how the last ones ended.">
        <Listing<Job>
          path={pathOf('listJobs')}
          columns={JOBS}
          label="Long work"
          rowKey={(one) => one.id}
          empty="None was begun yet"
          hint="A check of the ledger, a backup or a probe shows here."
          every={3_000}
        />
      </Section>
    </Page>
  );
}
