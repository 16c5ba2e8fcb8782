// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { linesOf, overridesOf, overrideText, termsOf } from './terms';

const filled = (values: Record<string, string>) => ({
  text: (name: string) => values[name] ?? '',
  has: (name: string) => Boolean(values[name]),
});

it('reads rules as it writes them', () => {
  const text = 'claude-code substitute claude-haiku-*, x by conflux/minimax-m2.7\nany deny openrouter/*';
  const rules = overridesOf(text);
  expect(rules[0]).toEqual({
    client: 'claude-code',
    action: 'substitute',
    models: ['claude-haiku-*', 'x'],
    to: 'conflux/minimax-m2.7',
  });
  expect(rules.map(overrideText).join('\n')).toBe(text);
  expect(() => overridesOf('codex forbid all')).toThrow('is no rule');
});

it('takes away what is empty, and entitles only where that may be said', () => {
  const terms = termsOf(filled({ allow: 'a, b\nc', requests_per_minute: '60' }));
  expect(terms).toEqual({
    allow: ['a', 'b', 'c'],
    deny: null,
    overrides: null,
    requests_per_minute: 60,
    tokens_per_minute: null,
    concurrent: null,
  });
  expect(termsOf(filled({ entitles: 'yes' }))).toHaveProperty('entitle', null);
  expect(linesOf(terms)).toEqual([
    ['only', 'a, b, c'],
    ['requests a minute', '60'],
  ]);
});
