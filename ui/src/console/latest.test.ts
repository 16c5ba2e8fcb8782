import { expect, it } from 'vitest';
import type { Job } from '~/api/admin.gen';
import { latest } from './latest';

const job = (id: string, started: number, state: Job['state'] = 'done', about = ''): Job => ({
  id,
  kind: 'backup',
  about,
  by: 'ann',
  state,
  done: null,
  total: null,
  started,
  ended: state === 'running' ? null : started + 1,
  result: null,
  problem: null,
});

it('keeps what was begun here until a process says that it has ended', () => {
  const begun = job('b', 5, 'running');
  expect(latest([], null)).toBeUndefined();
  expect(latest([job('a', 1)], begun)).toBe(begun);
  expect(latest([job('b', 5), job('a', 1)], begun)?.state).toBe('done');
  expect(latest([job('c', 9), job('b', 5)], begun)?.id).toBe('c');
  expect(latest([job('a', 1, 'done', 'x'), job('d', 0, 'done', 'y')], null, 'y')?.id).toBe('d');
});
