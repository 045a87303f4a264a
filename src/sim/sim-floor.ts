/**
 * Floor control of one simulated call: the MC system's floor server for two, the radio user behind the
 * gateway and the MC user who keys here, with the protected line to the gateway between them.
 */
import type { Environment } from '../base/environment.js';
import {
  FLOOR_INDICATOR,
  readFloorDatagram,
  writeFloorMessage,
  type FloorLevel,
  type FloorMessage,
} from '../floor/index.js';
import type { SrtpKeyMaterial } from '../srtp/index.js';
import { SimFloorLine } from './floor-line.js';
import type { FloorServerOptions } from './floor-model.js';
import { FloorServer } from './floor-server.js';
import type { FloorControl } from './party-media.js';
import type { FloorSection } from './session-description.js';

export interface SimFloorOptions {
  readonly address: string;
  /** SRTCP key shared with the gateway; null for clear floor control */
  readonly key: SrtpKeyMaterial | null;
  /** rules and timers of the server */
  readonly server?: Partial<Omit<FloorServerOptions, 'ssrc'>>;
  /** parameters of our line; an answer has of them what was offered */
  readonly parameters?: readonly string[];
}

/** The two who share the floor. */
export interface FloorParties {
  /** MCPTT ID of our user, and of the user behind the gateway */
  readonly own: string;
  readonly peer: string;
}

const DEFAULT_PARAMETERS = ['mc_queueing', 'mc_priority=255', 'mc_granted'];
const LEVEL_BIT: Readonly<Record<FloorLevel, number>> = {
  normal: FLOOR_INDICATOR.normalCall,
  'imminent-peril': FLOOR_INDICATOR.imminentPerilCall,
  emergency: FLOOR_INDICATOR.emergencyCall,
};

export class SimFloor implements FloorControl {
  readonly server: FloorServer;
  readonly line: SimFloorLine;
  /** what came from the gateway, in its order */
  readonly received: FloorMessage[] = [];
  /** what our own user was told */
  readonly told: FloorMessage[] = [];
  /** parameters of the gateway's line */
  peerParameters: readonly string[] = [];
  readonly #options: SimFloorOptions;
  readonly #parties: FloorParties;
  #implicitRequest = false;
  #agreed = false;
  #joined = false;

  constructor(options: SimFloorOptions, parties: FloorParties, env: Environment) {
    this.#options = options;
    this.#parties = parties;
    const ssrc = Buffer.from(env.random(4)).readUInt32BE();
    this.server = new FloorServer({ ...options.server, ssrc }, env.timers);
    this.line = new SimFloorLine({ address: options.address, key: options.key, ssrc });
    this.line.onDatagram = (clear) => {
      for (const message of readFloorDatagram(clear).messages) {
        this.received.push(message);
        this.server.receive(parties.peer, message);
      }
    };
  }

  /** MCPTT ID of the user behind the gateway. */
  get peer(): string {
    return this.#parties.peer;
  }

  async offer(): Promise<FloorSection> {
    const parameters = this.#options.parameters ?? DEFAULT_PARAMETERS;
    return { address: this.#options.address, port: await this.line.open(), parameters };
  }

  async answer(offered: FloorSection): Promise<FloorSection> {
    this.#agree(offered);
    this.#implicitRequest = offered.parameters.includes('mc_implicit_request');
    const { address, port } = await this.offer();
    const names = new Set(offered.parameters.map(nameOf));
    const own = this.#options.parameters ?? DEFAULT_PARAMETERS;
    const parameters = own.filter((word) => names.has(nameOf(word)) && word !== 'mc_granted');
    return {
      address,
      port,
      parameters: this.#implicitRequest ? [...parameters, 'mc_implicit_request'] : parameters,
    };
  }

  take(answered: FloorSection | undefined): void {
    if (answered !== undefined) this.#agree(answered);
  }

  start(): void {
    if (!this.#agreed || this.#joined) return;
    this.#joined = true;
    const { own, peer } = this.#parties;
    const queueing = this.peerParameters.includes('mc_queueing');
    this.server.join({ userId: own, queueing: true, send: (message) => this.#tell(message) });
    this.server.join(
      {
        userId: peer,
        queueing,
        send: (message) => this.line.send(writeFloorMessage(message)),
      },
      this.#implicitRequest,
    );
  }

  close(): void {
    this.server.close();
    this.line.close();
  }

  /** Our user keys. */
  key(level: FloorLevel = 'normal'): void {
    this.#say('request', level);
  }

  /** Our user lets the key go. */
  unkey(): void {
    this.#say('release', 'normal');
  }

  /** Our user gives the floor back when it is revoked. */
  #tell(message: FloorMessage): void {
    this.told.push(message);
    if (message.type === 'revoke') queueMicrotask(() => this.unkey());
  }

  #say(type: 'request' | 'release', level: FloorLevel): void {
    const indicator = LEVEL_BIT[level];
    const message = { type, ssrc: 0, ackRequired: false, indicator, others: [] } as const;
    this.server.receive(this.#parties.own, message);
  }

  #agree({ address, port, parameters }: FloorSection): void {
    this.#agreed = true;
    this.peerParameters = parameters;
    this.line.setRemote(address, port);
  }
}

function nameOf(parameter: string): string {
  return parameter.split('=')[0] ?? '';
}
