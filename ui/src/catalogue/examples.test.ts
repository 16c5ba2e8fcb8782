// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { examplesOf } from './examples';

it('fills in the model, the address and the storefront’s mount', () => {
  const all = examplesOf('acme/small', '/acme', 'https://gate.example/x');
  expect(all.map((one) => one.id)).toEqual(['curl', 'python', 'typescript', 'claude', 'codex']);
  for (const one of all) {
    expect(one.code).toContain('acme/small');
    expect(one.code).toContain('https://gate.example/x/acme');
  }
});
