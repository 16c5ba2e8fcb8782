/** Which call each line of a receipt is of: lines follow the calls, in their order; null where that cannot be told. */
import type { Receipt } from '~/api/usage';

export function callsOf({ lines, calls }: Pick<Receipt, 'lines' | 'calls'>): (string | null)[] {
  const found: string[] = [];
  for (const call of calls) {
    const seen = new Set<string>();
    for (let line = lines[found.length]; line !== undefined; line = lines[found.length]) {
      if (seen.has(line.bucket) || call.usage?.[line.bucket] !== line.quantity) break;
      seen.add(line.bucket);
      found.push(call.role === 'direct' ? call.model : `${call.model} as ${call.role}`);
    }
  }
  return found.length === lines.length ? found : lines.map(() => null);
}
