import { Badge, Group, Text } from '@mantine/core';
import type { Column } from '~/parts/DataTable';
import { millis, usd } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { Listing } from './Listing';

type Target = {
  key: string;
  weight: number;
  live: boolean;
  selected: number;
  provider_cost_usd: string;
  health: {
    in_flight: number;
    failures: number;
    ejected: boolean;
    first_token_ms: number | null;
    missing: string | null;
  };
};
type Pool = { id: string; models: string[]; live: boolean; targets: Target[] };

const COLUMNS: Column<Pool>[] = [
  { id: 'id', title: 'Pool', value: (pool) => pool.id, cell: (pool) => <b>{pool.id}</b> },
  {
    id: 'models',
    title: 'Models',
    value: (pool) => pool.models.length,
    cell: (pool) => (
      <Text size="xs" className="anyword" maw={240}>
        {pool.models.join(', ') || '–'}
      </Text>
    ),
  },
  {
    id: 'targets',
    title: 'Targets: weight, chosen, cost, first word',
    cell: (pool) =>
      pool.targets.map((target) => (
        <Group key={target.key} gap={8} py={2} wrap="nowrap">
          <Badge
            size="sm"
            variant="dot"
            c="var(--mantine-color-text)"
            color={target.health.ejected ? 'red' : target.live ? 'teal' : 'gray'}
          >
            {target.health.ejected ? 'ejected' : target.live ? 'live' : 'off'}
          </Badge>
          <code>{target.key}</code>
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
            {target.weight} · {target.selected}× · {usd(target.provider_cost_usd)} ·{' '}
            {millis(target.health.first_token_ms)}
          </Text>
        </Group>
      )),
  },
];

export function PoolsPage() {
  return (
    <Page
      wide
      title="Pools"
      about="What stands behind the models, how it is, and which target was chosen how often. Users never see this."
    >
      <Listing<Pool>
        path="pools"
        columns={COLUMNS}
        label="Pools"
        rowKey={(pool) => pool.id}
        dim={(pool) => !pool.live}
        empty="No pools"
      />
    </Page>
  );
}
