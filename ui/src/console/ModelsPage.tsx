import { Button, Group, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import type { Entry } from '~/api/catalogue';
import { money, Status } from '~/catalogue/CataloguePage';
import type { Column } from '~/parts/DataTable';
import { Page } from '~/parts/Page';
import { Confirm } from './Confirm';
import { Listing, useAct } from './Listing';

export function ModelsPage() {
  const [typed, setTyped] = useState('');
  const [sought] = useDebouncedValue(typed.trim(), 250);
  const act = useAct();
  const columns = useMemo((): Column<Entry>[] => {
    const turn = (entry: Entry, enabled: boolean) =>
      act.mutate({
        method: 'PATCH',
        path: `models/${entry.storefront}/${entry.id}`,
        body: { enabled },
        said: `${entry.id} is ${enabled ? 'enabled' : 'disabled'}`,
      });
    return [
      { id: 'id', title: 'Model', value: (entry) => entry.id, cell: (entry) => <code>{entry.id}</code> },
      { id: 'storefront', title: 'Storefront', value: (entry) => entry.storefront },
      { id: 'status', title: 'Status', value: (entry) => entry.status, cell: (entry) => <Status entry={entry} /> },
      { id: 'role', title: 'Role', value: (entry) => entry.role },
      {
        id: 'safe',
        title: 'Safe context',
        value: (entry) => entry.safe_context,
        cell: (entry) => entry.safe_context_text,
        right: true,
      },
      {
        id: 'in',
        title: 'In / 1M',
        value: (entry) => Number(entry.prices.input ?? 0),
        cell: (entry) => money(entry, 'input'),
        right: true,
      },
      {
        id: 'out',
        title: 'Out / 1M',
        value: (entry) => Number(entry.prices.output ?? 0),
        cell: (entry) => money(entry, 'output'),
        right: true,
      },
      {
        id: 'act',
        title: 'Change',
        cell: (entry) =>
          entry.status === 'disabled' ? (
            <Button
              size="compact-xs"
              variant="light"
              onClick={() => turn(entry, true)}
              aria-label={`Enable ${entry.id}`}
            >
              Enable
            </Button>
          ) : (
            <Confirm
              verb="Disable"
              label={`Disable ${entry.id}`}
              title={`Disable ${entry.id}?`}
              act={() => turn(entry, false)}
            >
              It leaves every list and selector at once; asking for it is answered as for an unknown model. You can
              enable it again.
            </Confirm>
          ),
      },
    ];
  }, [act.mutate]);
  return (
    <Page
      wide
      title="Models"
      about="What is offered. A change counts at once, here and over the API."
      actions={
        <Group>
          <TextInput
            aria-label="Search models"
            placeholder="Search"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </Group>
      }
    >
      <Listing<Entry>
        path={`models${sought ? `?q=${encodeURIComponent(sought)}` : ''}`}
        columns={columns}
        label="Models"
        rowKey={(entry) => `${entry.storefront}/${entry.id}`}
        dim={(entry) => entry.status === 'disabled'}
        empty="No model is called that"
      />
    </Page>
  );
}
