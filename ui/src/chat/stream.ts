/** Reading a streamed chat completion: bytes to events, events into an answer. */
import { type FluxEvent, folded } from './flux';
import type { Answer } from './tree';

type Delta = {
  content?: string | null;
  reasoning_content?: string | null;
  reasoning?: string | null;
  refusal?: string | null;
  tool_calls?: { index?: number; function?: { name?: string; arguments?: string } }[];
};
export type Chunk = {
  model?: string;
  choices?: { delta?: Delta; finish_reason?: string | null }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number; cost?: number | string } | null;
  flux?: FluxEvent;
  error?: { message?: string } | string;
};
export type Drafted = { text: string; answer: Answer };

/** The data of each event of a body; ends without [DONE] are the caller's to judge by `done`. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let kept = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      kept += value;
      const lines = kept.split(/\r\n|\n|\r(?!$)/);
      kept = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trimStart();
    }
  } finally {
    reader.cancel().catch(() => undefined); // it may have failed already, which the reading has said
  }
}

export function joined({ text, answer }: Drafted, chunk: Chunk): Drafted {
  const next: Answer = { ...answer };
  for (const choice of chunk.choices ?? []) {
    const delta = choice.delta ?? {};
    text += delta.content ?? delta.refusal ?? '';
    next.reasoning += delta.reasoning_content ?? delta.reasoning ?? '';
    for (const call of delta.tool_calls ?? []) {
      const tools = [...next.tools];
      const at = call.index ?? tools.length;
      const before = tools[at] ?? { name: '', arguments: '' };
      tools[at] = {
        name: before.name + (call.function?.name ?? ''),
        arguments: before.arguments + (call.function?.arguments ?? ''),
      };
      next.tools = tools;
    }
    if (choice.finish_reason) next.finish = choice.finish_reason;
  }
  if (chunk.usage) next.usage = { input: chunk.usage.prompt_tokens ?? 0, output: chunk.usage.completion_tokens ?? 0 };
  if (chunk.flux) next.flux = folded(next.flux, chunk.flux);
  if (chunk.error)
    next.error = typeof chunk.error === 'string' ? chunk.error : (chunk.error.message ?? 'The answer broke off.');
  return { text, answer: next };
}
