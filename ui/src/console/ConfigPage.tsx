/** The configuration in force, as it was merged: to be read here, and changed where it is written. */
import { useQuery } from '@tanstack/react-query';
import { call } from '~/api/admin';
import { type Column, DataTable } from '~/parts/DataTable';
import { Page } from '~/parts/Page';
import { Section } from '~/parts/Section';
import { Blank, Failed, Loading } from '~/parts/states';
import tables from '~/parts/table.module.css';
import { type Setting, sectionsOf } from './settings';

const COLUMNS: Column<Setting>[] = [
  {
    id: 'name',
    title: 'Setting',
    value: (one) => one.name,
    cell: (one) => <code className={tables.nowrap}>{one.name}</code>,
  },
  {
    id: 'value',
    title: 'In force',
    value: (one) => one.value,
    cell: (one) => (one.value === '' ? 'not set' : <code className="anyword">{one.value}</code>),
  },
  {
    id: 'variable',
    title: 'Variable',
    cell: (one) => (one.variable ? <code>{one.variable}</code> : 'in the file alone'),
  },
];

export function ConfigPage() {
  const config = useQuery({ queryKey: ['admin', 'config'], queryFn: () => call('getConfig') });
  return (
    <Page
      title="Configuration"
      about="What the gateway runs with: flags before the environment before conflux.toml before what is usual. Secrets are not shown. Some of it counts only after a restart."
    >
      {config.isPending ? (
        <Loading label="Loading the configuration" />
      ) : config.isError ? (
        <Failed error={config.error} retry={() => void config.refetch()} />
      ) : (
        sectionsOf(config.data).map((section) => (
          <Section key={section.name} title={section.name === '' ? 'General' : section.name}>
            <DataTable
              label={section.name === '' ? 'General' : section.name}
              rows={section.settings}
              columns={COLUMNS}
              rowKey={(one) => one.name}
              empty={<Blank title="Nothing is set here" />}
            />
          </Section>
        ))
      )}
    </Page>
  );
}
