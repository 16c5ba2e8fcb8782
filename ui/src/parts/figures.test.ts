import { expect, it } from 'vitest';
import { compact, millis, mostUsd, perMillion, size, usd, when } from './figures';

it('rounds money to what matters of it', () => {
  expect([
    usd('0'),
    usd('15'),
    usd('0.435'),
    usd('0.0000036'),
    usd('1234.5'),
    usd(null),
    usd('-2'),
    usd('0.6'),
    usd('0.30004'),
  ]).toEqual(['$0', '$15.00', '$0.435', '$0.0000036', '$1234.50', '–', '-$2.00', '$0.60', '$0.30']);
  expect([usd('100.5'), usd('999.999')]).toEqual(['$100.50', '$1000.00']);
  expect(perMillion('0.000003')).toBe('$3.00');
  expect(perMillion('')).toBe('–');
});

it('never says less than what is paid at most', () => {
  expect(['0.08201', '0.0000123001', '1.001', '0.07', '100', '0'].map(mostUsd)).toEqual([
    '$0.0821',
    '$0.0000124',
    '$1.01',
    '$0.07',
    '$100.00',
    '$0',
  ]);
});

it('shortens counts and times', () => {
  expect([compact(null), compact(999), compact(202_800), compact(1_048_576)]).toEqual(['–', '999', '202.8K', '1M']);
  expect([millis(12), millis(1500), millis(12_000), millis(null)]).toEqual(['12 ms', '1.5 s', '12 s', '–']);
});

it('tells a moment without the year that everybody knows, and sizes in their unit', () => {
  const at = new Date(2026, 10, 21, 9, 5).getTime();
  expect(when(at, at)).not.toContain('2026');
  expect(when(at, new Date(2027, 1, 1).getTime())).toContain('2026');
  expect([size(20), size(12_345), size(3_210_000)]).toEqual(['1 kB', '12 kB', '3.2 MB']);
});
