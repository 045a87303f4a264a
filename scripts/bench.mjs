// Builds, then runs the benches whose name holds the given text, one process each: npm run bench -- crypto
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [filter = ''] = process.argv.slice(2);

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.']);
const names = readdirSync(new URL('../bench', import.meta.url))
  .filter((name) => name.endsWith('.bench.ts') && name.includes(filter))
  .sort();
if (names.length === 0) {
  console.error(`no bench has "${filter}" in its name`);
  process.exit(1);
}
for (const name of names) run(process.execPath, [`dist/bench/${name.replace(/\.ts$/, '.js')}`]);
