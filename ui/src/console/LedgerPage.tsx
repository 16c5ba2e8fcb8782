import { Alert, Paper, Table, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { call, type Job, type LedgerHealth } from '~/api/admin';
import { when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Section } from '~/parts/Section';
import { State } from '~/parts/State';
import { Failed, Loading } from '~/parts/states';
import { useAct } from './act';
import { Confirm } from './Confirm';
import css from './console.module.css';
import { Invoice } from './Invoice';
import { Begin, JobState, useJob } from './job';

export function LedgerPage() {
  const health = useQuery({
    queryKey: ['admin', 'ledger'],
    queryFn: () => call('getLedger'),
    refetchInterval: 10_000,
  });
  return (
    <Page
      title="Ledger"
      about="Every request is held before it is sent and settled once, in entries that cancel out. What is written is never changed."
    >
      {health.isPending ? (
        <Loading />
      ) : health.isError ? (
        <Failed error={health.error} retry={() => void health.refetch()} />
      ) : (
        <Shown health={health.data} />
      )}
    </Page>
  );
}

function Shown({ health }: { health: LedgerHealth }) {
  const act = useAct();
  const { trouble, open, oldest_open_seconds: oldest } = health;
  return (
    <>
      <Paper withBorder p="lg" mb={40}>
        <div className={css.headline}>
          {trouble ? (
            <IconAlertTriangle size={30} color="var(--mantine-color-red-6)" />
          ) : (
            <IconCircleCheck size={30} color="var(--mantine-color-teal-6)" />
          )}
          <div>
            <Text fw={650} size="lg">
              {trouble ? 'The ledger is in trouble' : 'The ledger takes what is written'}
            </Text>
            <Text c="dimmed" size="sm" className="anyword">
              {trouble ?? 'Requests are admitted, and their receipts are there when the answer is.'}
              {open > 0 && ` ${open} under way${oldest === null ? '' : `, the oldest for ${oldest} s`}.`}
            </Text>
          </div>
        </div>
      </Paper>
      <Check />
      <Invoice />
      <Section
        title="Sums"
        about="What Usage shows is summed as receipts are written. Should a check find a sum wrong, make them anew from the receipts, which stay as they are."
        actions={
          <Confirm
            verb="Make the sums anew"
            label="Make the sums anew"
            title="Make the sums anew?"
            size="sm"
            act={() => act.mutate({ run: () => call('rebuildLedger'), said: 'The sums are made anew' })}
          >
            It reads every receipt, which takes a while on a large ledger. Nothing but the sums changes.
          </Confirm>
        }
      />
    </>
  );
}

function Check() {
  const job = useJob('ledger.verify');
  const { last } = job;
  return (
    <Section
      title="Check"
      about="Holds every receipt against every entry and every sum. Nothing is changed."
      actions={
        <Begin job={job} start={() => call('verifyLedger')}>
          Check every receipt
        </Begin>
      }
    >
      <JobState job={job} doing="Checking every receipt" />
      {last?.state === 'done' && last.result && <Checked job={last} />}
    </Section>
  );
}

function Checked({ job }: { job: Job }) {
  const rows = Object.entries(job.result ?? {}).flatMap(([name, count]): [string, number][] =>
    typeof count === 'number' ? [[name, count]] : [],
  );
  const looked = rows.filter(([name]) => name.startsWith('checked_'));
  const checks = rows.filter(([name]) => !name.startsWith('checked_'));
  const faults = checks.filter(([, count]) => count !== 0);
  const said = (count: number) => count.toLocaleString('en');
  return (
    <>
      <Alert
        color={faults.length > 0 ? 'red' : 'teal'}
        variant="light"
        mb="sm"
        role="status"
        classNames={{ message: css.plain, label: css.plain }}
        title={faults.length > 0 ? 'Something does not add up' : 'Everything adds up'}
      >
        {faults.length > 0
          ? 'Keep a backup, and see docs/ledger.md for what each line means.'
          : 'No entry is missing, none is there twice, and every sum is right.'}{' '}
        Checked {when(job.ended ?? job.started)} by {job.by}:{' '}
        {looked
          .map(([name, count]) => `${said(count)} ${name.replace('checked_', '').replaceAll('_', ' ')}`)
          .join(', ')}
        .
      </Alert>
      <details open={faults.length > 0}>
        <summary className={css.more}>What was checked</summary>
        <Table aria-label="What was checked" className={css.checks}>
          <Table.Tbody>
            {checks.map(([name, count]) => (
              <Table.Tr key={name}>
                <Table.Td>
                  {WORDS[name] ?? name.replaceAll('_', ' ')} <code className={css.quiet}>{name}</code>
                </Table.Td>
                <Table.Td ta="right" className="numbers">
                  <State color={count === 0 ? 'teal' : 'red'}>{count === 0 ? 'none' : said(count)}</State>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </details>
    </>
  );
}

const WORDS: Record<string, string> = {
  damaged: 'pages or indexes of the database are damaged',
  dangling: 'rows that refer to rows that are not there',
  unbalanced: 'entries of a transaction that do not add up to zero',
  misbooked: 'entries that are not those of their receipt',
  unaccounted: 'entries that belong to no request',
  open_and_ended: 'requests that are open and ended at once',
  charged_unstarted: 'charged, and nothing was delivered',
  charged_over_hold: 'charged more than was held',
  misstated: 'receipts whose lines do not add up to their cost',
  unreceipted: 'attempts without a receipt, or a receipt without its attempts',
  budgets_drifted: 'budget windows that are not what entries and holds say',
  budgets_overrun: 'budget windows above their cap, that no admin lowered',
  credits_drifted: 'grants whose rest is not what their entries say',
  claims_stray: 'rows of what requests took of credits and plans, without such a request',
  usage_drifted: 'sums of usage that are not what the receipts say',
  nano_usd_drift: 'by how much the windows are wrong, added up',
};
