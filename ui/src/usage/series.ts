/** Rows by day as the columns of a plot. Sums are for the eye; the books are kept by the gateway, exactly. */
import type { UsageRow } from '~/api/usage';

export type Measure = 'cost' | 'tokens' | 'requests' | 'cached';
export type Series = { days: number[]; lines: { name: string; values: number[] }[] };

const MOST = 6;

export function tokensOf(row: Pick<UsageRow, 'usage'>): number {
  return Object.entries(row.usage).reduce(
    (sum, [name, count]) => (name === 'search' || name === 'image' ? sum : sum + count),
    0,
  );
}

export function measured(row: UsageRow, measure: Measure): number {
  if (measure === 'cost') return Number(row.cost_usd);
  if (measure === 'requests') return row.requests;
  if (measure === 'cached') return row.usage.cache_read ?? 0;
  return tokensOf(row);
}

/** One line per model, the largest first; the rest is one line. Days without a row are zero. */
export function seriesOf(rows: UsageRow[], from: string, to: string, measure: Measure): Series {
  const days = daysBetween(from, to);
  const place = new Map(days.map((day, index) => [day, index]));
  const totals = new Map<string, number>();
  for (const row of rows) totals.set(row.model ?? '', (totals.get(row.model ?? '') ?? 0) + measured(row, measure));
  const first = [...totals]
    .sort((a, b) => b[1] - a[1])
    .slice(0, MOST)
    .map(([name]) => name);
  const lines = new Map<string, number[]>();
  for (const row of rows) {
    const name = first.includes(row.model ?? '') ? (row.model ?? '') : 'others';
    const values = lines.get(name) ?? days.map(() => 0);
    const at = place.get(row.day ?? '');
    if (at !== undefined) values[at] = (values[at] ?? 0) + measured(row, measure);
    lines.set(name, values);
  }
  const order = (name: string) => (name === 'others' ? MOST : first.indexOf(name));
  return {
    days: days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000),
    lines: [...lines].map(([name, values]) => ({ name, values })).sort((a, b) => order(a.name) - order(b.name)),
  };
}

export function daysBetween(from: string, to: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= Date.parse(`${to}T00:00:00Z`); at += 86_400_000)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}
