import { expect, it } from 'vitest';
import { callsOf } from './lines';

const line = (bucket: string, quantity: number) => ({ bucket, quantity, unit_price: '1', amount: '1' });
const call = (role: string, model: string, usage: Record<string, number> | null) => ({
  role,
  model,
  usage,
  status: 'done',
  latency_ms: 1,
  cost_usd: '0',
  reason: null,
});

it('gives each line to its call, also where two used as much', () => {
  const lines = [line('input', 40), line('output', 13), line('input', 40), line('output', 13), line('input', 9)];
  const used = { input: 40, output: 13 };
  const calls = [
    call('source', 'a', used),
    call('source', 'b', used),
    call('source', 'x', null),
    call('fuser', 'c', { input: 9 }),
  ];
  expect(callsOf({ lines, calls })).toEqual(['a as source', 'a as source', 'b as source', 'b as source', 'c as fuser']);
});

it('says nothing where the lines are not those of the calls', () => {
  expect(callsOf({ lines: [line('request', 1)], calls: [call('direct', 'a', { input: 1 })] })).toEqual([null]);
});
