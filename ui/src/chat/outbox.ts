/** What the gateway has not taken yet, in this browser until it has: a page that closes loses nothing. */
import type { Node } from './tree';

export type Letter = { conversation: string; server?: string; title: string; created: number; node: Node };

const key = (owner: string, node: string) => `conflux-unsent:${owner}:${node}`;

export function put(owner: string, letter: Letter): void {
  try {
    localStorage.setItem(key(owner, letter.node.id), JSON.stringify(letter));
  } catch {
    // The browser is full, or keeps nothing: then it lasts as long as the page.
  }
}

export function take(owner: string, node: string): void {
  localStorage.removeItem(key(owner, node));
}

/** The oldest first: a message comes after what it answers. */
export function letters(owner: string): Letter[] {
  const found: Letter[] = [];
  for (let at = 0; at < localStorage.length; at++) {
    const name = localStorage.key(at);
    if (!name?.startsWith(key(owner, ''))) continue;
    try {
      found.push(JSON.parse(localStorage.getItem(name) ?? '') as Letter);
    } catch {
      localStorage.removeItem(name);
    }
  }
  return found.sort((a, b) => a.node.created - b.node.created);
}
