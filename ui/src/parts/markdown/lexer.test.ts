import { describe, expect, it } from 'vitest';
import { blocksOf, type Grown, grown, plain, safeHref } from './lexer';

const kinds = (text: string) =>
  blocksOf(text).flatMap((block) => [
    block.type,
    ...(('tokens' in block ? block.tokens : []) ?? []).map((token) => token.type),
  ]);

describe('maths', () => {
  it('is found between dollars and brackets', () => {
    expect(kinds('so $x^2$ is')).toContain('maths');
    expect(kinds('so \\(x\\) is')).toContain('maths');
    expect(kinds('$$\n\\sum x\n$$\n')).toEqual(['maths']);
  });
  it('is not money', () => {
    expect(kinds('from $5 to $10 a day')).not.toContain('maths');
  });
});

it('leads nowhere dangerous', () => {
  expect(safeHref('javascript:alert(1)')).toBeNull();
  expect(safeHref(' data:text/html,x')).toBeNull();
  expect(safeHref('https://example.com')).toBe('https://example.com');
});

it('shows entities as what they stand for', () => {
  expect(plain('a &lt; b &amp; c &#65; &#x42; &nope;')).toBe('a < b & c A B &nope;');
});

describe('a text that grows', () => {
  const texts = [
    '# Head\n\nOne *two* three.\nStill one.\n\nAnother\n===\n\n- a\n\n- b\n  - c\n\n  more of b\n\nend',
    'so\n\n```python\nx = 1\n\n\ny = 2\n```\n\nafter\n\n    code\n\n1. one\n2. two\n\nend',
    '| a | b |\n|---|---:|\n| 1 | 2 |\n\n> quote\nlazy\n\n> again\n\n---\n\n<b>html</b>\n\n<!-- a\n\nb -->\n\nend',
    'maths\n\n$$\na\n\nb\n$$\n\nthen \\[ x \\] and\n\n\\[\na\n\\]\n\nend $x^2$ of it',
    '* * *\n\n* a\n* b\n\n\n* c\n\ntext\n\n\n\n[x](https://e.example) ![i](u) `c`\n\n+ d\n\n+ e',
  ];
  const shape = (blocks: { type: string; raw: string }[]) => blocks.map((one) => [one.type, one.raw]);
  it.each(texts)('is read as if it had come at once: %j', (text) => {
    for (const step of [1, 3, 7]) {
      let now: Grown | null = null;
      for (let end = step; end < text.length + step; end += step) {
        now = grown(now, text.slice(0, end));
        expect(shape(now.blocks)).toEqual(shape(blocksOf(text.slice(0, end))));
      }
    }
  });
  it('leaves the blocks before the last as they are', () => {
    const first = grown(null, 'one\n\ntwo\n\nthr');
    const second = grown(first, 'one\n\ntwo\n\nthree');
    expect(second.blocks[0]).toBe(first.blocks[0]);
    expect(second.blocks[2]).toBe(first.blocks[2]);
    expect(second.blocks.at(-1)?.raw).toBe('three');
  });
  it('starts anew where it is another', () => {
    expect(shape(grown(grown(null, 'one'), 'two').blocks)).toEqual([['paragraph', 'two']]);
  });
});
