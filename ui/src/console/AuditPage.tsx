import { NativeSelect, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { type AuditRow, pathOf } from '~/api/admin';
import type { Column } from '~/parts/DataTable';
import { exactly } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { State } from '~/parts/State';
import tables from '~/parts/table.module.css';
import css from './console.module.css';
import { Listing } from './Listing';

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const COLUMNS: Column<AuditRow>[] = [
  {
    id: 'at',
    title: 'When',
    value: (one) => one.at,
    cell: (one) => <span className={tables.nowrap}>{exactly(one.at)}</span>,
  },
  { id: 'actor', title: 'Who', value: (one) => one.actor },
  { id: 'act', title: 'What', value: (one) => one.act, cell: (one) => <code>{one.act}</code> },
  { id: 'target', title: 'Of', value: (one) => one.target, cell: (one) => one.target || '–' },
  {
    id: 'outcome',
    title: 'Outcome',
    value: (one) => one.outcome,
    cell: (one) => <State color={one.outcome === 'done' ? 'teal' : 'red'}>{one.outcome}</State>,
  },
  {
    id: 'detail',
    title: 'More',
    cell: (one) => {
      const said = Object.entries(one.detail);
      return said.length === 0
        ? '–'
        : said.map(([name, value]) => (
            <Text key={name} size="xs" className="anyword">
              <span className={css.quiet}>{name.replaceAll('_', ' ')}</span> {plain(value)}
            </Text>
          ));
    },
  },
];

export function AuditPage() {
  const [act, setAct] = useState('');
  const [who, setWho] = useState('');
  const [outcome, setOutcome] = useState('');
  const [asked] = useDebouncedValue({ act: act.trim(), who: who.trim(), outcome: outcome as 'done' }, 250);
  return (
    <Page wide title="Audit log" about="What admins did, or were refused. No line of it can be changed.">
      <div className={css.filters}>
        <TextInput
          size="xs"
          label="What"
          placeholder="keys.create"
          value={act}
          onChange={(event) => setAct(event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          label="Who"
          placeholder="acme/ann"
          value={who}
          onChange={(event) => setWho(event.currentTarget.value)}
        />
        <NativeSelect
          size="xs"
          label="Outcome"
          value={outcome}
          onChange={(event) => setOutcome(event.currentTarget.value)}
          data={[{ value: '', label: 'any' }, 'done', 'refused', 'failed']}
        />
      </div>
      <Listing<AuditRow>
        path={pathOf('listAudit', { query: asked })}
        columns={COLUMNS}
        label="Acts"
        rowKey={(one) => String(one.id)}
        empty="Nothing fits"
        csv
      />
    </Page>
  );
}
