/** The conversations of this browser: in memory for the page, in IndexedDB for later. Nobody else's browser sees them. */
import { useSyncExternalStore } from 'react';
import { type Conversation, settled } from './tree';

const STORE = 'conversations';

export class Chats {
  private all: Record<string, Conversation> = {};
  private hearers = new Set<() => void>();
  private late = new Map<string, ReturnType<typeof setTimeout>>();
  private database: Promise<IDBDatabase | null>;
  loaded = false;

  constructor(owner: string) {
    this.database = opened(`conflux-chats:${owner}`);
    void this.load();
  }

  private async load(): Promise<void> {
    const database = await this.database;
    if (database) {
      const found = await done(database.transaction(STORE).objectStore(STORE).getAll() as IDBRequest<Conversation[]>);
      this.all = { ...Object.fromEntries(found.map((one) => [one.id, settled(one)])), ...this.all };
    }
    this.loaded = true;
    this.tell();
  }

  subscribe = (hearer: () => void): (() => void) => {
    this.hearers.add(hearer);
    return () => this.hearers.delete(hearer);
  };
  snapshot = (): Record<string, Conversation> => this.all;

  get(id: string): Conversation | undefined {
    return this.all[id];
  }

  change(id: string, change: (before: Conversation) => Conversation): void {
    const before = this.all[id];
    if (before) this.put(change(before));
  }

  put(conversation: Conversation): void {
    this.all = { ...this.all, [conversation.id]: conversation };
    this.tell();
    if (!this.late.has(conversation.id))
      this.late.set(
        conversation.id,
        setTimeout(() => void this.write(conversation.id), 400),
      );
  }

  async remove(id: string): Promise<void> {
    const { [id]: _, ...rest } = this.all;
    this.all = rest;
    this.tell();
    const database = await this.database;
    database?.transaction(STORE, 'readwrite').objectStore(STORE).delete(id);
  }

  private async write(id: string): Promise<void> {
    this.late.delete(id);
    const database = await this.database;
    const conversation = this.all[id];
    if (database && conversation) database.transaction(STORE, 'readwrite').objectStore(STORE).put(conversation);
  }

  private tell(): void {
    for (const hearer of this.hearers) hearer();
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser could not read its database'));
  });
}

/** null where the browser keeps nothing (some private windows): then conversations last as long as the page. */
async function opened(name: string): Promise<IDBDatabase | null> {
  if (typeof indexedDB === 'undefined') return null;
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
  return done(request).catch(() => null);
}

const owners = new Map<string, Chats>();

export function chatsOf(owner: string): Chats {
  const known = owners.get(owner) ?? new Chats(owner);
  owners.set(owner, known);
  return known;
}

export function useChats(chats: Chats): Record<string, Conversation> {
  return useSyncExternalStore(chats.subscribe, chats.snapshot);
}
