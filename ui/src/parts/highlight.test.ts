import { expect, it } from 'vitest';
import { spansOf } from './highlight';

it('loses no letter, and knows strings from comments', () => {
  const code = 'def f(x):  # one "two"\n    return "a # b" + str(12)\n';
  const spans = spansOf(code, 'python');
  expect(spans.map((span) => span.text).join('')).toBe(code);
  const of = (kind: string) => spans.filter((span) => span.kind === kind).map((span) => span.text);
  expect(of('comment')).toEqual(['# one "two"']);
  expect(of('string')).toEqual(['"a # b"']);
  expect(of('number')).toEqual(['12']);
  expect(of('word')).toEqual(['def', 'return']);
});
