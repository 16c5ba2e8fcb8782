/** Who sits on the panel. Loaded with the first question to Flux. */
import { Group, MultiSelect, Select } from '@mantine/core';
import type { Model } from '~/api/models';
import type { Settings } from './ChatPage';
import css from './chat.module.css';

type PanelProps = { models: Model[]; settings: Settings; set: (settings: Settings) => void };

export default function FluxPanel({ models, settings, set }: PanelProps) {
  const named = (roles: string[]) =>
    models.filter((model) => roles.includes(model.role ?? '')).map((model) => ({ value: model.id, label: model.name }));
  return (
    <Group gap={6} className={css.panel}>
      <MultiSelect
        size="xs"
        aria-label="Sources"
        placeholder={settings.sources.length > 0 ? '' : 'Sources: three, chosen for you'}
        data={named(['SOURCE', 'BOTH'])}
        value={settings.sources}
        onChange={(sources) => set({ ...settings, sources })}
        maxValues={8}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Let the sources be chosen' }}
        className={css.sources}
      />
      <Select
        size="xs"
        aria-label="Fuser"
        placeholder="Fuser: chosen for you"
        data={named(['FUSE', 'BOTH'])}
        value={settings.fuser}
        onChange={(fuser) => set({ ...settings, fuser })}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Let the fuser be chosen' }}
      />
    </Group>
  );
}
