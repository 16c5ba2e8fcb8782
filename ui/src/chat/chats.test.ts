// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Chats } from './chats';
import { letters } from './outbox';
import { fromShelf, type Message, type Whole } from './shelf';
import { added, type Node, pathOf, started } from './tree';

/** The gateway's conversations, as far as the page sees them; away: nobody answers. */
class Gateway {
  whole = new Map<string, Whole>();
  away = false;
  refuse = 0;
  answer = async (address: string, ask: RequestInit): Promise<Response> => {
    if (this.away) throw new TypeError('nobody there');
    if (this.refuse) return Response.json({ error: { message: 'no' } }, { status: this.refuse });
    const [id, messages] = (address.split('/conversations')[1]?.split('?')[0] ?? '').split('/').filter(Boolean);
    const body = ask.body ? JSON.parse(String(ask.body)) : null;
    const known = this.whole.get(id ?? '');
    if (!id && ask.method === 'POST') return Response.json(this.begun(body.name));
    if (!id) return Response.json({ data: [...this.whole.values()], next: null });
    if (!known) return Response.json({ error: { message: 'not there' } }, { status: 404 });
    if (messages) {
      const made: Message = { n: known.tree.length + 1, parent: body.parent, created: 1, body: body.body };
      known.tree.push(made);
      return Response.json(made);
    }
    return Response.json(known);
  };
  private begun(name: string): Whole {
    const id = `conv_${this.whole.size + 1}`;
    const made = { id, name, created: 1, changed: 1, messages: 0, tree: [] };
    this.whole.set(id, made);
    return made;
  }
}

let gateway: Gateway;
const node = (id: string, parent: string | null): Node => ({ id, parent, role: 'user', text: id, created: 1 });

beforeEach(() => {
  gateway = new Gateway();
  localStorage.clear();
  vi.stubGlobal('fetch', gateway.answer);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function talk(): Chats {
  const chats = new Chats('acme/ann', true);
  chats.put(added(added(started('c1', 1), node('a', null)), node('b', 'a')));
  return chats;
}

it('keeps what was said, each below what it answers', async () => {
  const chats = talk();
  chats.keep('c1', node('a', null));
  chats.keep('c1', node('b', 'a'));
  await vi.advanceTimersByTimeAsync(0);
  const kept = gateway.whole.get('conv_1');
  expect(kept?.name).toBe('a');
  expect(kept?.tree.map((one) => [one.parent, one.body.content])).toEqual([
    [null, 'a'],
    [1, 'b'],
  ]);
  expect(chats.find('conv_1')?.id).toBe('c1');
  expect(letters('acme/ann')).toEqual([]);
});

it('offers again what a gateway that is away did not take', async () => {
  const chats = talk();
  gateway.away = true;
  chats.keep('c1', node('a', null));
  await vi.advanceTimersByTimeAsync(600);
  expect(chats.snapshot().waiting).toBe(true);
  expect(letters('acme/ann')).toHaveLength(1);
  gateway.away = false;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(gateway.whole.get('conv_1')?.tree).toHaveLength(1);
  expect(chats.snapshot().waiting).toBe(false);
});

it('delivers after the page was left', async () => {
  gateway.away = true;
  const left = talk();
  left.hold('c1', node('a', null));
  gateway.away = false;
  const back = new Chats('acme/ann', true);
  await vi.advanceTimersByTimeAsync(0);
  expect(gateway.whole.get('conv_1')?.tree[0]?.body.content).toBe('a');
  expect(back.find('conv_1')).toBeDefined();
  expect(letters('acme/ann')).toEqual([]);
  expect(letters('acme/bob')).toEqual([]);
});

it('delivers to a conversation that is being opened at that moment', async () => {
  const first = talk();
  first.keep('c1', node('a', null));
  await vi.advanceTimersByTimeAsync(0);
  first.hold('c1', node('b', 'a'));
  const back = new Chats('acme/ann', true);
  void back.open('conv_1');
  await vi.advanceTimersByTimeAsync(10);
  expect(gateway.whole.get('conv_1')?.tree.map((one) => one.body.content)).toEqual(['a', 'b']);
  expect(Object.keys(back.find('conv_1')?.nodes ?? {})).toEqual(['a', 'b']);
});

it('goes on without pictures that the gateway does not take, and gives up what it refuses', async () => {
  const chats = talk();
  gateway.refuse = 400;
  chats.keep('c1', { ...node('a', null), images: ['data:image/png;base64,AAAA'] });
  await vi.advanceTimersByTimeAsync(10);
  expect(letters('acme/ann')).toEqual([]);
  expect(chats.snapshot().waiting).toBe(false);
});

it('keeps nothing where the gateway keeps none', async () => {
  const chats = new Chats('acme/ann', false);
  chats.put(added(started('c1', 1), node('a', null)));
  chats.keep('c1', node('a', null));
  await vi.advanceTimersByTimeAsync(10);
  expect(gateway.whole.size).toBe(0);
});

it('shows a message that was sent twice once, and its answers below it', () => {
  const message = (n: number, parent: number | null, id: string): Message => ({
    n,
    parent,
    created: n,
    body: { role: n < 3 ? 'user' : 'assistant', content: id, node: id },
  });
  const tree = [message(1, null, 'a'), message(2, null, 'a'), message(3, 2, 'b')];
  const { conversation } = fromShelf({ id: 'conv_1', name: 'x', created: 1, changed: 1, messages: 3, tree });
  expect(pathOf(conversation).map((one) => one.id)).toEqual(['a', 'b']);
});
