/**
 * Whether what a message says fits together: crypto sessions, SPI, security policies and extensions
 * (TS 33.180 E.1, E.5). Asked only after the signature verified, so that a message altered on its way is
 * answered as one with a wrong signature.
 */
import { equalBytes } from '../base/bytes.js';
import { SegyError, type SegyErrorCode } from '../base/errors.js';
import type { MessageFacts } from './facts.js';
import type { GenericIdEntry } from './header.js';
import { csIdsOf, mkiOf } from './key-types.js';
import { OctetReader } from './octets.js';
import { GE_KEY_PARAMETERS, GE_SAKKE_TO_SELF, type SpPayload } from './payloads.js';
import { defaultPolicy, policyOf, type SrtpPolicy } from './policy.js';

export interface Content {
  /** SPIs of the crypto sessions that name one */
  readonly spis: readonly Uint8Array[];
  readonly policy: SrtpPolicy;
  /** data of the key parameters extension, protected or not */
  readonly keyParameters: Uint8Array | null;
}

const PROTOCOL_SRTP = 0;
const LAST_CS_ID = 9;

function refuse(code: SegyErrorCode, what: string): never {
  throw new SegyError(code, what);
}

const syntax = (what: string): never => refuse('SEGY_E_MIKEY_SYNTAX', what);

function checkEntry(entry: GenericIdEntry, facts: MessageFacts): void {
  if (entry.protocolType !== PROTOCOL_SRTP) {
    refuse('SEGY_E_MIKEY_UNSUPPORTED', `CS Prot type ${entry.protocolType}`);
  }
  const belongs = csIdsOf(facts.keyType);
  // CS IDs above the table are left to later specifications; one of another key type is a mistake.
  if (entry.csId <= LAST_CS_ID && belongs.length > 0 && !belongs.includes(entry.csId)) {
    refuse('SEGY_E_MIKEY_KEY_TYPE', `CS ID ${entry.csId} with a ${facts.keyType}`);
  }
  if (![0, 4, 8].includes(entry.spi.length)) syntax(`an SPI of ${entry.spi.length} octets`);
}

/** SPIs and policy numbers that the map names, those of MCPTT first. */
function readMap(facts: MessageFacts): { spis: Uint8Array[]; named: number[] } {
  const map = facts.csIdMap;
  switch (map.type) {
    case 'EMPTY':
      return { spis: [], named: [] };
    case 'SRTP-ID':
      return { spis: [], named: map.entries.map((entry) => entry.policyNo) };
    case 'GENERIC-ID': {
      const seen = new Set<number>();
      for (const entry of map.entries) {
        if (seen.has(entry.csId)) syntax(`CS ID ${entry.csId} stands twice`);
        seen.add(entry.csId);
        checkEntry(entry, facts);
      }
      // Media are those of MCPTT, whose crypto sessions have the lower CS IDs.
      const sessions = [...map.entries].sort((a, b) => a.csId - b.csId);
      return {
        spis: map.entries.map((entry) => entry.spi).filter((spi) => spi.length > 0),
        named: sessions.flatMap((entry) => entry.policies),
      };
    }
  }
}

/** The policy that holds; every SP must state one we accept, whether a crypto session names it or not. */
function readPolicy(facts: MessageFacts, named: readonly number[]): SrtpPolicy {
  const policies = new Map<number, SpPayload>();
  for (const sp of facts.policies) {
    if (policies.has(sp.policyNo)) syntax(`policy ${sp.policyNo} stands twice`);
    policyOf(sp, facts.keyOctets);
    policies.set(sp.policyNo, sp);
  }
  const [first] = policies.values();
  // Without any SP the default profile holds, also where the map names policy 0.
  if (first === undefined) return defaultPolicy(facts.keyType);
  const missing = named.find((policyNo) => !policies.has(policyNo));
  if (missing !== undefined) {
    refuse('SEGY_E_MIKEY_POLICY', `no SP states the policy ${missing} of a crypto session`);
  }
  return policyOf(policies.get(named[0] ?? first.policyNo) ?? first, facts.keyOctets);
}

function extension(facts: MessageFacts, extensionType: number): Uint8Array | null {
  const [first, second] = facts.extensions.filter((ge) => ge.extensionType === extensionType);
  if (second !== undefined) syntax(`General Extension ${extensionType} stands twice`);
  return first?.data ?? null;
}

/** SAKKE-to-self (E.5) is the initiator's; only its shape is looked at. */
function checkSakkeToSelf(data: Uint8Array): void {
  const reader = new OctetReader(data, 'SAKKE-to-self', 'SEGY_E_MIKEY_SYNTAX');
  reader.take(3, 'next payload, params and scheme');
  reader.take(reader.u16('SED length'), 'SED');
  if (reader.remaining > 0) syntax('octets behind the SAKKE-to-self');
}

/**
 * Content of a message whose signature verified.
 * @throws SegyError SEGY_E_MIKEY_ SYNTAX, UNSUPPORTED, KEY_TYPE (CS ID of another key type), POLICY
 */
export function readContent(facts: MessageFacts): Content {
  const { spis, named } = readMap(facts);
  const policy = readPolicy(facts, named);
  const self = extension(facts, GE_SAKKE_TO_SELF);
  if (self !== null) checkSakkeToSelf(self);
  return { spis, policy, keyParameters: extension(facts, GE_KEY_PARAMETERS) };
}

/**
 * An SPI is the MKI: GMK-ID and GUK-ID of a GMK, else the K-ID.
 * @throws SegyError SEGY_E_MIKEY_SYNTAX
 */
export function checkSpi(spi: Uint8Array, facts: MessageFacts, keyId: Uint8Array): void {
  if (equalBytes(mkiOf(facts.keyType, keyId, facts.csbId), spi)) return;
  syntax('the SPI does not name the key');
}
