import { expect, it } from 'vitest';
import type { UsageRow } from '~/api/usage';
import { daySeconds, pacePoints, pointsOf, seriesOf, timesBetween } from './series';

const row = (day: string, model: string, requests: number): UsageRow => ({
  day,
  model,
  requests,
  simulated: false,
  cost_usd: '0.5',
  credits: '0',
  usage: { input: 10, cache_read: requests, search: 3 },
});
const times = timesBetween(daySeconds('2026-11-01'), daySeconds('2026-11-03'));

it('has a value for every day, the largest first, the rest as one', () => {
  const rows = [
    row('2026-11-01', 'a', 1),
    row('2026-11-03', 'b', 9),
    ...'cdefgh'.split('').map((name) => row('2026-11-02', name, 2)),
  ];
  const series = seriesOf(pointsOf(rows, 'model', 'requests'), times);
  expect(series.times).toHaveLength(3);
  expect(series.lines[0]).toEqual({ name: 'b', values: [0, 0, 9], whole: 9 });
  expect(series.lines.at(-1)?.name).toBe('others');
  expect(seriesOf(pointsOf(rows, 'model', 'tokens'), times).lines[0]?.whole).toBe(19);
});

it('divides what is a share or an average, and has no value where nothing was counted', () => {
  const cached = seriesOf(pointsOf([row('2026-11-01', 'a', 10), row('2026-11-02', 'a', 30)], 'model', 'cached'), times);
  expect(cached.lines).toEqual([{ name: 'a', values: [0.5, 0.75, null], whole: 40 / 60 }]);
  const pace = (at: number, requests: number, latency_ms: number | null) => ({
    at,
    name: 'a',
    requests,
    failed: 0,
    latency_ms,
    slowest_ms: 0,
    first_byte_ms: null,
  });
  const slow = seriesOf(pacePoints([pace(0, 1, 100), pace(0, 3, 500), pace(1, 5, null)]), [0, 1]);
  expect(slow.lines).toEqual([{ name: 'a', values: [400, null], whole: 400 }]);
});

it('leaves out what lies before or after', () => {
  expect(seriesOf([{ at: 5, name: 'a', value: 1 }], [0, 1]).lines).toEqual([{ name: 'a', values: [0, 0], whole: 0 }]);
});
