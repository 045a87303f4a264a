#!/usr/bin/env node
/**
 * Tells npm to put the packages that the program runs with into the archive of `npm pack`, for as long
 * as that takes: `node scripts/packaging/bundle.mjs on|off`, as the scripts prepack and postpack do.
 * It does not stay in package.json, because beside `overrides` it keeps `npm ci` from ever ending.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../lib/setup.mjs';

const FILE = join(ROOT, 'package.json');
const LINE = '  "bundleDependencies": true,\n';
const BEFORE = '  "overrides": {';

export function bundle(on) {
  const plain = readFileSync(FILE, 'utf8').replace(LINE, '');
  writeFileSync(FILE, on ? plain.replace(BEFORE, `${LINE}${BEFORE}`) : plain);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bundle(process.argv[2] === 'on');
