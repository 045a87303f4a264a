/** Keys of floor control, derived from the SPKs and CSKs of the partners' profiles. */
import type { Clock } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { FloorConfig, PartnerConfig } from '../config/index.js';
import type { FloorPort } from '../edge/index.js';
import type { FloorKeys } from '../media/index.js';
import { srtpKeys } from '../mikey/index.js';
import { loadSharedKeys, type ReadKeyFile, type Spk, type SpkSet } from '../protect/index.js';
import type { SrtpKeyMaterial } from '../srtp/index.js';

const KEY_OCTETS = 16;
const SALT_OCTETS = 12;

/** What `makeFloorKeys` gives: keys for the edge, and an end to them. */
export interface ConfiguredFloorKeys extends FloorPort {
  /**
   * Reads the key files of other partners.
   * @returns what puts them in the place of those that are held, which are overwritten
   * @throws SegyError SEGY_E_CONFIG when a key file does not hold a key; nothing has changed then
   */
  prepare(partners: readonly PartnerConfig[]): () => void;
  wipe(): void;
}

/** @throws SegyError SEGY_E_CONFIG when a key file does not hold a key */
export function makeFloorKeys(
  partners: readonly PartnerConfig[],
  read: ReadKeyFile,
  clock: Clock,
): ConfiguredFloorKeys {
  let sets = loadSets(partners, read);
  const wipe = (): void => {
    for (const set of sets.values()) set.wipe();
  };
  return {
    keys: (partner) => keysOf(partner, sets.get(partner.name), clock.now()),
    prepare: (others) => {
      const loaded = loadSets(others, read);
      return () => {
        wipe();
        sets = loaded;
      };
    },
    wipe,
  };
}

/** Whether the PBX has to report what happens on its channels. */
export function needsSignals({
  partners,
}: {
  readonly partners: readonly PartnerConfig[];
}): boolean {
  return partners.some(({ floor }) => floor !== undefined);
}

function loadSets(partners: readonly PartnerConfig[], read: ReadKeyFile): Map<string, SpkSet> {
  const sets = new Map<string, SpkSet>();
  try {
    for (const { name, floor, protection } of partners) {
      if (floor === undefined || floor.protection === 'none') continue;
      sets.set(name, loadSharedKeys(entriesOf(floor, protection), KEY_OCTETS, read));
    }
  } catch (error) {
    for (const set of sets.values()) set.wipe();
    throw error;
  }
  return sets;
}

function entriesOf(
  floor: FloorConfig,
  protection: PartnerConfig['protection'],
): Parameters<typeof loadSharedKeys>[0] {
  return floor.protection === 'csk' ? floor.csks : (protection?.spks ?? []);
}

function keysOf(
  { name, floor }: PartnerConfig,
  set: SpkSet | undefined,
  now: number,
): FloorKeys | null {
  if (floor?.protection === 'none') return null;
  if (set === undefined) {
    throw new SegyError('SEGY_E_SPK_NONE', `no key of floor control is held for ${name}`);
  }
  return {
    send: material(set.forSending(now)),
    receive: set.forReceiving(null, now).map(material),
  };
}

/** TS 33.180 clause 9.4: MIKEY's PRF over the key as TGK; the MKI is the key's identifier. */
function material({ id, key, rand, csId }: Spk): SrtpKeyMaterial {
  const lengths = { keyLength: KEY_OCTETS, saltLength: SALT_OCTETS };
  return {
    suite: 'AEAD_AES_128_GCM',
    ...srtpKeys({ key, csbId: id, rand, csId, ...lengths }),
    mki: new Uint8Array(id),
    rocRate: 0,
  };
}
