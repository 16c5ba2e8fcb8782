/** What was counted over time, as the lines of a plot. Sums are for the eye; the books are kept by the gateway, exactly. */
import type { PaceRow } from '~/api/admin';
import type { UsageRow } from '~/api/usage';

export type Measure = 'cost' | 'tokens' | 'requests' | 'latency' | 'cached';
/** With `of` it is a share or an average: sums of both are divided, and where nothing was counted there is no value. */
export type Point = { at: number; name: string; value: number; of?: number };
export type Line = { name: string; values: (number | null)[]; whole: number | null };
export type Series = { times: number[]; lines: Line[] };

const MOST = 6;
const OTHERS = 'others';
const DAY = 86_400;

export function tokensOf(row: Pick<UsageRow, 'usage'>): number {
  return Object.entries(row.usage).reduce(
    (sum, [name, count]) => (name === 'search' || name === 'image' ? sum : sum + count),
    0,
  );
}

const promptOf = (row: UsageRow): number => (row.usage.input ?? 0) + (row.usage.cache_read ?? 0);

function measured(row: UsageRow, measure: Measure): Pick<Point, 'value' | 'of'> {
  if (measure === 'cost') return { value: Number(row.cost_usd) };
  if (measure === 'requests') return { value: row.requests };
  if (measure === 'cached') return { value: row.usage.cache_read ?? 0, of: promptOf(row) };
  return { value: tokensOf(row) };
}

export const daySeconds = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 1000;

export function pointsOf(rows: UsageRow[], by: 'model' | 'key' | 'user', measure: Measure): Point[] {
  return rows.map((row) => ({ at: daySeconds(row.day ?? ''), name: row[by] ?? '–', ...measured(row, measure) }));
}

/** How long answers took, on average: what was asked more counts more. */
export function pacePoints(rows: PaceRow[]): Point[] {
  return rows.flatMap(({ at, name, latency_ms: ms, requests }) =>
    ms === null ? [] : [{ at, name, value: ms * requests, of: requests }],
  );
}

export function timesBetween(first: number, last: number, step = DAY): number[] {
  const times: number[] = [];
  for (let at = first; at <= last; at += step) times.push(at);
  return times;
}

type Sum = { value: number; of: number; ratio: boolean };
const nothing = (): Sum => ({ value: 0, of: 0, ratio: false });
const shown = ({ value, of, ratio }: Sum): number | null => (ratio ? (of > 0 ? value / of : null) : value);

function add(sum: Sum, { value, of }: Point): void {
  sum.value += value;
  sum.of += of ?? 0;
  sum.ratio ||= of !== undefined;
}

/** One line for each name, the largest first; the rest is one line. */
export function seriesOf(points: Point[], times: number[]): Series {
  const weights = new Map<string, number>();
  for (const { name, value, of } of points) weights.set(name, (weights.get(name) ?? 0) + (of ?? value));
  const first = [...weights].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST);
  const order = new Map(first.map(([name], index) => [name, index]));
  const place = new Map(times.map((at, index) => [at, index]));
  const ratio = points.some(({ of }) => of !== undefined);
  const lines = new Map<string, { sums: Sum[]; whole: Sum }>();
  for (const point of points) {
    const name = order.has(point.name) ? point.name : OTHERS;
    const line = lines.get(name) ?? { sums: times.map(() => ({ ...nothing(), ratio })), whole: nothing() };
    const at = line.sums[place.get(point.at) ?? -1];
    if (at) {
      add(at, point);
      add(line.whole, point);
    }
    lines.set(name, line);
  }
  const rank = (name: string) => order.get(name) ?? MOST;
  return {
    times,
    lines: [...lines]
      .map(([name, { sums, whole }]) => ({ name, values: sums.map(shown), whole: shown(whole) }))
      .sort((a, b) => rank(a.name) - rank(b.name)),
  };
}
