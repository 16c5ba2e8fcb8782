import { Chip, Group, SegmentedControl, Select, Switch, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { type Catalogue, catalogueQuery, type Entry } from '~/api/catalogue';
import { CopyButton } from '~/parts/CopyButton';
import { type Column, DataTable } from '~/parts/DataTable';
import { known, usd } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { type Colour, State } from '~/parts/State';
import { Blank, Failed, Loading } from '~/parts/states';
import css from './catalogue.module.css';
import { Guide } from './Guide';

const price = (entry: Entry, name: string): number | null => {
  const text = entry.prices[name];
  return text === undefined || text === null || text === '' ? null : Number(text);
};
export const money = (entry: Entry, name: string): string =>
  price(entry, name) === null
    ? '–'
    : entry.currency === 'USD'
      ? usd(entry.prices[name])
      : `${entry.prices[name]} ${entry.currency}`;

const COLUMNS: Column<Entry>[] = [
  {
    id: 'id',
    title: 'Model',
    value: (entry) => entry.id,
    cell: (entry) => (
      <div className={css.model}>
        <Link
          to="/catalogue/$storefront/$"
          params={{ storefront: entry.storefront, _splat: entry.id }}
          className={css.name}
        >
          {entry.name}
        </Link>
        <Group gap={2} wrap="nowrap">
          <code className={css.id}>{entry.id}</code>
          <CopyButton text={entry.id} label={`Copy ${entry.id}`} />
        </Group>
      </div>
    ),
  },
  { id: 'provider', title: 'Provider', value: (entry) => entry.provider },
  { id: 'role', title: 'Role', value: (entry) => entry.role },
  {
    id: 'context',
    title: 'Context',
    value: (entry) => entry.context,
    cell: (entry) => known(entry.context_text),
    right: true,
  },
  {
    id: 'safe',
    title: 'Safe',
    value: (entry) => entry.safe_context,
    cell: (entry) => known(entry.safe_context_text),
    right: true,
  },
  {
    id: 'in',
    title: 'In / 1M',
    value: (entry) => price(entry, 'input'),
    cell: (entry) => money(entry, 'input'),
    right: true,
  },
  {
    id: 'out',
    title: 'Out / 1M',
    value: (entry) => price(entry, 'output'),
    cell: (entry) => money(entry, 'output'),
    right: true,
  },
  {
    id: 'tags',
    title: 'Capabilities',
    cell: (entry) => (
      <Group gap={4} maw={300}>
        {entry.tags.map((tag) => (
          <span key={tag} className={css.tag}>
            {tag}
          </span>
        ))}
      </Group>
    ),
  },
  { id: 'status', title: 'Status', value: (entry) => entry.status, cell: (entry) => <Status entry={entry} /> },
];

export function Status({ entry }: { entry: Entry }) {
  const [color, said]: [Colour, string] =
    entry.status === 'disabled'
      ? ['gray', 'Disabled']
      : entry.account
        ? ['yellow', 'Account needed']
        : entry.live
          ? ['teal', 'Enabled']
          : ['gray', 'No route now'];
  return <State color={color}>{said}</State>;
}

export function CataloguePage() {
  const catalogue = useQuery(catalogueQuery);
  return (
    <Page
      wide
      title="Catalogue"
      about="Every model by its public id: what it can do, how much it reads, and what it costs. The same id works in the chat, over the API, in Claude Code and in Codex CLI."
    >
      {catalogue.isPending ? (
        <Loading />
      ) : catalogue.isError ? (
        <Failed error={catalogue.error} retry={() => void catalogue.refetch()} />
      ) : (
        <Models catalogue={catalogue.data} />
      )}
    </Page>
  );
}

function Models({ catalogue }: { catalogue: Catalogue }) {
  const [storefront, setStorefront] = useState(catalogue.storefronts[0]?.id ?? '');
  const [sought, setSought] = useState('');
  const [provider, setProvider] = useState<string | null>(null);
  const [tags, setTags] = useState<string[]>([]);
  const [all, setAll] = useState(true);
  const mine = useMemo(
    () => catalogue.models.filter((entry) => entry.storefront === storefront),
    [catalogue, storefront],
  );
  const rows = useMemo(() => {
    const words = sought.toLowerCase();
    return mine.filter(
      (entry) =>
        `${entry.id} ${entry.name} ${entry.aliases.join(' ')}`.toLowerCase().includes(words) &&
        (!provider || entry.provider === provider) &&
        tags.every((tag) => entry.tags.includes(tag)) &&
        (all || entry.status !== 'disabled'),
    );
  }, [mine, sought, provider, tags, all]);
  const every = <T,>(of: (entry: Entry) => T[]) => [...new Set(mine.flatMap(of))].sort();
  const front = catalogue.storefronts.find((one) => one.id === storefront);
  return (
    <>
      <Group mb="sm" gap="sm">
        <SegmentedControl
          aria-label="Storefront"
          value={storefront}
          onChange={(value) => {
            setStorefront(value);
            setProvider(null);
            setTags([]);
          }}
          data={catalogue.storefronts.map((one) => ({ value: one.id, label: `${one.name} · ${one.models}` }))}
          className={css.fronts}
        />
        <TextInput
          aria-label="Search the catalogue"
          placeholder="Search"
          leftSection={<IconSearch size={16} />}
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
        />
        <Select
          aria-label="Provider"
          placeholder="Any provider"
          clearable
          clearButtonProps={{ 'aria-label': 'Any provider' }}
          data={every((entry) => [entry.provider])}
          value={provider}
          onChange={setProvider}
        />
        <Switch label="Disabled too" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
      </Group>
      <Chip.Group multiple value={tags} onChange={setTags}>
        <Group gap={6} mb="md">
          {every((entry) => entry.tags).map((tag) => (
            <Chip key={tag} value={tag} size="xs" variant="outline">
              {tag}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <Text size="sm" c="dimmed" mb={8} role="status">
        {rows.length} of {mine.length} models
        {front && front.mount !== '/' && (
          <>
            {' '}
            · served at <code>{front.mount}</code>
          </>
        )}
        {catalogue.simulated && ' · no provider is configured: the simulator answers'}
      </Text>
      <DataTable
        key={storefront}
        label="Models"
        rows={rows}
        columns={COLUMNS}
        rowKey={(entry) => entry.id}
        dim={(entry) => entry.status === 'disabled'}
        empty={<Blank title="No model fits">Take a filter away, or look in another storefront.</Blank>}
      />
      <Guide
        choosing={catalogue.choosing}
        example={mine.find((entry) => entry.status === 'enabled')?.id ?? 'conflux/deepseek-v4-pro'}
        mount={front?.mount ?? '/'}
      />
    </>
  );
}
