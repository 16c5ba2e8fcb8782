import { expect, test } from 'vitest';
import { sectionsOf } from './settings';

test('what is merged, by section, with the variable that sets it', () => {
  const found = sectionsOf({ port: 8080, data: './data', database_url: null, web: { conversations: true, of: ['a'] } });
  expect(found.map((one) => one.name)).toEqual(['', 'web']);
  expect(found[0]?.settings).toContainEqual({ name: 'database_url', value: '', variable: 'CONFLUX_DATABASE_URL' });
  const rows = sectionsOf({ model: [{ id: 'acme/one' }], web: {} });
  expect(rows[0]?.settings).toEqual([{ name: 'model', value: '[{"id":"acme/one"}]', variable: '' }]);
  expect(found[1]?.settings).toEqual([
    { name: 'conversations', value: 'true', variable: 'CONFLUX_WEB__CONVERSATIONS' },
    { name: 'of', value: '["a"]', variable: 'CONFLUX_WEB__OF' },
  ]);
});
