// The lock holds no address: ask scripts/clean-lock.mjs after every npm install.
import { readFileSync } from 'node:fs';

const lines = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8').split('\n');
const bad = lines.flatMap((line, index) =>
  line.includes('://') ? [`package-lock.json:${index + 1}: ${line.trim()}`] : [],
);
if (bad.length > 0) {
  console.error(`${bad.join('\n')}\nrun: node scripts/clean-lock.mjs`);
  process.exit(1);
}
