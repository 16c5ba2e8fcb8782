import { describe, expect, it } from 'vitest';
import { eventsOf, joined } from './stream';

async function read(pieces: string[]): Promise<string[]> {
  const bytes = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(bytes.encode(piece));
      controller.close();
    },
  });
  const found: string[] = [];
  for await (const data of eventsOf(body)) found.push(data);
  return found;
}

const empty = () => ({ text: '', answer: { model: 'm', state: 'running' as const, reasoning: '', tools: [] } });

describe('the events of a stream', () => {
  it('are the same however the bytes are cut', async () => {
    const whole = 'data: {"a":1}\r\n\r\n: a comment\n\ndata: ü\n\ndata: [DONE]\n\n';
    const wanted = ['{"a":1}', 'ü', '[DONE]'];
    expect(await read([whole])).toEqual(wanted);
    expect(await read([...whole])).toEqual(wanted);
  });
});

describe('an answer', () => {
  it('gathers text, thoughts, tool calls, usage and errors', () => {
    const chunks = [
      { choices: [{ delta: { reasoning_content: 'hm' } }] },
      { choices: [{ delta: { content: 'one ' } }] },
      {
        choices: [
          { delta: { content: 'two', tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"x"' } }] } },
        ],
      },
      { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }, finish_reason: 'stop' }] },
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
    ];
    const { text, answer } = chunks.reduce(joined, empty());
    expect(text).toBe('one two');
    expect(answer).toMatchObject({
      reasoning: 'hm',
      tools: [{ name: 'f', arguments: '{"x":1}' }],
      finish: 'stop',
      usage: { input: 3, output: 2 },
    });
    expect(joined(empty(), { error: { message: 'it broke' } }).answer.error).toBe('it broke');
  });
});
