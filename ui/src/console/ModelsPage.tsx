import { Badge, Button, Group, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { type AdminModel, call, pathOf } from '~/api/admin';
import { catalogueQuery } from '~/api/catalogue';
import { money, Status } from '~/catalogue/CataloguePage';
import type { Column } from '~/parts/DataTable';
import { known } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { useAct } from './act';
import { Confirm } from './Confirm';
import { EditModel } from './EditModel';
import { Listing } from './Listing';

export function ModelsPage({ storefront }: { storefront?: string | undefined }) {
  const [typed, setTyped] = useState('');
  const [sought] = useDebouncedValue(typed.trim(), 250);
  const [front, setFront] = useState<string | null>(storefront ?? null);
  const [status, setStatus] = useState<string | null>(null);
  const [edited, setEdited] = useState<AdminModel | null>(null);
  const catalogue = useQuery(catalogueQuery);
  const act = useAct();
  const columns = useMemo((): Column<AdminModel>[] => {
    const turn = (one: AdminModel, enabled: boolean) =>
      call('changeModel', { path: { storefront: one.storefront, model: one.id }, body: { enabled } });
    const turned = (one: AdminModel, enabled: boolean) =>
      act.mutate({
        run: () => turn(one, enabled),
        undo: () => turn(one, !enabled),
        said: `${one.id} is ${enabled ? 'enabled' : 'disabled'}`,
      });
    return [
      {
        id: 'id',
        title: 'Model',
        value: (one) => one.id,
        cell: (one) => (
          <>
            <code>{one.id}</code> {one.changed && <Badge size="xs">changed here</Badge>}
          </>
        ),
      },
      { id: 'storefront', title: 'Storefront', value: (one) => one.storefront },
      { id: 'status', title: 'Status', value: (one) => one.status, cell: (one) => <Status entry={one} /> },
      { id: 'role', title: 'Role', value: (one) => one.role },
      { id: 'tier', title: 'Tier', value: (one) => one.tier },
      {
        id: 'safe',
        title: 'Safe context',
        value: (one) => one.safe_context,
        cell: (one) => known(one.safe_context_text),
        right: true,
      },
      {
        id: 'in',
        title: 'In / 1M',
        value: (one) => Number(one.prices.input ?? 0),
        cell: (one) => money(one, 'input'),
        right: true,
      },
      {
        id: 'out',
        title: 'Out / 1M',
        value: (one) => Number(one.prices.output ?? 0),
        cell: (one) => money(one, 'output'),
        right: true,
      },
      {
        id: 'act',
        title: 'Change',
        cell: (one) => (
          <Group gap={6} wrap="nowrap">
            <Button
              size="compact-xs"
              variant="default"
              onClick={() => setEdited(one)}
              aria-label={`Edit ${one.storefront} ${one.id}`}
            >
              Edit
            </Button>
            {one.status === 'disabled' ? (
              <Button
                size="compact-xs"
                variant="light"
                onClick={() => turned(one, true)}
                aria-label={`Enable ${one.id}`}
              >
                Enable
              </Button>
            ) : (
              <Confirm
                verb="Disable"
                label={`Disable ${one.id}`}
                title={`Disable ${one.id}?`}
                act={() => turned(one, false)}
              >
                It leaves every list and selector at once; asking for it is answered as for an unknown model. You can
                enable it again.
              </Confirm>
            )}
          </Group>
        ),
      },
    ];
  }, [act.mutate]);
  return (
    <Page
      wide
      title="Models"
      about="What is offered, and at what price. A change counts at once, here and over the API."
      actions={
        <Group gap="xs">
          <Select
            aria-label="Storefront"
            placeholder="Any storefront"
            w={160}
            clearable
            clearButtonProps={{ 'aria-label': 'Any storefront' }}
            data={catalogue.data?.storefronts.map((one) => ({ value: one.id, label: one.name })) ?? []}
            value={front}
            onChange={setFront}
          />
          <Select
            aria-label="Status"
            placeholder="Any status"
            w={140}
            clearable
            clearButtonProps={{ 'aria-label': 'Any status' }}
            data={['enabled', 'disabled']}
            value={status}
            onChange={setStatus}
          />
          <TextInput
            aria-label="Search models"
            placeholder="Search"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </Group>
      }
    >
      <Listing<AdminModel>
        path={pathOf('listModels', { query: { q: sought, storefront: front, status: status as 'enabled' | null } })}
        columns={columns}
        label="Models"
        rowKey={(one) => `${one.storefront}/${one.id}`}
        dim={(one) => one.status === 'disabled'}
        empty="No model fits"
        csv
      />
      {edited && <EditModel model={edited} close={() => setEdited(null)} />}
    </Page>
  );
}
