// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from 'vitest';
import { json, onSessionEnd, setCsrf, wordsOf } from './http';

afterEach(() => {
  setCsrf(null);
  vi.unstubAllGlobals();
});

it('reads every shape of error the gateway has', () => {
  expect(wordsOf('{"error":{"message":"no","code":"x"}}')).toEqual({ message: 'no', code: 'x' });
  expect(wordsOf('{"error":"Model not found","message":"Unknown model: X"}').message).toBe('Unknown model: X');
  expect(wordsOf('<html>')).toEqual({ message: null, code: null });
});

it.each([
  [403, 'csrf'],
  [401, 'invalid_api_key'],
])('says in plain words that the session is not the page’s any more (%d %s)', async (status, code) => {
  const ended = vi.fn();
  onSessionEnd(ended);
  vi.stubGlobal('fetch', async () => Response.json({ error: { message: 'raw words', code } }, { status }));
  await expect(json('admin/api/v1/keys', { body: {} })).rejects.toThrow('raw words'); // nobody was signed in
  expect(ended).not.toHaveBeenCalled();
  setCsrf('of before');
  await expect(json('admin/api/v1/keys', { body: {} })).rejects.toThrow('not signed in any more');
  expect(ended).toHaveBeenCalledOnce();
});
