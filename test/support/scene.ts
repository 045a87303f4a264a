/**
 * Everything one system test or the demo needs, real but for the users: a private PBX with the
 * operator's snippets, `segy run`, a radio trunk on the PBX's other side, and a partner MC domain with a
 * KMS of its own, cross-signed both ways through the commands an operator uses.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  silentLog,
  silentMetrics,
  systemRandom,
  systemTimers,
} from '../../src/base/environment.js';
import type { Environment } from '../../src/base/environment.js';
import { createCryptoPool } from '../../src/crypto/index.js';
import { McSystem, openDomainFiles, RadioTrunk } from '../../src/sim/index.js';
import type { McSystemOptions, SimDomain, SimSignalling } from '../../src/sim/index.js';
import { TestAuthority } from '../sip/support/certificates.js';
import { AsteriskInstance } from './asterisk.js';
import type { AsteriskOptions } from './asterisk.js';
import { startFreeSwitch } from './freeswitch.js';
import type { FreeSwitchOptions } from './freeswitch.js';
import { GatewayProcess } from './gateway.js';
import { InnerTap } from './inner-tap.js';
import { OuterTap } from './outer-tap.js';
import type { PbxInstance, PbxKind } from './pbx-instance.js';
import type { Capture, Peer } from './pcap.js';
import { freePort } from './ports.js';
import { ALICE, BOB, crossSign, EVE, tlsName, writeSceneConfig } from './scene-config.js';
import type { PartnerPlan } from './scene-config.js';
import { TcpRelay } from './tcp-relay.js';

export { ALICE, BOB, EVE, RADIO_1, RADIO_2 } from './scene-config.js';

/** Sub-millisecond times, so that a setup time can be told. */
export const sceneEnvironment: Environment = {
  clock: { now: () => performance.timeOrigin + performance.now() },
  timers: systemTimers,
  random: systemRandom,
  log: silentLog,
  metrics: silentMetrics,
};

export const RADIO_TONE_HZ = 440;
export const MC_TONE_HZ = 1000;
export const GATEWAY_OUTER = '127.0.1.1';
export const MC_ADDRESS = '127.0.2.1';
/** where the second partner is */
export const NEIGHBOUR_ADDRESS = '127.0.2.2';
const GATEWAY_INNER = '127.0.0.2';

export interface SceneOptions {
  /** default asterisk; or one that the test has made, or makes for the gateway's inner side, and the scene ends */
  readonly pbx?: PbxKind | PbxInstance | ((edge: Peer) => Promise<PbxInstance>);
  readonly asterisk?: Omit<AsteriskOptions, 'edge'>;
  readonly freeswitch?: Omit<FreeSwitchOptions, 'edge'>;
  /** changes the partner's profile in the configuration */
  readonly partner?: Readonly<Record<string, unknown>>;
  /** further top-level settings */
  readonly config?: Readonly<Record<string, unknown>>;
  /** transport of SIP between the MC system and the gateway; default tcp */
  readonly protocol?: 'udp' | 'tcp' | 'tls';
  /** name in the certificate of the MC system, where it is not what it should be */
  readonly mcTlsName?: string;
  /** everything but the radio trunk on ::1 */
  readonly ipv6?: boolean;
  /** a second partner, mc-b, with an MC system of its own; or with these settings of its profile */
  readonly neighbour?: boolean | Readonly<Record<string, unknown>>;
  /** more partners, whose MC systems the test plays itself; their domains are in the scene's folder */
  readonly more?: readonly PartnerPlan[];
  /** the MC system takes calls without a key too */
  readonly allowClear?: boolean;
  /** protection of signalling as the MC system has it; its profile is in `partner` */
  readonly signalling?: SimSignalling;
  /** the MC system serves the floor of its calls */
  readonly floor?: McSystemOptions['floor'];
  /** captures both sides of the gateway into `<prefix>-outer.pcap` and `<prefix>-inner.pcap` */
  readonly capture?: string;
  /** holds what passes on the control link between the gateway and the PBX */
  readonly control?: Capture;
}

