/** Markdown to tokens, with maths. Nothing here makes HTML: tokens become elements, so text stays text. */
import { Marked, type Token, type Tokens } from 'marked';

export type Maths = Tokens.Generic & { type: 'maths'; text: string; block: boolean };

const marked = new Marked({ gfm: true, breaks: false });

function maths(level: 'block' | 'inline', starts: RegExp, pattern: RegExp) {
  return {
    name: `maths-${level}`,
    level,
    start: (text: string) => {
      const at = text.search(starts);
      return at < 0 ? undefined : at;
    },
    tokenizer: (text: string): Maths | undefined => {
      const found = pattern.exec(text);
      if (!found) return undefined;
      return { type: 'maths', raw: found[0], text: (found[1] ?? found[2] ?? '').trim(), block: level === 'block' };
    },
  };
}

marked.use({
  extensions: [
    maths('block', /(^|\n)(\$\$|\\\[)/, /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])(?:\n|$)/),
    // A dollar beside a space or before a figure is money.
    maths('inline', /\$|\\\(/, /^(?:\$(?=\S)((?:\\.|[^$\\\n])+?)(?<=\S)\$(?!\d)|\\\(([\s\S]+?)\\\))/),
  ],
});

export function blocksOf(text: string): Token[] {
  return marked.lexer(text);
}

export type Grown = { text: string; blocks: Token[] };

// Maths that is open reaches over empty lines, where Markdown sees paragraphs until it is closed.
const OPEN_MATHS = /(^|\n)(\$\$|\\\[)/;

/** The blocks of a text that grew at its end: what was read before stays as it is, but for the block that may go on. */
export function grown(before: Grown | null, text: string): Grown {
  if (!before || !text.startsWith(before.text)) return { text, blocks: blocksOf(text) };
  const { blocks } = before;
  let kept = blocks.length - 1;
  while (kept > 0 && blocks[kept]?.type === 'space') kept--;
  const open = blocks.findIndex((one) => one.type === 'paragraph' && OPEN_MATHS.test(one.raw));
  if (open >= 0) kept = Math.min(kept, open);
  const stable = blocks.slice(0, Math.max(0, kept));
  const from = stable.reduce((length, one) => length + one.raw.length, 0);
  return { text, blocks: [...stable, ...blocksOf(text.slice(from))] };
}

/** Only what leads somewhere harmless is a link. */
export function safeHref(href: string): string | null {
  return /^(https?:\/\/|mailto:)/i.test(href) ? href : null;
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** Entities as the characters they stand for. */
export function plain(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name) return NAMED[name] ?? whole;
    const point = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
