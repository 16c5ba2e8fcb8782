import { Alert, Anchor, Badge, Group, List, Paper, SimpleGrid, Text, Title } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Catalogue, catalogueQuery, type Entry } from '~/api/catalogue';
import { CopyButton } from '~/parts/CopyButton';
import { Figure } from '~/parts/Figure';
import { compact, known, millis } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { PRICES } from '~/parts/prices';
import { Empty, Failed, Loading } from '~/parts/states';
import { money, Status } from './CataloguePage';
import css from './catalogue.module.css';
import { Examples } from './Examples';

const ROLES: Record<string, string> = {
  SOURCE: 'drafts in Flux',
  FUSE: 'writes in Flux',
  BOTH: 'drafts and writes in Flux',
  FLUX: 'Flux',
};

export function ModelPage({ storefront, id }: { storefront: string; id: string }) {
  const catalogue = useQuery(catalogueQuery);
  if (catalogue.isPending) return <Loading />;
  if (catalogue.isError) return <Failed error={catalogue.error} retry={() => void catalogue.refetch()} />;
  const entry = catalogue.data.models.find(
    (one) => one.storefront === storefront && (one.id === id || one.aliases.includes(id)),
  );
  if (!entry)
    return (
      <Empty
        title="No such model"
        action={
          <Anchor component={Link} to="/catalogue">
            Back to the catalogue
          </Anchor>
        }
      >
        {id} is not in this storefront.
      </Empty>
    );
  return <Shown entry={entry} catalogue={catalogue.data} />;
}

function Shown({ entry, catalogue }: { entry: Entry; catalogue: Catalogue }) {
  const mount = catalogue.storefronts.find((one) => one.id === entry.storefront)?.mount ?? '/';
  return (
    <Page
      title={entry.name}
      about={
        <Group gap={6}>
          <code className={css.id}>{entry.id}</code>
          <CopyButton text={entry.id} label="Copy the id" />
          <Status entry={entry} />
          {entry.role && <Badge>{ROLES[entry.role] ?? entry.role}</Badge>}
          {entry.tier && <Badge>{entry.tier} tier</Badge>}
        </Group>
      }
      actions={
        <Anchor component={Link} to="/catalogue">
          All models
        </Anchor>
      }
    >
      {entry.description && <Text mb="md">{entry.description}</Text>}
      <SimpleGrid cols={{ base: 2, sm: 3, md: 6 }} mb="md">
        <Figure small title="Context">
          {known(entry.context_text)}
        </Figure>
        <Figure small title="Safe context">
          {known(entry.safe_context_text)}
        </Figure>
        <Figure small title="Longest answer">
          {compact(entry.max_output)}
        </Figure>
        <Figure small title="Uptime lately">
          {entry.lately.uptime === null ? '–' : `${(Number(entry.lately.uptime) * 100).toFixed(1)} %`}
        </Figure>
        <Figure small title="First word">
          {millis(entry.lately.first_byte_ms)}
        </Figure>
        <Figure small title="Whole answer">
          {millis(entry.lately.latency_ms)}
        </Figure>
      </SimpleGrid>
      {entry.limitations.map((text) => (
        <Alert
          key={text}
          variant="light"
          color="gray"
          icon={<IconInfoCircle size={18} />}
          mb="xs"
          classNames={{ message: css.plain }}
        >
          {text}
        </Alert>
      ))}
      <SimpleGrid cols={{ base: 1, sm: 2 }} my="md">
        <Paper withBorder p="md">
          <Title order={2} size="h4" mb="xs">
            Price per million tokens
          </Title>
          {PRICES.filter(
            ({ name }) => entry.prices[name] !== undefined && entry.prices[name] !== null && entry.prices[name] !== '',
          ).map(({ name, title, each }) => (
            <Group key={name} justify="space-between" py={3}>
              <Text size="sm">{each ? `${title}, each` : title}</Text>
              <Text size="sm" fw={560} className="numbers">
                {money(entry, name)}
              </Text>
            </Group>
          ))}
          {entry.assumed.some((one) => one === 'price') && (
            <Text size="xs" c="dimmed" mt="xs">
              The price is assumed: no source names it.
            </Text>
          )}
        </Paper>
        <Paper withBorder p="md">
          <Title order={2} size="h4" mb="xs">
            What it can
          </Title>
          <Group gap={5}>
            {entry.tags.map((tag) => (
              <span key={tag} className={css.tag}>
                {tag}
              </span>
            ))}
          </Group>
          <List size="sm" mt="sm" spacing={4}>
            <List.Item>
              Takes {entry.input_modalities.join(', ') || 'text'}, makes {entry.output_modalities.join(', ') || 'text'}
            </List.Item>
            <List.Item>
              Provider: {entry.provider}; lane: {entry.lane}
            </List.Item>
            {entry.effort && <List.Item>Fixes the effort: {entry.effort}</List.Item>}
            {entry.dimensions.length > 0 && <List.Item>Dimensions: {entry.dimensions.join(', ')}</List.Item>}
            {entry.aliases.length > 0 && <List.Item>Also called {entry.aliases.join(', ')}</List.Item>}
          </List>
          {entry.supported_parameters.length > 0 && (
            <Text size="xs" c="dimmed" mt="sm" className="anyword">
              Parameters: {entry.supported_parameters.join(', ')}
            </Text>
          )}
        </Paper>
      </SimpleGrid>
      <Title order={2} size="h4" mb="xs">
        Selecting it
      </Title>
      <Examples model={entry.id} mount={mount} />
    </Page>
  );
}
