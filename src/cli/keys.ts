/** `segy keys`: the key ring. No command shows a key octet. With the gateway stopped. */
import type { Command } from 'commander';
import { fromHex, toHex } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { KeyRing } from '../keys/index.js';
import type { HeldKey } from '../keys/index.js';
import { keyLine, keyLines, keyView } from './key-view.js';
import { print } from './output.js';
import { addStateOptions, withState } from './state.js';
import type { State, StateEnvironment, StateOptions } from './state.js';

interface Output extends StateOptions {
  readonly json: boolean;
}

interface KeyOptions extends Output {
  readonly partner?: string;
}

interface ListOptions extends KeyOptions {
  readonly group?: string;
}

export function registerKeysCommands(program: Command): void {
  const keys = program.command('keys').description('the keys that are held');
  addStateOptions(keys.command('list'))
    .description('every key, without its octets')
    .option('--partner <name>', 'only of this partner')
    .option('--group <id>', 'only for this MC group')
    .action(list);
  const one = (name: string, description: string): Command =>
    addStateOptions(keys.command(name))
      .description(description)
      .argument('<key-id>', 'key identifier, 8 hexadecimal digits')
      .option('--partner <name>', 'where several partners have that identifier');
  one('show', 'one key in full, without its octets').action(show);
  one('revoke', 'end a key for good: no message brings it back').action(revoke);
  one('forget', 'let a key go as if it had never come').action(forget);
}

/** The ring, opened for one command. */
export async function withRing<T>(
  options: StateOptions,
  work: (ring: KeyRing, state: State, environment: StateEnvironment) => Promise<T>,
): Promise<T> {
  return withState(options, async (state, environment) => {
    const { clock, timers, log } = environment;
    const records = state.store.space('keys');
    const ring = await KeyRing.open({ records, clock, timers, log });
    try {
      return await work(ring, state, environment);
    } finally {
      ring.close();
    }
  });
}

async function list({ partner, group, ...options }: ListOptions): Promise<void> {
  await withRing(options, (ring, _, { clock }) => {
    const keys = ring
      .list()
      .filter((held) => partner === undefined || held.partner === partner)
      .filter((held) => group === undefined || held.groups.includes(group))
      .map((held) => keyView(held, clock.now()));
    const damaged = [...ring.refused];
    print(options.json, { ok: damaged.length === 0, keys, damaged }, () => [
      ...(keys.length === 0 ? ['no key is held'] : keys.map(keyLine)),
      ...damaged.map((name) => `${name}: the record is damaged; segy keys forget lets it go`),
    ]);
    if (damaged.length > 0) process.exitCode = 1;
    return Promise.resolve();
  });
}

async function show(keyId: string, options: KeyOptions): Promise<void> {
  await withRing(options, (ring, _, { clock }) => {
    const view = keyView(findKey(ring, keyId, options.partner), clock.now());
    print(options.json, { ok: true, key: view }, () => keyLines(view));
    return Promise.resolve();
  });
}

async function revoke(keyId: string, options: KeyOptions): Promise<void> {
  await withRing(options, async (ring, { audit }) => {
    const held = findKey(ring, keyId, options.partner);
    await audit.record({ action: 'revoked', ...auditOf(held), detail: 'by the operator' });
    await ring.revoke(held);
    print(options.json, { ok: true, ...auditOf(held) }, () => [
      `${held.keyType} ${toHex(held.keyId)} of ${held.partner} is revoked for good`,
    ]);
  });
}

async function forget(keyId: string, options: KeyOptions): Promise<void> {
  await withRing(options, async (ring, { audit }) => {
    const { partner } = options;
    const damaged = partner !== undefined && ring.refused.includes(`${partner}/${keyId}`);
    const name = damaged ? { partner, keyId: readKeyId(keyId) } : findKey(ring, keyId, partner);
    await audit.record({
      action: 'forgotten',
      keyId,
      partner: name.partner,
      detail: damaged ? 'the record was damaged' : 'by the operator',
    });
    await ring.drop(name);
    print(options.json, { ok: true, keyId, partner: name.partner }, () => [
      `${keyId} of ${name.partner} is forgotten`,
    ]);
  });
}

function auditOf({ keyType, keyId, partner }: HeldKey) {
  return { keyType, keyId: toHex(keyId), partner };
}

function readKeyId(text: string): Uint8Array {
  if (!/^[0-9a-f]{8}$/i.test(text)) {
    throw new SegyError('SEGY_E_USAGE', 'a key identifier has 8 hexadecimal digits');
  }
  return fromHex(text);
}

/** @throws SegyError SEGY_E_USAGE, SEGY_E_NOT_FOUND when none or more than one is meant */
function findKey(ring: KeyRing, text: string, partner: string | undefined): HeldKey {
  const wanted = toHex(readKeyId(text));
  const found = ring
    .list()
    .filter((held) => toHex(held.keyId) === wanted)
    .filter((held) => partner === undefined || held.partner === partner);
  const [held] = found;
  if (held === undefined) throw new SegyError('SEGY_E_NOT_FOUND', `no key ${wanted} is held`);
  if (found.length === 1) return held;
  const names = found.map((each) => each.partner).join(', ');
  throw new SegyError('SEGY_E_NOT_FOUND', `several partners have ${wanted}: ${names}; --partner`);
}
