// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { wordsOf } from './http';

it('reads every shape of error the gateway has', () => {
  expect(wordsOf('{"error":{"message":"no","code":"x"}}')).toEqual({ message: 'no', code: 'x' });
  expect(wordsOf('{"error":"Model not found","message":"Unknown model: X"}').message).toBe('Unknown model: X');
  expect(wordsOf('<html>')).toEqual({ message: null, code: null });
});
