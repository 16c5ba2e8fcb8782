// The lock names no address: npm leaves `resolved` out by .npmrc, and this takes out the rest. A package's builds for
// systems that could not be had when it was locked are left out too: with them `npm ci` would refuse everywhere.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
  for (const name of Object.keys(entry.optionalDependencies ?? {}))
    if (!lock.packages[`node_modules/${name}`]) delete entry.optionalDependencies[name];
}
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
