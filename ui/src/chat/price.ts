/** What a question may cost at most, before it is asked. An estimate: the gateway's own hold is what counts. */
import type { Model } from '~/api/models';
import type { Conversation } from './tree';
import { pathOf } from './tree';

const DEFAULT_OUTPUT = 4096;
const BYTES_PER_TOKEN = 3; // on the safe side

export function tokensOf(conversation: Conversation | undefined, typed: string): number {
  const before = conversation ? pathOf(conversation) : [];
  const letters = before.reduce((sum, node) => sum + node.text.length, typed.length);
  const images = before.reduce((sum, node) => sum + (node.images?.length ?? 0), 0);
  return Math.ceil(letters / BYTES_PER_TOKEN) + images * 1000 + 8;
}

export function worstOf(model: Model, input: number): number {
  return input * Number(model.pricing.prompt || 0) + longest(model) * Number(model.pricing.completion || 0);
}

function longest(model: Model): number {
  return Math.min(model.max_output_length ?? DEFAULT_OUTPUT, DEFAULT_OUTPUT);
}
