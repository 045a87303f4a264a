/**
 * Reads one document with one reader and tells on standard output, as JSON, what that took:
 * units of work, octets by which the process grew at its peak, and the code of the refusal.
 * A small document was read before, so that what is measured is the document and not the start.
 * Usage: node --expose-gc attack-child.js READER FILE
 */
import { readFileSync } from 'node:fs';
import { SegyError } from '../../src/base/errors.js';
import { readMcpttInfo } from '../../src/edge/messages/mcptt-info.js';
import { readKmsDocument, readRedirect, readSignedKmsDocument } from '../../src/kms/index.js';
import { parseXml } from '../../src/xml/index.js';
import { verifySignedXml } from '../../src/xmldsig/index.js';
import { unitMs } from '../support/effort.js';
import { HMAC_KEY } from '../xmldsig/support.js';

const KEYS = { hmac: new Map([['ink.1', HMAC_KEY]]) };
const READERS: Readonly<Record<string, (octets: Uint8Array) => unknown>> = {
  xml: (octets) => parseXml(octets),
  kms: (octets) => readKmsDocument(octets),
  signedKms: (octets) => readSignedKmsDocument(octets, KEYS),
  signature: (octets) => verifySignedXml(octets, KEYS),
  redirect: (octets) => readRedirect(octets, {}, KEYS),
  mcpttInfo: (octets) => readMcpttInfo(octets),
};

const [, , name = '', file = ''] = process.argv;
const reader = READERS[name] ?? parseXml;
const KIB = 1024;

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'taken';
  } catch (error) {
    return error instanceof SegyError ? error.code : String(error);
  }
}

/** The most memory this process has had; maxRSS would count the process that started it, too. */
function peakOctets(): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  if (found === null) throw new Error('the system does not tell the peak of a process');
  return Number(found[1]) * KIB;
}

const octets = readFileSync(file);
const small = Buffer.from('<a xmlns="urn:a" b="c"><d>e</d></a>');
for (let round = 0; round < 20; round += 1) codeOf(() => reader(small));
globalThis.gc?.();
const before = process.resourceUsage();
const residentBefore = process.memoryUsage.rss();
const started = performance.now();
const code = codeOf(() => reader(octets));
const wallMs = performance.now() - started;
const after = process.resourceUsage();
const cpuMs =
  (after.userCPUTime - before.userCPUTime + after.systemCPUTime - before.systemCPUTime) / 1000;
// On a busy machine the wall clock also counts others' work, and the processor time that of the collector.
const milliseconds = Math.min(wallMs, cpuMs);
const grownOctets = Math.max(0, peakOctets() - residentBefore);
const units = milliseconds / unitMs();
process.stdout.write(JSON.stringify({ code, units, grownOctets }));
