import { Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { pathOf, type StorefrontRow } from '~/api/admin';
import type { Column } from '~/parts/DataTable';
import { Page } from '~/parts/Page';
import { State } from '~/parts/State';
import css from './console.module.css';
import { EditStorefront } from './EditStorefront';
import { Listing } from './Listing';

const COLUMNS: Column<StorefrontRow>[] = [
  {
    id: 'name',
    title: 'Storefront',
    value: (one) => one.name,
    cell: (one) => (
      <>
        <Text fw={600} size="sm">
          {one.name}
        </Text>
        <code className={css.quiet}>{one.id}</code>
      </>
    ),
  },
  {
    id: 'at',
    title: 'Served at',
    cell: (one) => (
      <>
        <code>{one.mount}</code>
        {one.hosts.length > 0 && (
          <Text size="xs" c="dimmed" className="anyword">
            {one.hosts.join(', ')}
          </Text>
        )}
      </>
    ),
  },
  {
    id: 'keys',
    title: 'Keys begin with',
    cell: (one) => (
      <Text size="xs" ff="monospace" className="anyword">
        {[...new Set([...one.key_prefixes, ...one.test_prefixes, ...one.agent_prefixes])].join('  ')}
      </Text>
    ),
  },
  {
    id: 'shapes',
    title: 'Lists, errors, headers',
    cell: (one) => (
      <Text size="xs">
        {one.list_shape}, {one.error_style}, <code>{one.header_prefix}…</code>
      </Text>
    ),
  },
  { id: 'billing', title: 'Billing', value: (one) => one.billing, cell: (one) => one.billing.replaceAll('_', ' ') },
  { id: 'margin', title: 'Margin', value: (one) => one.margin, right: true },
  {
    id: 'fallback',
    title: 'Falls back',
    cell: (one) => <State color={one.fallback ? 'teal' : 'gray'}>{one.fallback ? 'yes' : 'no'}</State>,
  },
  {
    id: 'models',
    title: 'Models',
    value: (one) => one.models,
    cell: (one) => (
      <Link
        to="/console/models"
        search={{ storefront: one.id }}
        className={css.link}
        aria-label={`${one.models} models of ${one.name}`}
      >
        {one.models}
      </Link>
    ),
    right: true,
  },
  { id: 'act', title: 'Change', cell: (one) => <EditStorefront storefront={one} /> },
];

export function StorefrontsPage() {
  return (
    <Page
      wide
      title="Storefronts"
      about={
        <>
          The public faces: one catalogue each, with its own address, shapes and billing. Addresses and key prefixes
          stand in the configuration, as <code>[[storefront]]</code>; how one behaves can be changed here.
        </>
      }
    >
      <Listing<StorefrontRow>
        path={pathOf('listStorefronts')}
        columns={COLUMNS}
        label="Storefronts"
        rowKey={(one) => one.id}
        empty="No storefronts"
        csv
      />
    </Page>
  );
}
