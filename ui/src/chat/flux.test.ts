import { expect, it } from 'vitest';
import { type FluxEvent, type FluxState, folded } from './flux';

it('follows a panel from its announcement to what each seat cost', () => {
  const events: FluxEvent[] = [
    {
      event: 'panel',
      sources: [{ model: 'a', name: 'A', worst_case_usd: '0.1' }, { model: 'b' }],
      fuser: { model: 'f' },
      analysis: null,
      quorum: 1,
      worst_case_usd: '0.3',
    },
    { event: 'source', index: 0, status: 'running' },
    { event: 'source', index: 0, status: 'done', latency_ms: 20 },
    { event: 'source', index: 1, status: 'failed', latency_ms: 5, reason: 'refused' },
    { event: 'fuser', status: 'running' },
    {
      event: 'result',
      sources: 2,
      degraded: false,
      calls: [
        { role: 'source', index: 0, model: 'a', status: 'failed', latency_ms: 1, cost_usd: '0', reason: 'busy' },
        { role: 'source', index: 0, model: 'a', status: 'done', latency_ms: 21, cost_usd: '0.01' },
        { role: 'source', index: 1, model: 'b', status: 'failed', latency_ms: 5, cost_usd: '0', reason: 'refused' },
        { role: 'fuser', model: 'f', status: 'failed', latency_ms: 2, cost_usd: '0', reason: 'busy' },
        { role: 'fuser', model: 'f', status: 'done', latency_ms: 9, cost_usd: '0.02' },
      ],
      exposed: { drafts: [{ model: 'a', text: 'a draft' }] },
    },
  ];
  const state = events.reduce<FluxState | undefined>(folded, undefined);
  expect(state?.worst).toBe('0.3');
  expect(state?.sources[0]).toMatchObject({ name: 'A', status: 'done', latencyMs: 21, cost: '0.01', draft: 'a draft' });
  expect(state?.sources[1]).toMatchObject({ status: 'failed', reason: 'refused' });
  expect(state?.sources[1]?.draft).toBeUndefined();
  expect(state?.fuser).toMatchObject({ status: 'done', cost: '0.02' });
});

it('puts no price on what the simulator answers', () => {
  const events: FluxEvent[] = [
    { event: 'panel', sources: [{ model: 'a', worst_case_usd: '0.1' }], worst_case_usd: '0.3', simulated: true },
    { event: 'result', calls: [{ role: 'source', index: 0, model: 'a', status: 'done', cost_usd: '0.01' }] },
  ];
  const state = events.reduce<FluxState | undefined>(folded, undefined);
  expect(state?.worst).toBeUndefined();
  expect(state?.sources[0]).toEqual({ model: 'a', name: 'a', status: 'done' });
});
