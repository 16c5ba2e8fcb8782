import { NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { type AuditRow, pathOf } from '~/api/admin';
import type { Column } from '~/parts/DataTable';
import { when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { State } from '~/parts/State';
import css from './console.module.css';
import { Listing } from './Listing';

const COLUMNS: Column<AuditRow>[] = [
  { id: 'at', title: 'When', value: (one) => one.at, cell: (one) => when(one.at) },
  { id: 'actor', title: 'Who', value: (one) => one.actor },
  { id: 'act', title: 'What', value: (one) => one.act, cell: (one) => <code>{one.act}</code> },
  { id: 'target', title: 'Of', value: (one) => one.target },
  {
    id: 'outcome',
    title: 'Outcome',
    value: (one) => one.outcome,
    cell: (one) => <State color={one.outcome === 'done' ? 'teal' : 'red'}>{one.outcome}</State>,
  },
  {
    id: 'detail',
    title: 'More',
    cell: (one) =>
      Object.keys(one.detail).length > 0 ? <code className="anyword">{JSON.stringify(one.detail)}</code> : '–',
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
