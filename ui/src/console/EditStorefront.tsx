/** How a storefront behaves. What is changed counts from the next request on, and can be taken back under Catalogue changes. */
import { Select, SimpleGrid, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { call, type StorefrontRow, type StorefrontWhole } from '~/api/admin';
import { Failed, Loading } from '~/parts/states';
import { Ask, type Filled } from './Ask';

const YES_NO = [
  { value: 'yes', label: 'yes' },
  { value: 'no', label: 'no' },
];
const PREFER = ['cost', 'balanced', 'speed', 'quality'] as const;
const SWITCHES = [
  ['fallback', 'Another model may stand in'],
  ['usage_cost', 'Answers say what they cost'],
  ['strict_capabilities', 'Refuse what a model does not advertise'],
] as const;

const path = (one: StorefrontRow) => ({ storefront: one.id });
const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export function EditStorefront({ storefront }: { storefront: StorefrontRow }) {
  const send = (filled: Filled) =>
    call('changeStorefront', {
      path: path(storefront),
      body: {
        name: filled.text('name'),
        margin: filled.text('margin'),
        prefer: filled.text('prefer') as (typeof PREFER)[number],
        default_max_output: filled.has('output') ? Number(filled.text('output')) : null,
        default_temperature: filled.has('temperature') ? Number(filled.text('temperature')) : null,
        allowed_origins: words(filled.text('origins')),
        ...Object.fromEntries(SWITCHES.map(([name]) => [name, filled.text(name) === 'yes'])),
      },
    });
  return (
    <Ask
      small
      verb="Edit"
      label={`Edit ${storefront.name}`}
      title={storefront.name}
      send={send}
      said={() => `${storefront.name} is changed; it counts from the next request on`}
      submit="Save"
    >
      <Fields storefront={storefront} />
    </Ask>
  );
}

function Fields({ storefront }: { storefront: StorefrontRow }) {
  const whole = useQuery({
    queryKey: ['admin', 'storefront', storefront.id],
    queryFn: () => call('getStorefront', { path: path(storefront) }),
  });
  if (whole.isPending) return <Loading />;
  if (whole.isError) return <Failed error={whole.error} retry={() => void whole.refetch()} />;
  return <Filling whole={whole.data} />;
}

function Filling({ whole }: { whole: StorefrontWhole }) {
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput label="Name" name="name" required maxLength={200} defaultValue={whole.name} />
        <TextInput
          label="Margin"
          name="margin"
          required
          inputMode="decimal"
          pattern="[0-9]*[.]?[0-9]*"
          aria-description="What cost is multiplied by"
          defaultValue={whole.margin}
        />
        <Select
          label="For a task, choose by"
          name="prefer"
          allowDeselect={false}
          data={[...PREFER]}
          defaultValue={whole.prefer}
        />
        {SWITCHES.map(([name, label]) => (
          <Select
            key={name}
            label={label}
            name={name}
            allowDeselect={false}
            data={YES_NO}
            defaultValue={whole[name] ? 'yes' : 'no'}
          />
        ))}
      </SimpleGrid>
      <SimpleGrid cols={2}>
        <TextInput
          label="Longest answer"
          name="output"
          description="In tokens, where a request says none; empty: as the model has it"
          inputMode="numeric"
          pattern="[0-9]*"
          defaultValue={whole.default_max_output ?? ''}
        />
        <TextInput
          label="Temperature"
          name="temperature"
          description="Where a request says none; empty: as the model has it"
          inputMode="decimal"
          pattern="[0-9]*[.]?[0-9]+"
          defaultValue={whole.default_temperature ?? ''}
        />
      </SimpleGrid>
      <Textarea
        label="Browsers that may call it"
        name="origins"
        description="Origins such as https://app.example.com, one to a line; * for any; empty: none"
        autosize
        minRows={2}
        defaultValue={whole.allowed_origins.join('\n')}
      />
    </>
  );
}
