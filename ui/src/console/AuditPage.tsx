import type { Column } from '~/parts/DataTable';
import { when } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Listing } from './Listing';

type Act = {
  id: number;
  at: number;
  actor: string;
  workspace: string | null;
  act: string;
  target: string;
  outcome: string;
  detail: Record<string, unknown>;
};

const COLUMNS: Column<Act>[] = [
  { id: 'at', title: 'When', value: (one) => one.at, cell: (one) => when(one.at) },
  { id: 'actor', title: 'Who', value: (one) => one.actor },
  { id: 'act', title: 'What', value: (one) => one.act, cell: (one) => <code>{one.act}</code> },
  { id: 'target', title: 'Of', value: (one) => one.target },
  { id: 'outcome', title: 'Outcome', value: (one) => one.outcome },
  {
    id: 'detail',
    title: 'More',
    cell: (one) =>
      Object.keys(one.detail).length > 0 ? <code className="anyword">{JSON.stringify(one.detail)}</code> : '–',
  },
];

export function AuditPage() {
  return (
    <Page wide title="Audit log" about="What admins did, or were refused. No line of it can be changed.">
      <Listing<Act>
        path="audit"
        columns={COLUMNS}
        label="Acts"
        rowKey={(one) => String(one.id)}
        empty="Nothing happened yet"
      />
    </Page>
  );
}
