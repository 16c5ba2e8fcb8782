import { expect, it } from 'vitest';
import { textOf } from './file';

const file = (bytes: number[]) => new File([new Uint8Array(bytes)], 'of.csv');

it('reads UTF-8, with or without its mark, and nothing else', async () => {
  expect(await textOf(file([0xef, 0xbb, 0xbf, 0x43, 0xc3, 0xa9]), 9, 'split it')).toBe('Cé');
  await expect(textOf(file([0x43, 0xe9]), 9, 'split it')).rejects.toThrow('of.csv is not written in UTF-8');
  await expect(textOf(file([65, 66, 67]), 2, 'split it')).rejects.toThrow('too large: split it');
});
