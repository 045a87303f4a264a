/** A partner IdM of the test and the gateway's client of it. */
import { createHash, X509Certificate } from 'node:crypto';
import { silentAlarms, type Alarms } from '../../src/base/alarms.js';
import { utf8 } from '../../src/base/bytes.js';
import {
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
  type Environment,
  type LogFields,
} from '../../src/base/environment.js';
import type { PartnerConfig, PartnerIdmConfig } from '../../src/config/index.js';
import { partnerIdmSchema } from '../../src/config/partner-idm-schema.js';
import type { PinnedTls } from '../../src/https/index.js';
import { PartnerTokens, StatementKeys } from '../../src/idm-client/index.js';
import { memorySpace } from '../gms/support.js';
import { TestAuthority, type MadeCertificate } from '../sip/support/certificates.js';
import { FakePartnerIdm, OUR_ISSUER, PARTNER_CLIENT } from '../support/partner-idm.js';

export const RADIO = 'sip:radio1@lmr.example';

type IdmSettings = Omit<Partial<PartnerIdmConfig>, 'codePoints' | 'securityToken'> & {
  readonly codePoints?: Partial<PartnerIdmConfig['codePoints']>;
  readonly securityToken?: Record<string, unknown>;
};

export function sha256Of({ cert }: Pick<MadeCertificate, 'cert'>): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
}

export class ClientScene {
  readonly events: { event: string; fields: LogFields }[] = [];
  readonly files = new Map<string, string>();
  alarms: Alarms = silentAlarms;
  env: Environment;
  private constructor(
    readonly authority: TestAuthority,
    readonly server: FakePartnerIdm,
    readonly certificate: MadeCertificate,
    readonly keys: StatementKeys,
  ) {
    const keep = (event: string, fields: LogFields = {}): void =>
      void this.events.push({ event, fields });
    this.env = {
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      metrics: silentMetrics,
      log: { debug: keep, info: keep, warn: keep, error: keep },
    };
  }

  static async start(serverCertificate?: MadeCertificate): Promise<ClientScene> {
    const authority = new TestAuthority();
    const server = await FakePartnerIdm.start(authority, serverCertificate);
    const keys = await StatementKeys.open((await memorySpace())('signing'), systemClock);
    await keys.signer();
    server.keys = keys.jwks();
    const certificate = authority.issue('segy', 'DNS:segy.lmr.example');
    server.clients.add(sha256Of(certificate));
    return new ClientScene(authority, server, certificate, keys);
  }

  idm(more: IdmSettings = {}): PartnerIdmConfig {
    return partnerIdmSchema.parse({
      issuer: this.server.issuer,
      clientId: PARTNER_CLIENT,
      securityToken: { from: 'own', issuer: OUR_ISSUER },
      tls: { caFile: 'ca', certFile: 'cert', keyFile: 'key' },
      timeoutSeconds: 2,
      ...more,
    });
  }

  /** What of a partner the client reads. */
  partner(more: IdmSettings = {}): PartnerConfig {
    return { name: 'mc-a', idm: this.idm(more) } as unknown as PartnerConfig;
  }

  pins(tls: PartnerIdmConfig['tls']): PinnedTls {
    return {
      ...(tls.caFile !== undefined && { ca: utf8(this.authority.cert) }),
      ...(tls.certificateSha256 !== undefined && { certificateSha256: tls.certificateSha256 }),
      ...(tls.certFile !== undefined && {
        cert: utf8(this.certificate.cert),
        key: utf8(this.certificate.key),
      }),
    };
  }

  /** The client, with the profiles in force. */
  tokens(...partners: PartnerConfig[]): PartnerTokens {
    const tokens = new PartnerTokens({
      env: this.env,
      alarms: this.alarms,
      readTls: (tls) => this.pins(tls),
      readFile: (file) => this.files.get(file) ?? '',
      signer: () => this.keys.signer(),
    });
    tokens.prepare(partners)();
    return tokens;
  }

  /** Another server of the same authority. */
  beside(certificate: MadeCertificate): Promise<FakePartnerIdm> {
    return FakePartnerIdm.start(this.authority, certificate);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.authority.remove();
  }
}
