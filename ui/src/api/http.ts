/** Asking the gateway. Every failure becomes an ApiError with words a person can act on. */
import { at } from '~/base';

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly requestId: string | null = null,
    readonly code: string | null = null,
  ) {
    super(message);
  }
  get offline(): boolean {
    return this.status === 0;
  }
}

// The word that proves to the gateway that its own page asks; the session's secret itself no script can read.
const word: { csrf: string | null; ended: () => void } = { csrf: null, ended: () => undefined };

const LEFT = 'This page is not signed in any more, so nothing was done. Sign in, or load the page anew.';

export function setCsrf(csrf: string | null): void {
  word.csrf = csrf;
}

/** What to do when the gateway knows the session no more, in the middle of work. */
export function onSessionEnd(act: () => void): void {
  word.ended = act;
}

export type Ask = { method?: string; body?: unknown; signal?: AbortSignal; headers?: Record<string, string> };

export async function raw(path: string, ask: Ask = {}): Promise<Response> {
  const headers: Record<string, string> = { ...ask.headers };
  const method = ask.method ?? (ask.body === undefined ? 'GET' : 'POST');
  // What reads of the admin API goes without, as it may: so it is the very request that the page's head has begun.
  if (word.csrf && !(method === 'GET' && path.startsWith('admin/'))) headers['x-conflux-csrf'] = word.csrf;
  if (ask.body !== undefined) headers['content-type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(at(path), {
      method,
      headers,
      body: ask.body === undefined ? null : JSON.stringify(ask.body),
      signal: ask.signal ?? null,
    });
  } catch (error) {
    if (ask.signal?.aborted) throw error;
    throw new ApiError(0, 'The gateway does not answer. It may be restarting.');
  }
  if (answer.ok) return answer;
  const failed = await failure(answer);
  if (!word.csrf || (answer.status !== 401 && failed.code !== 'csrf')) throw failed;
  word.ended();
  throw new ApiError(answer.status, LEFT, failed.requestId, failed.code);
}

export async function json<T>(path: string, ask: Ask = {}): Promise<T> {
  const answer = await raw(path, ask);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function failure(answer: Response): Promise<ApiError> {
  const id = answer.headers.get('x-request-id');
  const text = await answer.text();
  const { message, code } = wordsOf(text);
  return new ApiError(answer.status, message ?? `The gateway answered with status ${answer.status}.`, id, code);
}

/** The message in any of the gateway's error shapes. */
export function wordsOf(text: string): { message: string | null; code: string | null } {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null) return { message: null, code: null };
    const outer = body as Record<string, unknown>;
    const error = (typeof outer.error === 'object' && outer.error !== null ? outer.error : outer) as Record<
      string,
      unknown
    >;
    const message = error.message ?? outer.detail ?? outer.error;
    return {
      message: typeof message === 'string' ? message : null,
      code: typeof error.code === 'string' ? error.code : null,
    };
  } catch {
    return { message: null, code: null };
  }
}
