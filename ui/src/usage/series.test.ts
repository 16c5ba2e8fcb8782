import { expect, it } from 'vitest';
import type { UsageRow } from '~/api/usage';
import { seriesOf } from './series';

const row = (day: string, model: string, requests: number): UsageRow => ({
  day,
  model,
  requests,
  simulated: false,
  cost_usd: '0.5',
  credits: '0',
  usage: { input: 10, search: 3 },
});

it('has a value for every day, the largest model first, the rest as one', () => {
  const rows = [
    row('2026-11-01', 'a', 1),
    row('2026-11-03', 'b', 9),
    ...'cdefgh'.split('').map((name) => row('2026-11-02', name, 2)),
  ];
  const series = seriesOf(rows, '2026-11-01', '2026-11-03', 'requests');
  expect(series.days).toHaveLength(3);
  expect(series.lines[0]).toEqual({ name: 'b', values: [0, 0, 9] });
  expect(series.lines.at(-1)?.name).toBe('others');
  expect(seriesOf(rows, '2026-11-01', '2026-11-03', 'tokens').lines[0]?.values.reduce((a, b) => a + b)).toBe(10);
});
