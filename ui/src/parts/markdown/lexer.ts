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
