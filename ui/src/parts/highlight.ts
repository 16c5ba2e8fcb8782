/** Code in colours: strings, comments, figures and common words of many languages. Enough for reading, a kilobyte small. */
export type Span = { kind: 'plain' | 'string' | 'comment' | 'number' | 'word' | 'name'; text: string };

const WORDS =
  'abstract and as assert async await break case catch class const continue def default del do done echo elif else end enum esac except export extends false fi finally fn for from func function global go if impl implements import in interface is lambda let local match mod mut namespace new nil none not null or package pass private protected public pub raise return select self static struct super switch then this throw trait true try type typeof use using var void where while with yield' +
  ' SELECT FROM WHERE INSERT INTO VALUES UPDATE SET DELETE CREATE TABLE JOIN LEFT INNER ON GROUP ORDER BY LIMIT AND OR NOT NULL AS True False None';
const KNOWN = new Set(WORDS.split(' '));
const HASH = /^(py|python|sh|bash|shell|zsh|rb|ruby|yaml|yml|toml|r|perl|make|dockerfile)$/i;
const DASH = /^(sql|lua|haskell|hs)$/i;

export function spansOf(code: string, language: string): Span[] {
  const comment = HASH.test(language) ? '#.*' : DASH.test(language) ? '--.*' : '//.*|/\\*[\\s\\S]*?\\*/';
  const pattern = new RegExp(
    `(${comment})|("""[\\s\\S]*?"""|"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*'|\`(?:\\\\.|[^\`\\\\])*\`)|(\\b\\d[\\d_.]*(?:e[+-]?\\d+)?\\b)|([A-Za-z_$][\\w$]*)(?=(\\s*\\()?)`,
    'g',
  );
  const spans: Span[] = [];
  let at = 0;
  for (const found of code.matchAll(pattern)) {
    const kind = kindOf(found);
    if (kind === null) continue;
    if (found.index > at) spans.push({ kind: 'plain', text: code.slice(at, found.index) });
    spans.push({ kind, text: found[0] });
    at = found.index + found[0].length;
  }
  if (at < code.length) spans.push({ kind: 'plain', text: code.slice(at) });
  return spans;
}

function kindOf(found: RegExpMatchArray): Span['kind'] | null {
  if (found[1] !== undefined) return 'comment';
  if (found[2] !== undefined) return 'string';
  if (found[3] !== undefined) return 'number';
  if (KNOWN.has(found[4] ?? '')) return 'word';
  return found[5] === undefined ? null : 'name';
}
