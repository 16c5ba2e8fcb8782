import { expect, it } from 'vitest';
import { compact, millis, perMillion, usd } from './figures';

it('rounds money to what matters of it', () => {
  expect([usd('0'), usd('15'), usd('0.435'), usd('0.0000036'), usd('1234.5'), usd(null), usd('-2')]).toEqual([
    '$0',
    '$15.00',
    '$0.435',
    '$0.0000036',
    '$1235',
    '–',
    '-$2.00',
  ]);
  expect(perMillion('0.000003')).toBe('$3.00');
  expect(perMillion('')).toBe('–');
});

it('shortens counts and times', () => {
  expect([compact(null), compact(999), compact(202_800), compact(1_048_576)]).toEqual(['–', '999', '202.8K', '1M']);
  expect([millis(12), millis(1500), millis(12_000), millis(null)]).toEqual(['12 ms', '1.5 s', '12 s', '–']);
});
