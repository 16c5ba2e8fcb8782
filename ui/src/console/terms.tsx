/** A policy's terms as a form, and in words. */
import { SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core';
import { useSession } from '~/api/session';
import type { Filled } from './Ask';

export type Override = { client?: string; models: string[]; action: string; to?: string };
export type Terms = {
  allow?: string[] | null;
  deny?: string[] | null;
  entitle?: string[] | null;
  overrides?: Override[] | null;
  requests_per_minute?: number | null;
  tokens_per_minute?: number | null;
  concurrent?: number | null;
};

const RATES = [
  ['requests_per_minute', 'Requests a minute'],
  ['tokens_per_minute', 'Tokens a minute'],
  ['concurrent', 'Requests at once'],
] as const;
const CLIENTS = ['any', 'claude-code', 'codex'];
const names = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/** One rule to a line: CLIENT allow|deny MODELS, or CLIENT substitute MODELS by MODEL. */
export function overridesOf(text: string): Override[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const found = /^(\S+)\s+(allow|deny|substitute)\s+(.+?)(?:\s+by\s+(\S+))?$/.exec(line);
      if (!found)
        throw new Error(`“${line}” is no rule: write CLIENT allow|deny MODELS, or substitute MODELS by MODEL`);
      const [, client = 'any', action = '', models = '', to] = found;
      return { client, action, models: names(models), ...(to ? { to } : {}) };
    });
}

export const overrideText = (one: Override): string =>
  `${one.client ?? 'any'} ${one.action} ${one.models.join(', ')}${one.to ? ` by ${one.to}` : ''}`;

/** Every field is said; what is empty is taken away. */
export function termsOf(filled: Pick<Filled, 'text' | 'has'>): Terms {
  const list = (name: string) => (filled.has(name) ? names(filled.text(name)) : null);
  const count = (name: string) => (filled.has(name) ? Number(filled.text(name)) : null);
  return {
    allow: list('allow'),
    deny: list('deny'),
    ...(filled.text('entitles') === 'yes' ? { entitle: list('entitle') } : {}),
    overrides: filled.has('overrides') ? overridesOf(filled.text('overrides')) : null,
    ...Object.fromEntries(RATES.map(([name]) => [name, count(name)])),
  };
}

export function linesOf(terms: Terms): [string, string][] {
  const lines: [string, string][] = [];
  if (terms.allow) lines.push(['only', terms.allow.join(', ') || 'nothing']);
  if (terms.deny?.length) lines.push(['none of', terms.deny.join(', ')]);
  if (terms.entitle?.length) lines.push(['entitled to', terms.entitle.join(', ')]);
  for (const [index, one] of (terms.overrides ?? []).entries()) lines.push([`rule ${index + 1}`, overrideText(one)]);
  for (const [name, label] of RATES)
    if (terms[name]) lines.push([label.toLowerCase(), terms[name].toLocaleString('en')]);
  return lines;
}

export function TermsFields({ terms }: { terms: Terms }) {
  const house = Boolean(useSession().house);
  return (
    <Stack gap="sm">
      <Textarea
        label="Allow only"
        name="allow"
        description="Ids or patterns such as conflux/*, with commas; empty: everything"
        autosize
        minRows={1}
        defaultValue={terms.allow?.join(', ') ?? ''}
      />
      <Textarea
        label="Deny"
        name="deny"
        description="None of these, whatever is allowed"
        autosize
        minRows={1}
        defaultValue={terms.deny?.join(', ') ?? ''}
      />
      {house && (
        <>
          <input type="hidden" name="entitles" value="yes" />
          <Textarea
            label="Entitle"
            name="entitle"
            description="Models that take a connected account, and may be used all the same"
            autosize
            minRows={1}
            defaultValue={terms.entitle?.join(', ') ?? ''}
          />
        </>
      )}
      <Textarea
        label="Rules for clients"
        name="overrides"
        description={`One to a line, for ${CLIENTS.join(', ')}: claude-code substitute claude-haiku-* by conflux/minimax-m2.7`}
        autosize
        minRows={2}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
        defaultValue={terms.overrides?.map(overrideText).join('\n') ?? ''}
      />
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        {RATES.map(([name, label]) => (
          <TextInput
            key={name}
            label={label}
            name={name}
            inputMode="numeric"
            pattern="[0-9]*"
            defaultValue={terms[name] ? String(terms[name]) : ''}
          />
        ))}
      </SimpleGrid>
    </Stack>
  );
}
