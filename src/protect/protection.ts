/**
 * Signalling protection as the partners' profiles say it: the one thing the edge talks to. A partner
 * without a profile section gets and gives clear XML.
 */
import { SegyError } from '../base/errors.js';
import type { PartnerConfig, ProtectionConfig } from '../config/index.js';
import { parseNameAddr, type SipMessage } from '../sip/index.js';
import { checkEar, makeEar, type EarRequestFacts, type EarTools } from './ear.js';
import {
  decryptUri,
  encryptUri,
  isEncryptedUri,
  type OpeningKeys,
  type SealingKey,
} from './encrypted-uri.js';
import { attachEar, openMessage, sealMessage } from './message.js';
import { loadSpks, type ReadKeyFile, type SpkSet } from './spk.js';

export interface ProtectionOptions extends EarTools {
  readonly partners: readonly PartnerConfig[];
  readonly readKeyFile: ReadKeyFile;
  /** host part of the Content-IDs we make */
  readonly host: string;
}

export class SignallingProtection {
  readonly #options: ProtectionOptions;
  readonly #spks = new Map<string, SpkSet>();

  /** @throws SegyError SEGY_E_CONFIG when a key file does not hold a key */
  constructor(options: ProtectionOptions) {
    this.#options = options;
    this.prepare(options.partners)();
  }

  /**
   * Reads the key files of other partners.
   * @returns what puts them in the place of those that are held, which are overwritten
   * @throws SegyError SEGY_E_CONFIG when a key file does not hold a key; nothing has changed then
   */
  prepare(partners: readonly PartnerConfig[]): () => void {
    const loaded = new Map<string, SpkSet>();
    try {
      for (const { name, protection } of partners) {
        if (protection === undefined) continue;
        loaded.set(name, loadSpks(protection, this.#options.readKeyFile));
      }
    } catch (error) {
      for (const spks of loaded.values()) spks.wipe();
      throw error;
    }
    return () => {
      this.wipe();
      for (const [name, spks] of loaded) this.#spks.set(name, spks);
    };
  }

  /**
   * Makes the body of a message from `partner` clear.
   * @param about the request that the message is, or answers
   * @returns the EAR it carried; null without one
   * @throws SegyError SEGY_E_XML*, SEGY_E_SPK_*, SEGY_E_SIP_SYNTAX, SEGY_E_EAR_SYNTAX
   */
  open(partner: PartnerConfig, message: SipMessage, about: SipMessage): Uint8Array | null {
    const { protection } = partner;
    if (protection === undefined) return null;
    const { receive } = protection;
    const demands = {
      confidentiality: receive.confidentiality === 'required',
      integrity: receive.integrity === 'required',
    };
    const keys = this.#openingKeys(partner, protection, about);
    return openMessage(message, keys, demands, this.#options.random);
  }

  /**
   * Protects the body of a message to `partner`.
   * @throws SegyError SEGY_E_SPK_NONE, SEGY_E_XML*
   */
  seal(partner: PartnerConfig, message: SipMessage, about: SipMessage): void {
    const { protection } = partner;
    if (protection === undefined || message.body.length === 0) return;
    const { confidentiality, integrity } = protection.send;
    if (!confidentiality && !integrity) return;
    const { random, host } = this.#options;
    const key = this.#sealingKey(partner, protection, about);
    sealMessage(message, key, { confidentiality, integrity, host, random });
  }

  /**
   * An identity that stands in a header of `about`, which came from `partner`, clear. A header is no
   * XML, so a clear one is taken whatever the profile demands of bodies.
   * @throws SegyError SEGY_E_XML_PROTECTED, SEGY_E_XML_DECRYPT, SEGY_E_SPK_*
   */
  openUri(partner: PartnerConfig, uri: string, about: SipMessage): string {
    if (!isEncryptedUri(uri)) return uri;
    const { protection } = partner;
    const keys = protection && this.#openingKeys(partner, protection, about);
    if (keys) return decryptUri(uri, keys);
    throw new SegyError('SEGY_E_XML_PROTECTED', 'an identity is encrypted and no SPK is held');
  }

  /**
   * An identity for a header of `about`, which goes to `partner`: encrypted where its XML is.
   * @throws SegyError SEGY_E_SPK_NONE
   */
  sealUri(partner: PartnerConfig, uri: string, about: SipMessage): string {
    const { protection } = partner;
    if (protection?.send.confidentiality !== true) return uri;
    return encryptUri(uri, this.#sealingKey(partner, protection, about));
  }

  /** Whether requests of the partner that open something must pass `admit`. */
  demandsEar({ protection }: PartnerConfig): boolean {
    return protection?.ear.receive === 'explicit';
  }

  /** Whether the identities of the partner's requests are to be external ones. */
  demandsExternal({ protection }: PartnerConfig): boolean {
    return protection !== undefined && protection.ear.receive !== 'none';
  }

  /**
   * Checks the EAR of a request that opens something.
   * @returns when what it started must end, in milliseconds since 1970; null for never
   * @throws SegyError SEGY_E_EAR_*
   */
  async admit(
    partner: PartnerConfig,
    ear: Uint8Array | null,
    facts: EarRequestFacts,
  ): Promise<number | null> {
    const config = partner.protection?.ear;
    if (config?.receive !== 'explicit') return null;
    if (ear === null) throw new SegyError('SEGY_E_EAR_REQUIRED', 'the request has no EAR');
    return checkEar(ear, partner, config, facts, this.#options);
  }

  /** Puts an EAR of `caller` into a request to `partner` where its profile asks for one. */
  async authenticate(partner: PartnerConfig, request: SipMessage, caller: string): Promise<void> {
    const config = partner.protection?.ear;
    if (config?.send !== true) return;
    const ear = await makeEar(partner, config, caller, this.#options);
    attachEar(request, ear, this.#options.random);
  }

  /** Overwrites every SPK; nothing can be opened or sealed afterwards. */
  wipe(): void {
    for (const spks of this.#spks.values()) spks.wipe();
    this.#spks.clear();
  }

  #openingKeys(
    partner: PartnerConfig,
    protection: ProtectionConfig,
    about: SipMessage,
  ): OpeningKeys | null {
    const spks = this.#spks.get(partner.name);
    if (spks === undefined || spks.all.length === 0) return null;
    return { spks, p0: p0Of(protection, 'peer', about), now: this.#options.clock.now() };
  }

  #sealingKey(partner: PartnerConfig, protection: ProtectionConfig, about: SipMessage): SealingKey {
    const { clock, random } = this.#options;
    const spk = this.#spks.get(partner.name)?.forSending(clock.now());
    if (spk === undefined) throw new SegyError('SEGY_E_SPK_NONE', 'no SPK is held');
    return { spk, p0: p0Of(protection, 'own', about), random };
  }
}

/** P0 of the key derivation (TS 33.180 F.1.4) by the partner's rule. */
function p0Of({ p0 }: ProtectionConfig, sender: 'own' | 'peer', about: SipMessage): string {
  if (p0.rule === 'domain') return p0[sender];
  const [asserted] = about.headers.list('P-Asserted-Identity');
  const value = asserted ?? about.headers.get('From') ?? '';
  return parseNameAddr(value).uri;
}
