import { describe, expect, it } from 'vitest';
import {
  added,
  asMarkdown,
  changed,
  childrenOf,
  comparedWith,
  type Node,
  pathOf,
  settled,
  started,
  titleOf,
  upTo,
} from './tree';

const node = (id: string, parent: string | null, more: Partial<Node> = {}): Node => ({
  id,
  parent,
  role: parent === null || more.role === 'user' ? 'user' : 'assistant',
  text: id,
  created: id.charCodeAt(0),
  ...more,
});
const talk = () => [node('a', null), node('b', 'a'), node('c', 'a')].reduce(added, started('t', 1));

describe('a conversation', () => {
  it('shows the newest branch, and another when it is chosen', () => {
    expect(pathOf(talk()).map((one) => one.id)).toEqual(['a', 'c']);
    const back = { ...talk(), chosen: { ...talk().chosen, a: 'b' } };
    expect(pathOf(back).map((one) => one.id)).toEqual(['a', 'b']);
    expect(childrenOf(back, 'a').map((one) => one.id)).toEqual(['b', 'c']);
  });
  it('comes back on the branch where something was said last', () => {
    const loaded = { ...added(talk(), node('d', 'b', { role: 'user' })), chosen: {} };
    expect(pathOf(loaded).map((one) => one.id)).toEqual(['a', 'b', 'd']);
  });
  it('tells a model only what came before on its branch', () => {
    expect(upTo(talk(), 'b').map((one) => one.id)).toEqual(['a', 'b']);
  });
  it('is named by its first question', () => {
    expect(talk().title).toBe('a');
    expect(titleOf(`${'x'.repeat(80)}\nmore`)).toHaveLength(58);
    expect(titleOf('  ')).toBe('New chat');
  });
  it('leaves nothing running after it was loaded', () => {
    const running = { model: 'm', state: 'running' as const, reasoning: '', tools: [] };
    const found = settled(changed(talk(), 'b', { text: 'half', answer: running }));
    expect(found.nodes.b?.answer?.state).toBe('stopped');
    expect(found.nodes.b?.text).toBe('half');
  });
  it('knows what is compared', () => {
    const answer = { model: 'm', state: 'done' as const, reasoning: '', tools: [], group: 'g' };
    const both = changed(changed(talk(), 'b', { answer }), 'c', { answer });
    expect(comparedWith(both, both.nodes.b as Node).map((one) => one.id)).toEqual(['b', 'c']);
  });
  it('is exported as it is shown', () => {
    expect(asMarkdown(talk())).toContain('## You\n\na\n');
    expect(asMarkdown(talk())).not.toContain('\n\nb\n');
  });
});
