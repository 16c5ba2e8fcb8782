/** One's conversations: in memory for the page, on the gateway for later, and between the two nothing is lost. */
import { useSyncExternalStore } from 'react';
import { ApiError } from '~/api/http';
import * as outbox from './outbox';
import * as shelf from './shelf';
import { type Conversation, type Node, settled, started } from './tree';

const PAUSES = [500, 1_000, 2_000, 5_000, 10_000];

export type View = {
  all: Record<string, Conversation>; // by the name that the page gave them
  heads: shelf.Head[];
  next: string | null; // more of them are on the gateway
  listed: boolean;
  failed: Record<string, Error>; // conversations that could not be opened
  waiting: boolean; // the gateway does not take what is to be kept
};

export class Chats {
  private view: View = { all: {}, heads: [], next: null, listed: false, failed: {}, waiting: false };
  private hearers = new Set<() => void>();
  private numbers = new Map<string, number>(); // of messages the gateway has
  private lines = new Map<string, Promise<void>>(); // one message of a conversation after the other
  private opening = new Map<string, Promise<Conversation | undefined>>();

  constructor(
    private readonly owner: string,
    readonly kept: boolean, // does the gateway keep conversations at all?
  ) {
    if (!kept) return;
    void this.list();
    void this.deliver();
  }

  subscribe = (hearer: () => void): (() => void) => {
    this.hearers.add(hearer);
    return () => this.hearers.delete(hearer);
  };
  snapshot = (): View => this.view;

  get(id: string): Conversation | undefined {
    return this.view.all[id];
  }

  /** By the page's name or the gateway's. */
  find(id: string): Conversation | undefined {
    return this.view.all[id] ?? Object.values(this.view.all).find((one) => one.server === id);
  }

  change(id: string, change: (before: Conversation) => Conversation): void {
    const before = this.view.all[id];
    if (before) this.put(change(before));
  }

  put(conversation: Conversation): void {
    this.set({ all: { ...this.view.all, [conversation.id]: conversation } });
  }

  /** Reads the newest names again, or the next page of them. */
  async list(cursor?: string): Promise<void> {
    try {
      const found = await shelf.heads('', cursor);
      const fresh = new Set(found.data.map((one) => one.id));
      const before = cursor ? this.view.heads.filter((one) => !fresh.has(one.id)) : [];
      this.set({ heads: [...before, ...found.data], next: found.next, listed: true });
    } catch {
      this.set({ listed: true }); // the page says by itself that the gateway does not answer
    }
  }

  /** Whoever asks meanwhile waits for the same answer. */
  open(id: string): Promise<Conversation | undefined> {
    const known = this.find(id);
    if (known || !this.kept) return Promise.resolve(known);
    const asked = this.opening.get(id) ?? this.fetch(id).finally(() => this.opening.delete(id));
    this.opening.set(id, asked);
    return asked;
  }

  private async fetch(id: string): Promise<Conversation | undefined> {
    try {
      const { conversation, numbers } = shelf.fromShelf(await shelf.whole(id));
      for (const [node, n] of numbers) this.numbers.set(node, n);
      this.put(conversation);
      return conversation;
    } catch (error) {
      this.set({ failed: { ...this.view.failed, [id]: error as Error } });
      return undefined;
    }
  }

  forget(id: string): void {
    const { [id]: _, ...failed } = this.view.failed;
    this.set({ failed });
  }

  async rename(id: string, title: string): Promise<void> {
    const known = this.find(id);
    if (known) this.put({ ...known, title });
    this.set({ heads: this.view.heads.map((one) => (one.id === id ? { ...one, name: title } : one)) });
    const server = known?.server ?? id;
    if (this.kept && (!known || known.server)) await shelf.rename(server, title);
  }

  async remove(id: string): Promise<void> {
    const known = this.find(id);
    if (this.kept && (!known || known.server)) await shelf.remove(known?.server ?? id);
    const { [known?.id ?? id]: _, ...all } = this.view.all;
    this.set({ all, heads: this.view.heads.filter((one) => one.id !== (known?.server ?? id)) });
  }

