import { describe, expect, it } from 'vitest';
import { blocksOf, plain, safeHref } from './lexer';

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
