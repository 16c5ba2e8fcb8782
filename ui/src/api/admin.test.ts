// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { pathOf } from './admin';

it('puts names into a path as they are called, slashes and all', () => {
  const path = { storefront: 'conflux', model: 'bd/a model?' };
  expect(pathOf('getModel', { path })).toBe('admin/api/v1/models/conflux/bd/a%20model%3F');
});

it('asks only for what is said', () => {
  expect(pathOf('listModels', { query: { q: 'a&b', status: null, limit: 5 } })).toBe(
    'admin/api/v1/models?q=a%26b&limit=5',
  );
});
