/** Figures for people. What is shown is rounded; what counts stays the exact text the gateway sent. */

type Money = string | number | null | undefined;

export const usd = (text: Money): string => money(text, false);

/** What is paid at most: never less than it is. */
export const mostUsd = (text: Money): string => money(text, true);

function money(text: Money, up: boolean): string {
  if (text === null || text === undefined || text === '') return '–';
  const amount = Number(text);
  if (!Number.isFinite(amount)) return '–';
  if (amount === 0) return '$0';
  const size = Math.abs(amount);
  const digits = size >= 1 ? 2 : size >= 0.01 ? 4 : Math.min(9, 2 - Math.floor(Math.log10(size)));
  const unit = 10 ** digits;
  const said = (up ? Math.ceil(amount * unit - 1e-8) / unit : amount).toFixed(digits);
  return `$${digits > 2 ? said.replace(/(\.\d\d\d*?)0+$/, '$1') : said}`.replace('$-', '-$');
}

/** What the gateway says as a text; where nothing is known the page has one sign for it. */
export const known = (text: string): string => (text === '-' ? '–' : text);

/** A price per token, as people compare them: per million. */
export function perMillion(perToken: string): string {
  return perToken === '' ? '–' : usd(Number(perToken) * 1e6);
}

export function compact(count: number | null | undefined): string {
  if (count === null || count === undefined) return '–';
  if (Math.abs(count) < 1000) return String(Math.round(count));
  const [size, unit] = Math.abs(count) >= 1e9 ? [1e9, 'B'] : Math.abs(count) >= 1e6 ? [1e6, 'M'] : [1e3, 'K'];
  return `${(count / size).toFixed(1).replace(/\.0$/, '')}${unit}`;
}

export function millis(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/** A moment; the year only where it is another. */
export function when(ms: number, now = Date.now()): string {
  const [at, here] = [new Date(ms), new Date(now)];
  return at.toLocaleString(undefined, {
    day: 'numeric',
    month: 'short',
    ...(at.getFullYear() === here.getFullYear() ? {} : { year: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
  });
}

/** The same to the second, for logs. */
export function exactly(ms: number): string {
  return new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

export function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
