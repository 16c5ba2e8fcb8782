/** Answers on their way, apart from the conversations: a token repaints the answer it belongs to and nothing else. */
import { useSyncExternalStore } from 'react';
import type { Drafted } from './stream';

const drafts = new Map<string, Drafted>();
const hearers = new Map<string, Set<() => void>>();
const waiting = new Map<string, number>();

function tell(id: string): void {
  for (const hearer of hearers.get(id) ?? []) hearer();
}

/** Takes what has arrived; it is painted with the next frame, however many tokens come before it. */
export function arrived(id: string, draft: Drafted): void {
  drafts.set(id, draft);
  if (waiting.has(id)) return;
  waiting.set(
    id,
    requestAnimationFrame(() => {
      waiting.delete(id);
      tell(id);
    }),
  );
}

/** It is in its conversation now. */
export function landed(id: string): void {
  const frame = waiting.get(id);
  if (frame !== undefined) cancelAnimationFrame(frame);
  waiting.delete(id);
  drafts.delete(id);
  tell(id);
}

export function draftOf(id: string): Drafted | undefined {
  return drafts.get(id);
}

export function useDraft(id: string): Drafted | undefined {
  return useSyncExternalStore(
    (hearer) => {
      const all = hearers.get(id) ?? new Set();
      hearers.set(id, all.add(hearer));
      return () => {
        all.delete(hearer);
        if (all.size === 0) hearers.delete(id);
      };
    },
    () => drafts.get(id),
  );
}
