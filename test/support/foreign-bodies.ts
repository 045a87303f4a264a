/** Protected bodies made by an implementation that shares nothing with ours: protected-bodies/ beside this. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../src/base/bytes.js';
import type { SimDomain } from '../../src/sim/index.js';
import { EAR_POINTS, EAR_ROLES, type PolicyPartner } from './policies.js';
import type { ProtectionCase } from './protection-cases.js';
import { RADIO_1 } from './scene-config.js';
import { SEED } from './seed.js';

const SCRIPT = fileURLToPath(
  new URL('../../../test/support/protected-bodies/make.py', import.meta.url),
);
const PYTHON = '/usr/bin/python3';

export const hasForeignBodies = (): boolean => existsSync(PYTHON);

interface Made {
  readonly name: string;
  readonly code: string | null;
  readonly type: string;
  readonly body: string;
}

/**
 * Bodies of private calls of the partner's user, each in a layout of its own.
 * @param sdps the first is of those that are broken; one for each that is right
 * @param each bodies with each fault
 */
export async function foreignBodies(
  partner: PolicyPartner,
  domain: SimDomain,
  sdps: readonly Uint8Array[],
  each: number,
): Promise<ProtectionCase[]> {
  const { alice, bob, spk, identity } = partner;
  const keyOf = async (user: string) => {
    const { userId, ssk, pvt } = await domain.keySet(user);
    const kpak = domain.certificate.pubAuthKey;
    return { kpak: toHex(kpak), id: toHex(userId), ssk: toHex(ssk), pvt: toHex(pvt) };
  };
  const ask = {
    ...{ seed: SEED, each, spk: toHex(spk.key), spkId: toHex(spk.id), p0: identity },
    sdps: sdps.map((sdp) => Buffer.from(sdp).toString('base64')),
    sessionType: 'private',
    listed: RADIO_1.uri,
    elements: [
      ['mcptt-request-uri', 'URI', RADIO_1.uri],
      ['mcptt-calling-user-id', 'URI', alice],
      ['mcptt-client-id', 'String', 'urn:uuid:8a1f'],
    ],
    ear: {
      ...EAR_POINTS,
      roles: EAR_ROLES,
      now: Math.floor(Date.now() / 1000),
      ...{ caller: alice, target: RADIO_1.uri, other: bob },
      key: await keyOf(alice),
      otherKey: await keyOf(bob),
    },
  };
  const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT], {
    input: JSON.stringify(ask),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`no bodies were made: ${stderr}`);
  return (JSON.parse(stdout) as Made[]).map(({ name, code, type, body }) => ({
    name,
    code: code === null ? null : `SEGY_E_${code}`,
    body: { type, bytes: new Uint8Array(Buffer.from(body, 'base64')) },
  }));
}
