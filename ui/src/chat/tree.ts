/** A conversation is a tree: an edited question and an answer asked for again stand beside the first, none replaces another. */
import type { FluxState } from './flux';

export type ToolCall = { name: string; arguments: string };
export type AnswerState = 'running' | 'done' | 'stopped' | 'failed';
export type Usage = { input: number; output: number };
export type Answer = {
  model: string;
  state: AnswerState;
  reasoning: string;
  tools: ToolCall[];
  served?: string;
  error?: string;
  unpaid?: boolean; // the budget or the credits are used up
  lost?: boolean; // the connection went away: asking again is worthwhile
  finish?: string;
  requestId?: string;
  usage?: Usage;
  cost?: string;
  credits?: string;
  simulated?: boolean;
  seconds?: number;
  group?: string; // answers with the same one are compared side by side
  flux?: FluxState;
};
export type Node = {
  id: string;
  parent: string | null;
  role: 'user' | 'assistant';
  text: string;
  images?: string[];
  created: number;
  answer?: Answer;
};
export type Conversation = {
  id: string;
  server?: string; // what the gateway calls it, once it keeps it
  title: string;
  created: number;
  updated: number;
  nodes: Record<string, Node>;
  chosen: Record<string, string>; // parent's id ("" above the first) -> the child that is shown
};

export function started(id: string, now: number): Conversation {
  return { id, title: 'New chat', created: now, updated: now, nodes: {}, chosen: {} };
}

type Order = { children: Map<string | null, Node[]>; latest: Map<string, number> };
const orders = new WeakMap<Conversation['nodes'], Order>();

function orderOf({ nodes }: Conversation): Order {
  const known = orders.get(nodes);
  if (known) return known;
  const order: Order = { children: new Map(), latest: new Map() };
  const sorted = Object.values(nodes).sort(
    (a, b) => a.created - b.created || a.id.localeCompare(b.id, 'en', { numeric: true }),
  );
  for (const node of sorted) {
    const beside = order.children.get(node.parent);
    if (beside) beside.push(node);
    else order.children.set(node.parent, [node]);
    for (let at: Node | undefined = node; at; at = at.parent === null ? undefined : nodes[at.parent])
      order.latest.set(at.id, node.created);
  }
  orders.set(nodes, order);
  return order;
}

export function childrenOf(conversation: Conversation, parent: string | null): Node[] {
  return orderOf(conversation).children.get(parent) ?? [];
}

/** The one that was chosen, or else the one on whose branch something was said last. */
function shownChild(conversation: Conversation, parent: string | null): Node | undefined {
  const chosen = conversation.nodes[conversation.chosen[parent ?? ''] ?? ''];
  if (chosen?.parent === parent) return chosen;
  const { children, latest } = orderOf(conversation);
  return children
    .get(parent)
    ?.reduce((best, node) => ((latest.get(node.id) ?? 0) >= (latest.get(best.id) ?? 0) ? node : best));
}

/** What is on the page, from the first question on. */
export function pathOf(conversation: Conversation): Node[] {
  const path: Node[] = [];
  let next = shownChild(conversation, null);
  while (next) {
    path.push(next);
    next = shownChild(conversation, next.id);
  }
  return path;
}

/** A node and everything before it: what a model is told. */
export function upTo(conversation: Conversation, id: string): Node[] {
  const path: Node[] = [];
  let node = conversation.nodes[id];
  while (node) {
    path.unshift(node);
    node = node.parent === null ? undefined : conversation.nodes[node.parent];
  }
  return path;
}

export function added(conversation: Conversation, node: Node): Conversation {
  return {
    ...conversation,
    updated: node.created,
    title: node.role === 'user' && node.parent === null ? titleOf(node.text) : conversation.title,
    nodes: { ...conversation.nodes, [node.id]: node },
    chosen: { ...conversation.chosen, [node.parent ?? '']: node.id },
  };
}

export function changed(conversation: Conversation, id: string, change: Partial<Node>): Conversation {
  const node = conversation.nodes[id];
  if (!node) return conversation;
  return { ...conversation, nodes: { ...conversation.nodes, [id]: { ...node, ...change } } };
}

export function chose(conversation: Conversation, id: string): Conversation {
  const node = conversation.nodes[id];
  if (!node) return conversation;
  return { ...conversation, chosen: { ...conversation.chosen, [node.parent ?? '']: id } };
}

/** The answers to compare with this one, itself among them; alone where nothing is compared. */
export function comparedWith(conversation: Conversation, node: Node): Node[] {
  const group = node.answer?.group;
  if (!group) return [node];
  return childrenOf(conversation, node.parent).filter((other) => other.answer?.group === group);
}

export const LEFT = 'The page was left meanwhile.';

/** Nothing runs any more after the page was loaded anew: what was under way then was cut off. */
export function settled(conversation: Conversation): Conversation {
  const nodes = Object.fromEntries(
    Object.entries(conversation.nodes).map(([id, node]) =>
      node.answer?.state === 'running'
        ? [id, { ...node, answer: { ...node.answer, state: 'stopped' as const, error: LEFT } }]
        : [id, node],
    ),
  );
  return { ...conversation, nodes };
}

export function titleOf(text: string): string {
  const line = text.trim().split('\n')[0]?.trim() ?? '';
  return line.length > 60 ? `${line.slice(0, 57).trimEnd()}…` : line || 'New chat';
}

export function asMarkdown(conversation: Conversation): string {
  const parts = pathOf(conversation).map((node) => {
    const who = node.role === 'user' ? 'You' : (node.answer?.served ?? node.answer?.model ?? 'Assistant');
    return `## ${who}\n\n${node.text}\n`;
  });
  return `# ${conversation.title}\n\n${parts.join('\n')}`;
}
