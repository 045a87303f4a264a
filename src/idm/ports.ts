/** What the IdM needs of others, and what it tells them. */
import type { X509Certificate } from 'node:crypto';
import type { JWTVerifyGetKey } from 'jose';
import type { CodePoints, IdmClientConfig, SecurityTokensConfig } from '../config/index.js';

export const MC_SERVICES = ['MCPTT', 'MCVideo', 'MCData'] as const;
export type McService = (typeof MC_SERVICES)[number];
/** MC service IDs of one user, as the partner's IdM wrote them */
export type ServiceIds = Readonly<Partial<Record<McService, string>>>;

/** A partner as the IdM sees it. */
export interface IdmPartner {
  readonly name: string;
  readonly codePoints: CodePoints;
  readonly securityTokens: SecurityTokensConfig;
  /** finds the key of a security token for jose */
  readonly tokenKeys: JWTVerifyGetKey;
  /** finds the key of a client's assertion; undefined for a client without keys */
  clientKeys(clientId: string): JWTVerifyGetKey | undefined;
  /** authorities that themselves sign the certificates of its clients */
  readonly clientAuthorities: readonly X509Certificate[];
  /** whether an MC service ID lies in the partner's domains */
  hasUser(serviceId: string): boolean;
}

/** The partners and clients of the configuration in force. */
export interface IdmDirectory {
  client(
    id: string,
  ): { readonly client: IdmClientConfig; readonly partner: IdmPartner } | undefined;
}

export interface IdmAuditEvent {
  readonly action: 'token-issued' | 'signing-key-made' | 'signing-key-retired';
  readonly partner?: string;
  readonly user?: string;
  readonly detail: string;
}

export interface IdmAudit {
  /** Resolves when the record is on disk; a token whose record is not there is not given out. */
  record(event: IdmAuditEvent): Promise<void>;
}
