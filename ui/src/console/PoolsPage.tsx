import { Badge, Button, Group, NumberInput, Progress, Switch, Table, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { call, type Pool, pathOf, type Target } from '~/api/admin';
import { millis, usd } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { State } from '~/parts/State';
import { Empty, Failed, Loading } from '~/parts/states';
import tables from '~/parts/table.module.css';
import { Ask, type Filled } from './Ask';
import css from './console.module.css';
import { useListed } from './Listing';

export function PoolsPage({ sought: first }: { sought?: string | undefined }) {
  const [typed, setTyped] = useState(first ?? '');
  const [live, setLive] = useState(false);
  const [sought] = useDebouncedValue(typed.trim(), 250);
  const { list, rows } = useListed<Pool>(pathOf('listPools', { query: { q: sought } }), 10_000);
  const shown = rows
    .map((pool) => (live ? { ...pool, targets: pool.targets.filter((one) => one.live) } : pool))
    .filter((pool) => pool.targets.length > 0);
  return (
    <Page
      wide
      title="Pools"
      about="What stands behind the models: several targets that can answer for one another, how each is, and how often it is chosen. Users never see this."
      actions={
        <Group>
          <Switch label="Live targets only" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
          <TextInput
            aria-label="Search pools"
            placeholder="Search"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </Group>
      }
    >
      {list.isPending ? (
        <Loading />
      ) : list.isError ? (
        <Failed error={list.error} retry={() => void list.refetch()} />
      ) : shown.length === 0 ? (
        <Empty title={sought ? 'No pool is called that' : 'No target is live'}>
          {sought ? 'Search by a pool’s, a model’s or a target’s name.' : 'Give a provider its key under Providers.'}
        </Empty>
      ) : (
        <>
          <div className={tables.frame} tabIndex={0} role="region" aria-label="Pools and their targets">
            <Table className={tables.table} verticalSpacing={7} horizontalSpacing="sm">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Target</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th data-right>Weight</Table.Th>
                  <Table.Th>Chosen, 24 hours</Table.Th>
                  <Table.Th data-right>Cost</Table.Th>
                  <Table.Th data-right>First word</Table.Th>
                  <Table.Th data-right>Under way</Table.Th>
                  <Table.Th data-right>Failures</Table.Th>
                </Table.Tr>
              </Table.Thead>
              {shown.map((pool) => (
                <PoolRows key={pool.id} pool={pool} />
              ))}
            </Table>
          </div>
          {list.hasNextPage && (
            <Button variant="subtle" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              More
            </Button>
          )}
        </>
      )}
    </Page>
  );
}

function PoolRows({ pool }: { pool: Pool }) {
  const chosen = pool.targets.reduce((sum, one) => sum + one.selected, 0);
  const own = pool.targets.filter((one) => one.provider !== 'simulator');
  return (
    <Table.Tbody aria-label={pool.id}>
      <Table.Tr className={css.pool}>
        <Table.Td colSpan={8}>
          <Group justify="space-between" gap="xs">
            <div style={{ minWidth: 0 }}>
              <Group gap={8}>
                <Text fw={650} size="sm" className="anyword">
                  {pool.id}
                </Text>
                {!pool.live && <Badge color="gray">no route now</Badge>}
                {pool.simulated && (
                  <Badge color="gray" variant="outline" c="dimmed">
                    simulated
                  </Badge>
                )}
              </Group>
              <Text size="xs" c="dimmed" className="anyword">
                {pool.models.join(', ') || 'serves no model'}
              </Text>
            </div>
            <Group gap={6}>
              {chosen > 0 && (
                <Link
                  to="/console/targets"
                  search={{ pool: pool.id }}
                  className={css.link}
                  aria-label={`${pool.id} over time`}
                >
                  <Text size="xs">Over time</Text>
                </Link>
              )}
              {own.length > 1 && <ChangeWeights pool={pool} targets={own} />}
            </Group>
          </Group>
        </Table.Td>
      </Table.Tr>
      {pool.targets.map((one) => (
        <Line key={one.key} target={one} chosen={chosen} />
      ))}
    </Table.Tbody>
  );
}

function Line({ target, chosen }: { target: Target; chosen: number }) {
  const { health } = target;
  const part = chosen > 0 ? (target.selected / chosen) * 100 : 0;
  return (
    <Table.Tr data-dim={!target.live || undefined}>
      <Table.Td style={{ minWidth: 200 }}>
        <code className="anyword">{target.key}</code>
        {health.missing && (
          <Text size="xs" c="dimmed">
            {health.missing}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <State color={health.ejected ? 'red' : target.live ? 'teal' : 'gray'}>
          {health.ejected ? `out for ${health.ejected_for_seconds ?? 0} s` : target.live ? 'live' : 'off'}
        </State>
      </Table.Td>
      <Table.Td data-right>{target.weight}</Table.Td>
      <Table.Td style={{ minWidth: 120 }}>
        <Group gap={8} wrap="nowrap">
          <Progress
            value={part}
            size="sm"
            style={{ flex: 1 }}
            aria-label={`${part.toFixed(0)} % of the pool’s calls`}
          />
          <Text size="xs" className="numbers">
            {target.selected}
          </Text>
        </Group>
      </Table.Td>
      <Table.Td data-right>{usd(target.provider_cost_usd)}</Table.Td>
      <Table.Td data-right>{millis(health.first_token_ms)}</Table.Td>
      <Table.Td data-right>
        {health.in_flight}
        {health.limit !== null && ` of ${health.limit}`}
      </Table.Td>
      <Table.Td data-right>
        {health.failures}
        {health.ejected_times > 0 && ` · out ${health.ejected_times}×`}
      </Table.Td>
    </Table.Tr>
  );
}

function ChangeWeights({ pool, targets }: { pool: Pool; targets: Target[] }) {
  const send = (filled: Filled) => {
    const weights = Object.fromEntries(targets.map((one) => [one.key, Number(filled.text(one.key))]));
    return call('changePool', { path: { pool: pool.id }, body: { weights } });
  };
  return (
    <Ask
      small
      verb="Change weights"
      label={`Change weights of ${pool.id}`}
      title={`Weights of ${pool.id}`}
      send={send}
      said={() => `The weights of ${pool.id} are changed`}
      submit="Change"
    >
      <Text size="sm" c="dimmed">
        Of two targets, one with twice the weight is chosen twice as often. It counts at once, and can be taken back
        under Catalogue changes.
      </Text>
      {targets.map((one) => (
        <NumberInput
          key={one.key}
          name={one.key}
          label={one.key}
          min={1}
          max={1000}
          allowDecimal={false}
          defaultValue={one.weight}
          required
        />
      ))}
    </Ask>
  );
}