interface SceneParts {
  readonly folder: string;
  readonly pbx: PbxInstance;
  readonly gateway: GatewayProcess;
  readonly radio: RadioTrunk;
  readonly mc: McSystem;
  readonly domain: SimDomain;
  readonly neighbour: McSystem | undefined;
  readonly neighbourDomain: SimDomain | undefined;
  /** the gateway's outer SIP address */
  readonly outer: Peer;
  /** the control link between the gateway and the PBX, to cut and mend */
  readonly link: TcpRelay;
  readonly taps:
    | {
        readonly outer: OuterTap;
        readonly inner: InnerTap;
        /** where the MC system calls the gateway through the tap */
        readonly gatewayPort: number;
      }
    | undefined;
}

export class Scene {
  readonly pbx: PbxInstance;
  readonly gateway: GatewayProcess;
  readonly radio: RadioTrunk;
  readonly mc: McSystem;
  readonly domain: SimDomain;
  readonly neighbour: McSystem | undefined;
  readonly neighbourDomain: SimDomain | undefined;
  readonly outer: Peer;
  readonly link: TcpRelay;
  readonly taps: SceneParts['taps'];
  /** holds the partners' domains, `mc-a` and `mc-b`, for `segy sim` */
  readonly folder: string;

  private constructor(parts: SceneParts) {
    this.pbx = parts.pbx;
    this.gateway = parts.gateway;
    this.radio = parts.radio;
    this.mc = parts.mc;
    this.domain = parts.domain;
    this.outer = parts.outer;
    this.link = parts.link;
    this.taps = parts.taps;
    this.neighbour = parts.neighbour;
    this.neighbourDomain = parts.neighbourDomain;
    this.folder = parts.folder;
  }

  /** The PBX of a scene that was started on Asterisk. */
  get asterisk(): AsteriskInstance {
    if (this.pbx instanceof AsteriskInstance) return this.pbx;
    throw new Error('the PBX of this scene is no Asterisk');
  }

