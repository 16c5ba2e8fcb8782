/** Conversations as the gateway keeps them: sealed, for their user alone. A message is added and never changed. */
import { json } from '~/api/http';
import type { Answer, Conversation, Node } from './tree';

const PATH = 'admin/api/v1/conversations';

export type Head = { id: string; name: string; created: number; changed: number; messages: number };
type Body = {
  role: 'user' | 'assistant';
  content: string;
  node?: string; // the page's own name of it: what was sent twice is told by it
  created?: number;
  images?: string[];
  answer?: Omit<Answer, 'state'> & { state: Answer['state'] };
};
export type Message = { n: number; parent: number | null; created: number; body: Body };
export type Whole = Head & { tree: Message[] };
export type Heads = { data: Head[]; next: string | null };

const of = (id: string) => `${PATH}/${encodeURIComponent(id)}`;

export const heads = (sought: string, cursor?: string) => {
  const asked = new URLSearchParams({ limit: '100' });
  if (sought) asked.set('q', sought);
  if (cursor) asked.set('cursor', cursor);
  return json<Heads>(`${PATH}?${asked.toString()}`);
};
export const whole = (id: string) => json<Whole>(of(id));
export const begin = (name: string) => json<Head>(PATH, { body: { name } });
export const rename = (id: string, name: string) => json<Head>(of(id), { method: 'PATCH', body: { name } });
export const remove = (id: string) => json<unknown>(of(id), { method: 'DELETE' });
export const add = (id: string, parent: number | null, node: Node) =>
  json<Message>(`${of(id)}/messages`, { body: { parent, body: bodyOf(node) } });

export function bodyOf(node: Node): Body {
  return {
    role: node.role,
    content: node.text,
    node: node.id,
    created: node.created,
    ...(node.images?.length ? { images: node.images } : {}),
    ...(node.answer ? { answer: node.answer } : {}),
  };
}

/** As the page has it, and what each message is called there. A message that was sent twice is one. */
export function fromShelf(found: Whole): { conversation: Conversation; numbers: Map<string, number> } {
  const nodes: Record<string, Node> = {};
  const names = new Map<number, string>();
  const numbers = new Map<string, number>();
  for (const { n, parent, created, body } of [...found.tree].sort((a, b) => a.n - b.n)) {
    const id = body.node ?? `m${n}`;
    names.set(n, id);
    if (nodes[id]) continue;
    numbers.set(id, n);
    nodes[id] = {
      id,
      parent: parent === null ? null : (names.get(parent) ?? null),
      role: body.role === 'assistant' ? 'assistant' : 'user',
      text: typeof body.content === 'string' ? body.content : '',
      created: body.created ?? created,
      ...(body.images ? { images: body.images } : {}),
      ...(body.role === 'assistant'
        ? { answer: body.answer ?? { model: '', state: 'done' as const, reasoning: '', tools: [] } }
        : {}),
    };
  }
  const conversation = {
    id: found.id,
    server: found.id,
    title: found.name,
    created: found.created,
    updated: found.changed,
    nodes,
    chosen: {},
  };
  return { conversation, numbers };
}
