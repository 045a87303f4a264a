/** What stands around the IdM of a scene's gateway: its HTTPS, and partner mc-a's IdM and client. */
import { randomUUID } from 'node:crypto';
import { Certificates, curl } from '../https/support.js';
import { JWT_BEARER } from '../idm/idm-rig.js';
import { makePartnerKey, signJwt, type PartnerKey } from '../idm/idm-scene.js';
import { freePort } from './ports.js';
import { ALICE } from './scene.js';
import type { SceneOptions } from './scene.js';

export const TALKGROUP = 'sip:tg1@lmr.example';
const ISSUER_A = 'https://idm.mc-a.example';

export class IdmSide {
  readonly certificates = new Certificates();
  /** certificate and key of the client, in files */
  readonly client = this.certificates.client('gms.mc-a.example');

  static async make(): Promise<IdmSide> {
    return new IdmSide(await freePort('127.0.0.1'), await makePartnerKey('a-1'));
  }

  private constructor(
    readonly port: number,
    readonly key: PartnerKey,
  ) {}

  get origin(): string {
    return `https://localhost:${this.port}`;
  }

  /**
   * Settings of a scene with a talkgroup of which Alice is a member.
   * @param rate of a client at the listener; @param clientRate of the client at the IdM
   */
  sceneOptions(rate: object = {}, clientRate: object = {}): SceneOptions {
    const { certificates, origin, port, key } = this;
    const tls = {
      certFile: certificates.write('server.pem', certificates.server.cert),
      keyFile: certificates.write('server.key', certificates.server.key),
      caFile: certificates.caFile,
    };
    const group = { id: TALKGROUP, displayName: 'Fire', pbx: 'tg1', members: [{ uri: ALICE }] };
    const client = { id: 'client-a', certificate: { dnsName: 'gms.mc-a.example' }, ...clientRate };
    return {
      config: {
        gms: { uri: 'sip:gms@lmr.example', xcapRoot: `${origin}/xcap`, groups: [group] },
        https: { address: '127.0.0.1', port, tls, rate },
        idm: { issuer: `${origin}/idm` },
      },
      partner: {
        securityTokens: {
          issuer: ISSUER_A,
          keysFile: certificates.write('a.jwks', JSON.stringify({ keys: [key.jwk] })),
          clientAuthorityFile: certificates.caFile,
          clients: [client],
        },
      },
    };
  }

  /** A security token for Alice, as her own IdM makes it. */
  securityToken(): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER_A, sub: 'alice-7', aud: ['client-a', `${this.origin}/idm`] };
    const rest = { mcptt_id: ALICE, iat, exp: iat + 300, jti: randomUUID() };
    return signJwt({ ...claims, ...rest }, this.key.privateKey, { kid: 'a-1', typ: 'JWT' });
  }

  /** What the endpoint answers to curl. */
  ask(client: string, assertion: string): ReturnType<typeof curl> {
    const { certFile, keyFile } = this.client;
    const own = ['--cert', certFile, '--key', keyFile];
    const form = ['--data-urlencode', `grant_type=${JWT_BEARER}`, '-d', `client_id=${client}`];
    const url = `${this.origin}/idm/token`;
    return curl(this.certificates, url, ...own, ...form, '-d', `assertion=${assertion}`);
  }

  async accessToken(): Promise<string> {
    const { status, body } = await this.ask('client-a', await this.securityToken());
    if (status !== 200) throw new Error(`the IdM answers ${status} ${body}`);
    return (JSON.parse(body) as { access_token: string }).access_token;
  }

  /** Status of the answer to a GET of the talkgroup's document with that token. */
  async documentBy(token: string): Promise<number> {
    const at = `org.openmobilealliance.groups/global/byGroupID/${encodeURIComponent(TALKGROUP)}`;
    const bearer = ['-H', `Authorization: Bearer ${token}`];
    const got = await curl(this.certificates, `${this.origin}/xcap/${at}`, ...bearer);
    if (got.status === 200 && !got.body.includes(TALKGROUP)) throw new Error('another document');
    return got.status;
  }

  async publishedKids(): Promise<string[]> {
    const { body } = await curl(this.certificates, `${this.origin}/idm/jwks`);
    return (JSON.parse(body) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  }

  remove(): void {
    this.certificates.remove();
  }
}
