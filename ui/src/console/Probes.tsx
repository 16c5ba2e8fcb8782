/** What a model's targets were found to be able to do, beside what the catalogue says of them. */
import { Alert, Group, Text } from '@mantine/core';
import { type AdminModel, call, type Probe, pathOf } from '~/api/admin';
import type { Column } from '~/parts/DataTable';
import { usd } from '~/parts/figures';
import { State } from '~/parts/State';
import css from './console.module.css';
import { Begin, JobState, useJob } from './job';
import { Listing, useListed } from './Listing';

/** How long ago, as people say it. */
export function ago(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds < 90) return 'just now';
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
}

const COLUMNS: Column<Probe>[] = [
  {
    id: 'target',
    title: 'Target',
    value: (one) => `${one.target} ${one.capability}`,
    cell: (one) => (
      <>
        <b>{one.capability.replaceAll('_', ' ')}</b>
        <br />
        <code className="anyword">{one.target}</code>
      </>
    ),
  },
  {
    id: 'holds',
    title: 'Found',
    value: (one) => one.holds,
    cell: (one) => (
      <State color={one.holds === 'yes' ? 'teal' : one.holds === 'no' ? 'red' : 'gray'}>
        {one.holds === 'unknown' ? 'not clear' : one.holds}
      </State>
    ),
  },
  {
    id: 'stated',
    title: 'Catalogue says',
    value: (one) => one.stated,
    cell: (one) => (one.questioned ? <State color="yellow">{one.stated}</State> : one.stated),
  },
  {
    id: 'evidence',
    title: 'It stands on',
    cell: (one) => (
      <Text size="xs" c="dimmed" className="anyword" maw={260}>
        {one.evidence.join('; ') || '–'}
      </Text>
    ),
  },
  {
    id: 'age',
    title: 'When',
    value: (one) => one.age_seconds,
    cell: (one) => (
      <span className={css.quiet}>
        {ago(one.age_seconds)}
        {Number(one.cost_usd) > 0 && ` · ${usd(one.cost_usd)}`}
      </span>
    ),
    right: true,
  },
];

export function Probes({ model }: { model: AdminModel }) {
  const job = useJob('probe', model.id);
  const path = pathOf('listProbes', { query: { model: model.id } });
  const { rows } = useListed<Probe>(path);
  return (
    <>
      <Group justify="space-between" align="flex-start" mb="sm" wrap="nowrap">
        <Text size="sm" c="dimmed">
          Each live target is asked small questions that show what it can do. They cost a little, and change nothing by
          themselves: where a finding differs, you decide.
        </Text>
        <Begin job={job} start={() => call('probeModel', { body: { model: model.id, storefront: model.storefront } })}>
          Ask its targets
        </Begin>
      </Group>
      <JobState job={job} doing="Asking the targets" />
      {rows.some((one) => one.questioned) && (
        <Alert color="yellow" variant="light" mb="sm" classNames={{ message: css.plain }}>
          Something was found that the catalogue says otherwise: see the marked lines.
        </Alert>
      )}
      <Listing<Probe>
        path={path}
        columns={COLUMNS}
        label="Probes"
        rowKey={(one) => `${one.target} ${one.capability}`}
        empty="Its targets were not asked yet"
        hint="What the catalogue says of the model counts."
        csv
      />
    </>
  );
}