  /** Keeps a message that is whole. What the gateway cannot take now it is offered again. */
  keep(id: string, node: Node): void {
    const conversation = this.view.all[id];
    if (!this.kept || !conversation) return;
    outbox.put(this.owner, letterOf(conversation, node));
    const line = (this.lines.get(id) ?? Promise.resolve()).then(() => this.send(id, node));
    this.lines.set(id, line);
  }

  /** The page is being left: what is half there is kept for when it comes back. */
  hold(id: string, node: Node): void {
    const conversation = this.view.all[id];
    if (this.kept && conversation) outbox.put(this.owner, letterOf(conversation, node));
  }

  private async send(id: string, node: Node): Promise<void> {
    for (let again = 0; this.view.all[id]; again++) {
      try {
        await this.hand(id, node);
        if (this.view.waiting) this.set({ waiting: false });
        break;
      } catch (error) {
        const passes = !(error instanceof ApiError) || error.offline || error.status >= 500 || error.status === 401;
        if (!passes && !node.images?.length) break; // it will never be taken, and the page has it still
        if (passes) {
          this.set({ waiting: true });
          await new Promise((resolve) => setTimeout(resolve, PAUSES[Math.min(again, PAUSES.length - 1)]));
        } else node = { ...node, images: [] };
      }
    }
    outbox.take(this.owner, node.id);
  }

  private async hand(id: string, node: Node): Promise<void> {
    let conversation = this.view.all[id];
    if (!conversation || this.numbers.has(node.id)) return;
    if (!conversation.server) {
      const made = await shelf.begin(conversation.title.slice(0, 200));
      conversation = { ...(this.view.all[id] ?? conversation), server: made.id };
      this.set({
        all: { ...this.view.all, [id]: conversation },
        heads: [made, ...this.view.heads],
      });
    }
    const server = conversation.server ?? '';
    const parent = node.parent === null ? null : (this.numbers.get(node.parent) ?? null);
    const taken = await shelf.add(server, parent, node);
    this.numbers.set(node.id, taken.n);
    const changed = { changed: Math.max(taken.created, node.created) };
    this.set({ heads: this.view.heads.map((one) => (one.id === server ? { ...one, ...changed } : one)) });
  }

  /** What an earlier page could not hand over. */
  private async deliver(): Promise<void> {
    for (const letter of outbox.letters(this.owner)) {
      const place = letter.server ?? letter.conversation;
      const known = letter.server ? await this.open(letter.server) : this.find(place);
      const conversation = known ?? { ...started(letter.conversation, letter.created), title: letter.title };
      if (letter.server && !known) {
        const failed = this.view.failed[letter.server];
        if (failed instanceof ApiError && failed.status === 404) outbox.take(this.owner, letter.node.id); // deleted
        continue; // else the gateway is away, and the letter stays
      }
      const node = settled({ ...conversation, nodes: { [letter.node.id]: letter.node } }).nodes[letter.node.id];
      if (!node) continue;
      this.put({ ...conversation, nodes: { ...conversation.nodes, [node.id]: node } });
      this.keep(conversation.id, node);
    }
  }

  private set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    for (const hearer of this.hearers) hearer();
  }
}

function letterOf({ id, server, title, created }: Conversation, node: Node): outbox.Letter {
  return { conversation: id, ...(server ? { server } : {}), title, created, node };
}

let last: { owner: string; chats: Chats } | null = null;

/** Those of who is signed in; whoever was before is forgotten. */
export function chatsOf(owner: string, kept: boolean): Chats {
  if (last?.owner !== owner) last = { owner, chats: new Chats(owner, kept) };
  return last.chats;
}

export function useChats(chats: Chats): View {
  return useSyncExternalStore(chats.subscribe, chats.snapshot);
}
