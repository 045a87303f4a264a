/** What the client of group documents uses of others. */
import type { Alarms } from '../base/alarms.js';
import type { Environment } from '../base/environment.js';
import type { SegyError } from '../base/errors.js';
import type { PartnerConfig, PartnerTlsConfig } from '../config/index.js';
import type { PinnedTls } from '../https/index.js';

/** Access tokens of partners. */
export interface TokenSource {
  /** null where none can be had now */
  tokenFor(partner: PartnerConfig, user: string): Promise<string | null>;
  /** the partner does not take this one */
  reject(partner: PartnerConfig, user: string, token: string): void;
}

export interface DocumentsParts {
  readonly env: Environment;
  readonly alarms: Alarms;
  readonly tokens: TokenSource;
  /** @throws SegyError SEGY_E_CONFIG */
  readonly readTls: (tls: PartnerTlsConfig) => PinnedTls;
  /**
   * Takes every group key of a document.
   * @returns the first refusal; null where each key was taken or changes nothing
   * @throws SegyError where the document cannot be read; no key was taken
   */
  readonly takeKeys: (partner: PartnerConfig, octets: Uint8Array) => Promise<SegyError | null>;
}

/** A document that a notice says has changed. */
export interface DocumentNotice {
  /** as it came: relative to the XCAP root, or whole */
  readonly selector: string;
  /** its new entity tag without quotes; null where it is not told */
  readonly etag: string | null;
}
