/** The request log of all whom one administers, and what the router would do with a request. */
import {
  Button,
  Group,
  NativeSelect,
  Paper,
  Select,
  SimpleGrid,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { pathOf } from '~/api/admin';
import { json } from '~/api/http';
import { modelsQuery } from '~/api/models';
import { useSession } from '~/api/session';
import type { ReceiptRow } from '~/api/usage';
import { type Column, DataTable } from '~/parts/DataTable';
import { Figure } from '~/parts/Figure';
import { usd } from '~/parts/figures';
import { Page } from '~/parts/Page';
import { State } from '~/parts/State';
import { Failed } from '~/parts/states';
import { COLUMNS } from '~/usage/ReceiptLog';
import css from './console.module.css';
import { Listing } from './Listing';

const NOTHING = { model: '', workspace: '', user: '', key: '', ending: '', simulated: '', since: '', until: '' };
type Filter = typeof NOTHING;

export function RequestsPage() {
  const { house } = useSession();
  const [filter, setFilter] = useState(NOTHING);
  const [typed] = useDebouncedValue(filter, 250);
  const put = (name: keyof Filter) => (value: string) => setFilter((before) => ({ ...before, [name]: value }));
  const path = useMemo(
    () =>
      pathOf('listReceipts', {
        query: {
          ...typed,
          ending: filter.ending as 'done', // what is chosen counts at once, what is typed when one pauses
          simulated: filter.simulated === '' ? null : filter.simulated === 'yes',
        },
      }),
    [typed, filter.ending, filter.simulated],
  );
  const words: [keyof Filter, string, string][] = [
    ['model', 'Model', 'its whole id'],
    ...(house ? ([['workspace', 'Workspace', 'acme']] as [keyof Filter, string, string][]) : []),
    ['user', 'User', 'acme/mia'],
    ['key', 'Key', 'key_2'],
  ];
  return (
    <Page
      wide
      title="Requests"
      about="Every request that was admitted, the newest first: who asked, what answered, how it ended and what it cost. Prompts and answers are not kept."
    >
      <div className={css.filters}>
        {words.map(([name, label, placeholder]) => (
          <TextInput
            key={name}
            size="xs"
            label={label}
            placeholder={placeholder}
            value={filter[name]}
            onChange={(event) => put(name)(event.currentTarget.value)}
          />
        ))}
        <NativeSelect
          size="xs"
          label="Ending"
          value={filter.ending}
          onChange={(event) => put('ending')(event.currentTarget.value)}
          data={[{ value: '', label: 'any' }, 'done', 'failed', 'cancelled', 'cut', 'crashed']}
        />
        <NativeSelect
          size="xs"
          label="Simulated"
          value={filter.simulated}
          onChange={(event) => put('simulated')(event.currentTarget.value)}
          data={[{ value: '', label: 'either' }, 'yes', 'no']}
        />
        <TextInput
          size="xs"
          type="date"
          label="Since"
          value={filter.since}
          onChange={(event) => put('since')(event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          type="date"
          label="Before"
          value={filter.until}
          onChange={(event) => put('until')(event.currentTarget.value)}
        />
        <Button size="xs" variant="default" onClick={() => setFilter(NOTHING)}>
          Clear
        </Button>
      </div>
      <Listing<ReceiptRow>
        path={path}
        columns={COLUMNS}
        label="Requests"
        rowKey={(row) => row.id}
        empty="No request fits"
        hint="Take a filter away, or ask something in the chat."
        csv
      />
      <Explain />
    </Page>
  );
}

type Candidate = {
  model: string;
  kept: boolean;
  dropped_because: string | null;
  cost_usd: string | null;
  time_s: number;
  success: number;
  quality: number;
  score: string | null;
};
type Attempt = { model: string; role?: string; targets?: { target: string; open: boolean }[] };
type Explained = {
  model: string | null;
  reason: string;
  task_type: string | null;
  tier: string | null;
  prefer: string;
  needs: string[];
  candidates: Candidate[];
  attempts: Attempt[];
};

const CANDIDATES: Column<Candidate>[] = [
  { id: 'model', title: 'Model', value: (one) => one.model, cell: (one) => <code>{one.model}</code> },
  {
    id: 'kept',
    title: 'Considered',
    value: (one) => (one.kept ? 0 : 1),
    cell: (one) => <State color={one.kept ? 'teal' : 'gray'}>{one.kept ? 'yes' : (one.dropped_because ?? 'no')}</State>,
  },
  { id: 'cost', title: 'Cost', value: (one) => Number(one.cost_usd), cell: (one) => usd(one.cost_usd), right: true },
  { id: 'time', title: 'Time', value: (one) => one.time_s, cell: (one) => `${one.time_s.toFixed(1)} s`, right: true },
  {
    id: 'success',
    title: 'Success',
    value: (one) => one.success,
    cell: (one) => `${(one.success * 100).toFixed(1)} %`,
    right: true,
  },
  { id: 'quality', title: 'Quality', value: (one) => one.quality, cell: (one) => one.quality.toFixed(2), right: true },
  {
    id: 'score',
    title: 'All in one',
    value: (one) => Number(one.score ?? 1e9),
    cell: (one) => usd(one.score),
    right: true,
  },
];

const TASKS = [
  ...['simple_chat', 'summarize', 'extract', 'translate', 'code_gen', 'tool_orchestrate', 'image_gen', 'file_ops'],
  ...['web_browse', 'creative', 'deep_reasoning', 'agentic_complex'],
];

function Explain() {
  const models = useQuery(modelsQuery);
  const [model, setModel] = useState<string | null>('code_gen');
  const [prompt, setPrompt] = useState('Write a function that parses a date');
  const look = useMutation({
    mutationFn: () =>
      json<Explained>('v1/route/explain', {
        body: {
          ...(model && !TASKS.includes(model) ? { model } : { task_type: model ?? 'simple_chat' }),
          messages: [{ role: 'user', content: prompt }],
        },
      }),
  });
  return (
    <section style={{ marginTop: 44 }}>
      <Title order={2} size="h4" mb={4}>
        Where would it go, and why?
      </Title>
      <Text size="sm" c="dimmed" mb="sm" maw={640}>
        Nothing is sent and nothing is charged: the router says what it would do with this request now.
      </Text>
      <Paper withBorder p="md" mb="md">
        <Group align="flex-end" gap="sm">
          <Select
            label="A task, or a model"
            searchable
            allowDeselect={false}
            data={[
              { group: 'Tasks: the router chooses', items: TASKS },
              { group: 'Models', items: models.data?.map((one) => one.id) ?? [] },
            ]}
            value={model}
            onChange={setModel}
            w={280}
          />
          <Textarea
            label="Question"
            autosize
            minRows={1}
            maxRows={6}
            style={{ flex: 1, minWidth: 240 }}
            value={prompt}
            onChange={(event) => setPrompt(event.currentTarget.value)}
          />
          <Button loading={look.isPending} onClick={() => look.mutate()}>
            Explain
          </Button>
        </Group>
      </Paper>
      {look.isError && <Failed error={look.error} retry={() => look.mutate()} />}
      {look.data && <Explanation found={look.data} />}
    </section>
  );
}

export function Explanation({ found }: { found: Explained }) {
  return (
    <>
      <SimpleGrid cols={{ base: 2, md: 4 }} mb="md" role="status">
        <Figure small title="Goes to">
          {found.model ?? 'nobody'}
        </Figure>
        <Figure small title="Because">
          {found.reason.replaceAll('_', ' ')}
        </Figure>
        <Figure small title="Task">
          {found.task_type ?? 'a named model'}
        </Figure>
        <Figure small title="Needs">
          {found.needs.join(', ') || 'nothing special'}
        </Figure>
      </SimpleGrid>
      <DataTable
        label="Candidates"
        rows={found.candidates}
        columns={CANDIDATES}
        rowKey={(one) => one.model}
        dim={(one) => !one.kept}
        empty={<Text c="dimmed">There is no other.</Text>}
      />
      <Text size="sm" mt="sm">
        In this order:{' '}
        {found.attempts
          .map((one) => one.model + (one.targets ? ` (${one.targets.map((target) => target.target).join(', ')})` : ''))
          .join(' → ') || 'nothing would be tried'}
      </Text>
    </>
  );
}
