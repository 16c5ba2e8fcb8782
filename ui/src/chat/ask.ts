/** Asking models and taking in their answers. What was streamed is never lost, however the stream ends. */
import { ApiError, json, raw } from '~/api/http';
import type { Chats } from './chats';
import { arrived, draftOf, landed } from './live';
import { type Chunk, type Drafted, eventsOf, joined } from './stream';
import { type Answer, added, type Conversation, changed, LEFT, type Node, upTo } from './tree';

export type FluxWish = { sources?: string[]; fuser?: string };
export type Wish = { models: string[]; flux: FluxWish | null; reasoning?: string | null };
type Receipt = { cost_usd: string; credits: string; served_model: string; simulated: boolean };

const running = new Map<string, AbortController>();
const page = { left: false };
const loose = new Map<string, { chats: Chats; id: string }>(); // answers that are not kept yet

export function stop(id: string): void {
  running.get(id)?.abort();
}

const fresh = (): string =>
  crypto.randomUUID?.() ?? `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

/** A question after `parent`, and the answers of all who are asked. */
export function askAfter(
  chats: Chats,
  id: string,
  parent: string | null,
  text: string,
  images: string[],
  wish: Wish,
): void {
  const question: Node = {
    id: fresh(),
    parent,
    role: 'user',
    text,
    created: Date.now(),
    ...(images.length > 0 ? { images } : {}),
  };
  chats.change(id, (before) => added(before, question));
  chats.keep(id, question);
  answer(chats, id, question.id, wish);
}

/** Answers to a question that is there already. */
export function answer(chats: Chats, id: string, question: string, wish: Wish): void {
  const group = wish.models.length > 1 && !wish.flux ? fresh() : undefined;
  const models = wish.flux ? ['Flux'] : wish.models;
  const made = models.map(
    (model, index): Node => ({
      id: fresh(),
      parent: question,
      role: 'assistant',
      text: '',
      created: Date.now() + index,
      answer: { model, state: 'running', reasoning: '', tools: [], ...(group ? { group } : {}) },
    }),
  );
  for (const node of made) chats.change(id, (before) => added(before, node));
  const first = made[0];
  if (first && made.length > 1)
    chats.change(id, (before) => ({ ...before, chosen: { ...before.chosen, [question]: first.id } }));
  for (const node of made) void run(chats, id, node, wish);
}

async function run(chats: Chats, id: string, node: Node, wish: Wish): Promise<void> {
  const abort = new AbortController();
  running.set(node.id, abort);
  loose.set(node.id, { chats, id });
  const began = performance.now();
  let draft: Drafted = { text: '', answer: node.answer as Answer };
  const take = (change: Partial<Answer>) => {
    draft = { ...draft, answer: { ...draft.answer, ...change } };
  };
  try {
    const conversation = chats.get(id);
    if (!conversation) return;
    const sent = await raw('v1/chat/completions', { body: bodyOf(conversation, node, wish), signal: abort.signal });
    const served = sent.headers.get('x-conflux-served-model');
    take({
      requestId: sent.headers.get('x-request-id') ?? '',
      simulated: sent.headers.get('x-conflux-simulated') === 'true',
      ...(served ? { served } : {}),
    });
    let complete = false;
    if (sent.body)
      for await (const data of eventsOf(sent.body)) {
        if (data === '[DONE]') {
          complete = true;
          break;
        }
        draft = joined(draft, JSON.parse(data) as Chunk);
        arrived(node.id, draft);
      }
    if (draft.answer.error) take({ state: 'failed' });
    else if (complete) take({ state: 'done' });
    else take(CUT);
  } catch (error) {
    if (abort.signal.aborted) take({ state: 'stopped' });
    else if (page.left) take({ state: 'stopped', error: LEFT });
    else if (error instanceof ApiError)
      take({
        state: 'failed',
        error: error.message,
        lost: error.offline,
        requestId: error.requestId ?? '',
        ...(error.status === 402 || error.code === 'budget_exceeded' ? { unpaid: true } : {}),
      });
    else take(CUT);
  } finally {
    running.delete(node.id);
    take({ seconds: (performance.now() - began) / 1000 });
    chats.change(id, (before) => changed(before, node.id, { text: draft.text, answer: draft.answer }));
    landed(node.id);
  }
  if (draft.answer.requestId && draft.answer.state !== 'failed')
    await price(chats, id, node.id, draft.answer.requestId);
  const whole = chats.get(id)?.nodes[node.id];
  if (whole) chats.keep(id, whole);
  loose.delete(node.id);
}

/** Whoever leaves the page finds what had arrived when they come back. */
export function holdAll(): void {
  page.left = true;
  for (const [name, { chats, id }] of loose) {
    const node = chats.get(id)?.nodes[name];
    const draft = draftOf(name);
    if (node) chats.hold(id, draft ? { ...node, text: draft.text, answer: draft.answer } : node);
  }
}

const CUT = {
  state: 'failed' as const,
  lost: true,
  error: 'The connection to the gateway was lost while the answer was on its way. What had arrived is kept.',
};

/** The receipt says what it really cost. A stopped answer is settled a moment after. */
async function price(chats: Chats, id: string, node: string, request: string): Promise<void> {
  for (const wait of [0, 400, 1500]) {
    if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      const receipt = await json<Receipt>(`v1/receipts/${encodeURIComponent(request)}`);
      const known = chats.get(id)?.nodes[node];
      if (!known?.answer) return;
      const served = receipt.served_model || known.answer.served;
      const settled: Answer = {
        ...known.answer,
        cost: receipt.cost_usd,
        credits: receipt.credits,
        simulated: receipt.simulated,
      };
      chats.change(id, (before) => changed(before, node, { answer: served ? { ...settled, served } : settled }));
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) return; // the price stays unknown; the answer is whole
    }
  }
}

type Part = { type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } };
type Message = { role: string; content: string | Part[] };

export function bodyOf(conversation: Conversation, node: Node, wish: Wish): Record<string, unknown> {
  const before = upTo(conversation, node.id).slice(0, -1);
  return asked(
    before.flatMap((one) => messageOf(one) ?? []),
    wish,
    node.answer?.model,
  );
}

/** What would be sent, were the text sent now; pictures are left behind. */
export function wouldBe(before: Node[], text: string, wish: Wish): Record<string, unknown> {
  const said = before.flatMap((one) => messageOf({ ...one, images: [] }) ?? []);
  return asked([...said, { role: 'user', content: text }], wish, wish.models[0]);
}

function asked(messages: Message[], wish: Wish, model: string | undefined): Record<string, unknown> {
  const body: Record<string, unknown> = { messages, stream: true, stream_options: { include_usage: true } };
  if (wish.flux) body.flux = { ...wish.flux, progress: 'chunk', expose: 'full' };
  else body.model = model;
  if (wish.reasoning && !wish.flux) body.reasoning_effort = wish.reasoning;
  return body;
}

function messageOf(node: Node): Message | null {
  if (node.role === 'assistant') return node.text ? { role: 'assistant', content: node.text } : null;
  if (!node.images?.length) return { role: 'user', content: node.text };
  const images = node.images.map((url): Part => ({ type: 'image_url', image_url: { url } }));
  return { role: 'user', content: [{ type: 'text', text: node.text }, ...images] };
}
