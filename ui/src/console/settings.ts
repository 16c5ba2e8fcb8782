/** The merged configuration as sections of settings, each with the variable that sets it. */
export type Setting = { name: string; value: string; variable: string };
export type Sectioned = { name: string; settings: Setting[] };

const plain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

// It says where all others come from, and has a name of its own.
const FILE = 'config_file';

// Rows of [[model]] and the like stand in the file alone: a variable of that name would stop the start.
const isTable = (value: unknown): boolean => Array.isArray(value) && value.some(plain);

const settingOf = (section: string, name: string, value: unknown): Setting => ({
  name,
  value: shown(value),
  variable:
    name === FILE
      ? 'CONFLUX_CONFIG'
      : isTable(value)
        ? ''
        : `CONFLUX_${[section, name].filter(Boolean).join('__').toUpperCase()}`,
});

export function sectionsOf(config: Record<string, unknown>): Sectioned[] {
  const entries = Object.entries(config);
  const general = entries.filter(([, value]) => !plain(value));
  const sections = entries.flatMap(([name, value]) => (plain(value) ? [[name, value] as const] : []));
  return [
    { name: '', settings: general.map(([name, value]) => settingOf('', name, value)) },
    ...sections.map(([name, values]) => ({
      name,
      settings: Object.entries(values).map(([key, value]) => settingOf(name, key, value)),
    })),
  ];
}
