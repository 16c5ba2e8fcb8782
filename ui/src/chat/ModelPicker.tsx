import { Badge, Button, Combobox, Group, Pill, Text, Tooltip, useCombobox } from '@mantine/core';
import { IconBrain, IconChevronDown, IconEye, IconPlus, IconTool, IconWorldSearch } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { type Model, sees } from '~/api/models';
import { compact, perMillion } from '~/parts/figures';
import css from './chat.module.css';

const MOST = 4;

/** One model, or up to four to compare. */
export function ModelPicker({
  models,
  chosen,
  choose,
}: {
  models: Model[];
  chosen: string[];
  choose: (ids: string[]) => void;
}) {
  const byId = new Map(models.map((model) => [model.id, model]));
  const first = byId.get(chosen[0] ?? '');
  return (
    <Group gap={6} className={css.picked} wrap="wrap">
      <OnePicker
        models={models}
        pick={(id) => choose([id, ...chosen.slice(1).filter((other) => other !== id)])}
        current={chosen[0]}
      >
        {(open) => (
          <Button
            variant="default"
            size="sm"
            onClick={open}
            rightSection={<IconChevronDown size={15} />}
            aria-label={`Model: ${first?.name ?? chosen[0] ?? 'Choose a model'}`}
            className={css.model}
          >
            <Text size="sm" fw={560} truncate>
              {first?.name ?? chosen[0] ?? 'Choose a model'}
            </Text>
          </Button>
        )}
      </OnePicker>
      {chosen.slice(1).map((id) => (
        <Pill
          key={id}
          size="md"
          withRemoveButton
          onRemove={() => choose(chosen.filter((other) => other !== id))}
          removeButtonProps={{ 'aria-label': `Do not compare with ${id}`, 'aria-hidden': false, tabIndex: 0 }}
        >
          {byId.get(id)?.name ?? id}
        </Pill>
      ))}
      {chosen.length < MOST && (
        <OnePicker models={models.filter((model) => !chosen.includes(model.id))} pick={(id) => choose([...chosen, id])}>
          {(open) => (
            <Tooltip label="Compare: the same question to up to four models">
              <Button
                variant="subtle"
                color="gray"
                size="sm"
                px={8}
                onClick={open}
                leftSection={<IconPlus size={15} />}
              >
                Compare
              </Button>
            </Tooltip>
          )}
        </OnePicker>
      )}
    </Group>
  );
}

type Props = {
  models: Model[];
  pick: (id: string) => void;
  current?: string | undefined;
  children: (open: () => void) => ReactNode;
};

export function OnePicker({ models, pick, current, children }: Props) {
  const [sought, setSought] = useState('');
  const combobox = useCombobox({
    onDropdownClose: () => setSought(''),
    onDropdownOpen: () => combobox.focusSearchInput(),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: of what is found now, Enter takes the first
  useEffect(() => void (sought && combobox.selectFirstOption()), [sought]);
  const words = sought.toLowerCase();
  const found = combobox.dropdownOpened
    ? models.filter((model) => `${model.id} ${model.name}`.toLowerCase().includes(words))
    : [];
  return (
    <Combobox
      store={combobox}
      width="min(400px, 92vw)"
      position="bottom-start"
      shadow="md"
      onOptionSubmit={(id) => {
        pick(id);
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target targetType="button">{children(() => combobox.toggleDropdown()) as never}</Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
          placeholder="Search models"
          aria-label="Search models"
        />
        <Combobox.Options aria-label="Models">
          <div className={css.options}>
            {/* Closed, the list would cost more than the rest of the page. */}
            {found.map((model) => (
              <Combobox.Option key={model.id} value={model.id} active={model.id === current}>
                <ModelLine model={model} />
              </Combobox.Option>
            ))}
            {combobox.dropdownOpened && found.length === 0 && <Combobox.Empty>No model is called that</Combobox.Empty>}
          </div>
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function ModelLine({ model }: { model: Model }) {
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="sm" fw={560} truncate>
          {model.name}
        </Text>
        <Group gap={5} wrap="nowrap" c="dimmed">
          <Capabilities model={model} />
          {model.tier && <Badge size="xs">{model.tier}</Badge>}
        </Group>
      </Group>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="xs" c="dimmed" ff="monospace" truncate>
          {model.id}
        </Text>
        <Text size="xs" c="dimmed" className="numbers" style={{ whiteSpace: 'nowrap' }}>
          {compact(model.safe_context_length ?? model.context_length)} · {perMillion(model.pricing.prompt)} /{' '}
          {perMillion(model.pricing.completion)}
        </Text>
      </Group>
    </div>
  );
}

export function Capabilities({ model }: { model: Model }) {
  const has = (feature: string) => model.supported_features.includes(feature);
  return (
    <>
      {sees(model) && <IconEye size={14} aria-label="sees images" role="img" />}
      {has('tools') && <IconTool size={14} aria-label="uses tools" role="img" />}
      {has('reasoning') && <IconBrain size={14} aria-label="reasons" role="img" />}
      {has('web_search') && <IconWorldSearch size={14} aria-label="searches the web" role="img" />}
    </>
  );
}