  static async start(options: SceneOptions = {}): Promise<Scene> {
    const folder = mkdtempSync(join(tmpdir(), 'segy-scene-'));
    const on = (address: string): Promise<Peer> =>
      freePeer(options.ipv6 === true ? '::1' : address);
    const mcPeer = await on(MC_ADDRESS);
    const outer = await on(GATEWAY_OUTER);
    const freeInner = await on(GATEWAY_INNER);
    const taps = options.capture === undefined ? undefined : await planTaps(options.capture);
    const pbx = await startPbx(options, taps?.inner.edge ?? freeInner);
    const inner = taps === undefined ? pbx.edge : freeInner;
    await taps?.inner.open(inner, pbx.sip);
    const outerPorts = await taps?.outer.open(mcPeer, outer);
    const link = await TcpRelay.open({
      listen: { address: '127.0.0.1' },
      target: pbx.control,
      ...(options.control !== undefined && { capture: options.control }),
    });
    const protocol = options.protocol ?? 'tcp';
    const partners: PartnerPlan[] = [
      {
        name: 'mc-a',
        users: [ALICE, BOB],
        sip: { ...mcPeer, port: outerPorts?.systemPort ?? mcPeer.port },
        protocol,
        profile: options.partner ?? {},
      },
    ];
    const neighbourPeer = await freePeer(NEIGHBOUR_ADDRESS);
    const hasNeighbour = options.neighbour !== undefined && options.neighbour !== false;
    if (hasNeighbour) {
      const profile = typeof options.neighbour === 'object' ? options.neighbour : {};
      partners.push({ name: 'mc-b', users: [EVE], sip: neighbourPeer, protocol, profile });
    }
    partners.push(...(options.more ?? []));
    const authority = protocol === 'tls' ? new TestAuthority() : undefined;
    const mcTls = authority && {
      ca: authority.cert,
      ...authority.issue('mc', `DNS:${options.mcTlsName ?? tlsName('mc-a')}`),
    };
    const configFile = await writeSceneConfig(folder, {
      instance: pbx,
      control: { address: '127.0.0.1', port: link.port },
      outer,
      inner,
      pbx: taps?.inner.pbx ?? pbx.sip,
      partners,
      config: options.config ?? {},
      tls: authority
        ? { ca: authority.cert, gateway: authority.issue('gateway', `IP:${outer.address}`) }
        : null,
    });
    authority?.remove();
    crossSign(folder, partners);
    const gateway = new GatewayProcess(configFile, join(folder, 'gateway.log'));
    await gateway.start();
    const radio = new RadioTrunk(
      { ...pbx.radio, pbx: pbx.trunk, toneHz: RADIO_TONE_HZ },
      sceneEnvironment,
    );
    await radio.open();
    const slow = createCryptoPool({ workers: 1, queueLimit: 64 });
    const system = (name: string, more: Partial<McSystemOptions> & Peer) => {
      const { domain, users } = openDomainFiles(join(folder, name), slow, sceneEnvironment);
      const mc = new McSystem(
        {
          domain,
          users,
          protocol,
          gateway: { ...outer, protocol },
          requestUri: 'sip:mcptt-private@lmr.example',
          toneHz: MC_TONE_HZ,
          ...more,
        },
        sceneEnvironment,
      );
      return { mc, domain };
    };
    const { mc, domain } = system('mc-a', {
      ...mcPeer,
      allowClear: options.allowClear ?? false,
      ...(options.signalling ? { signalling: options.signalling } : {}),
      ...(options.floor ? { floor: options.floor } : {}),
      ...(mcTls ? { tls: { ...mcTls, requestCert: true } } : {}),
      ...(taps && outerPorts
        ? {
            relay: taps.outer.media,
            advertisedPort: outerPorts.systemPort,
            gateway: { ...outer, port: outerPorts.gatewayPort, protocol },
          }
        : {}),
    });
    await mc.open();
    const next = hasNeighbour ? system('mc-b', neighbourPeer) : undefined;
    const neighbour = next?.mc;
    await neighbour?.open();
    const neighbourDomain = next?.domain;
    const parties = { radio, mc, domain, neighbour, neighbourDomain };
    const scene = { folder, pbx, gateway, outer, link, ...parties };
    const gatewayPort = outerPorts?.gatewayPort ?? outer.port;
    return new Scene({ ...scene, taps: taps && { ...taps, gatewayPort } });
  }

  /** Ends everything and removes what is temporary. */
  async stop(): Promise<void> {
    await Promise.allSettled([this.mc.close(), this.neighbour?.close(), this.radio.close()]);
    await this.gateway.stop();
    this.link.close();
    await this.pbx.stop();
    this.taps?.outer.close();
    await this.taps?.inner.close();
    await this.domain.slow.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function startPbx(options: SceneOptions, edge: Peer): Promise<PbxInstance> {
  const { pbx = 'asterisk', asterisk, freeswitch, ipv6 = false } = options;
  if (pbx === 'asterisk') return AsteriskInstance.start({ ipv6, ...asterisk, edge });
  if (pbx === 'freeswitch') return startFreeSwitch({ ...freeswitch, edge });
  return typeof pbx === 'function' ? pbx(edge) : pbx;
}

async function freePeer(address: string): Promise<Peer> {
  return { address, port: await freePort(address) };
}

async function planTaps(prefix: string): Promise<{ outer: OuterTap; inner: InnerTap }> {
  return {
    outer: new OuterTap(`${prefix}-outer.pcap`, MC_ADDRESS, GATEWAY_OUTER),
    inner: await InnerTap.plan(`${prefix}-inner.pcap`),
  };
}
