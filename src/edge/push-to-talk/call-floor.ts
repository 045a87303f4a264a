/**
 * Floor control of one call: its line in the descriptions towards MC, the media session's floor
 * socket, and the radio's key. The partner's floor control server grants; this side takes part.
 *
 * | phase    | meaning                                        | next |
 * |----------|------------------------------------------------|------|
 * | none     | no line is agreed: speech passes as without it | agree → agreed |
 * | agreed   | the line stands in both descriptions, not yet answered for good: no speech | call → up; agree(null) → none |
 * | up       | the participant runs                           | agree(null) → none |
 * | closed   | the call has ended                             | none |
 */
import type { Log, Metrics } from '../../base/environment.js';
import { toSegyError } from '../../base/errors.js';
import type { FloorConfig } from '../../config/index.js';
import { DEFAULT_FLOOR_CODEC, type FloorCodecSettings } from '../../floor/index.js';
import type {
  FloorAddress,
  FloorCommand,
  FloorKeying,
  FloorKeys,
  FloorLevel,
  FloorNews,
  FloorSetup,
} from '../../media/index.js';
import { wipeKeyMaterial } from '../../srtp/index.js';
import { normaliseHost } from '../../sip/index.js';
import { codecsOf } from '../sdp/codecs.js';
import { floorVariables, RadioKey } from './floor-radio.js';
import { acceptedParameters, answeredParameters, type FloorLine } from '../sdp/floor-sdp.js';
import type { FloorWishes } from './floor-wishes.js';
import type { CallMediaSession } from '../ports/media-port.js';
import type { PbxChannel, PbxVariables } from '../ports/pbx-port.js';
import type { AudioDescription, FloorDescription, FloorParameters } from '../sdp/sdp-model.js';
import { checkOuterAddress } from '../sdp/sdp-rules.js';

export interface CallFloorInit {
  readonly session: CallMediaSession;
  readonly config: FloorConfig;
  /** SRTCP keys as they are now; null where policy has floor control clear */
  readonly keys: () => FloorKeys | null;
  /** MC service ID that asks for the floor; null where nobody can be named */
  readonly userId: string | null;
  /** name of the call in the log */
  readonly id: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A floor line that both sides have agreed on. */
export interface FloorAgreement {
  readonly remote: FloorAddress;
  readonly parameters: FloorParameters;
}

const DEFAULT_LEG = '';

export class CallFloor {
  readonly #init: CallFloorInit;
  readonly #agreed = new Map<string, FloorAgreement>();
  #wishes: FloorWishes;
  #key: RadioKey;
  #phase: 'none' | 'agreed' | 'up' | 'closed' = 'none';
  #local: FloorAddress | null = null;
  #current: FloorAgreement | null = null;
  #codecs: FloorKeying['codecs'] = {};
  #channel: PbxChannel | null = null;
  #answered = false;
  #last: PbxVariables = {};

  constructor(init: CallFloorInit, wishes: FloorWishes) {
    this.#init = init;
    this.#wishes = wishes;
    this.#key = this.#newKey();
    init.session.on('event', (event) => {
      if (event.type === 'floor') this.#told(event.news);
    });
  }

  /** What the channel was told last: how the floor stands, and who has it. */
  get told(): { readonly floor: string; readonly talker: string } {
    const { SEGY_FLOOR: floor = 'idle', SEGY_TALKER: talker = '' } = this.#last;
    return { floor, talker };
  }

  /** True while a floor line is agreed on. */
  get active(): boolean {
    return this.#phase === 'agreed' || this.#phase === 'up';
  }

  /** Binds the port of floor control. @throws SegyError SEGY_E_MEDIA_PORTS */
  async open(): Promise<void> {
    this.#local ??= await this.#init.session.openFloor();
  }

  /** What the dialplan said when it handed the channel over. */
  wish(wishes: FloorWishes): void {
    const { level } = this.#wishes;
    this.#wishes = wishes.level === 'normal' ? { ...wishes, level } : wishes;
    this.#key = this.#newKey();
  }

  /** The line of our offer; null for none. */
  offerLine(): FloorLine | null {
    if (this.#local === null) return null;
    const { config } = this.#init;
    const parameters: FloorParameters = {
      ...this.#own(),
      granted: config.granted,
      implicitRequest: this.#phase === 'none' && (config.implicitRequest || this.#wishes.keyed),
    };
    return { port: this.#local.port, parameters };
  }

  /**
   * The line of our answer to an offer of the partner; null declines it.
   * @throws SegyError SEGY_E_MEDIA for an unusable address, SEGY_E_MEDIA_PORTS
   */
  async answerLine(offered: FloorDescription | null): Promise<FloorLine | null> {
    if (offered === null || offered.port === 0) return null;
    checkOuterAddress(offered.address, this.#init.session.outer.address);
    await this.open();
    if (this.#local === null) return null;
    const parameters = answeredParameters(offered.parameters, this.#own());
    return { port: this.#local.port, parameters };
  }

  /**
   * The partner's answer to a line of ours.
   * @throws SegyError SEGY_E_MEDIA for an unusable address
   */
  accepted(answer: FloorDescription | null, offered: FloorParameters): FloorAgreement | null {
    if (answer === null || answer.port === 0) return null;
    checkOuterAddress(answer.address, this.#init.session.outer.address);
    const { address, port, parameters } = answer;
    return { remote: { address, port }, parameters: acceptedParameters(parameters, offered) };
  }

  /** Takes an agreement, of one early dialog where there are several; null: there is no floor line. */
  async agree(
    agreement: FloorAgreement | null,
    audio: readonly AudioDescription[],
    leg: string = DEFAULT_LEG,
  ): Promise<void> {
    if (agreement === null) this.#agreed.delete(leg);
    else this.#agreed.set(leg, agreement);
    this.#codecs = codecsOf(audio);
    await this.#apply(agreement);
    if (this.#answered) await this.callUp();
  }

  /** The early dialog that became the call. */
  async selectLeg(leg: string): Promise<void> {
    const agreement = this.#agreed.get(leg) ?? null;
    if (agreement !== this.#current) await this.#apply(agreement);
  }

  /** The call is answered: the participant begins, or the port is given back where there is no line. */
  async callUp(): Promise<void> {
    this.#answered = true;
    const agreement = this.#current;
    if (agreement === null && this.#phase === 'none' && this.#local !== null) {
      this.#local = null;
      await this.#init.session.closeFloor();
    }
    if (this.#phase !== 'agreed' || agreement === null) return;
    this.#phase = 'up';
    const { implicitRequest, granted } = agreement.parameters;
    const { level, keyed } = this.#wishes;
    if (level !== 'normal') await this.#command({ type: 'level', level });
    await this.#command({ type: 'set-up', implicitRequest, granted });
    if (keyed) await this.#command({ type: 'key', on: true });
  }

  /** Follows the radio's key on `channel`, and tells it what becomes of the floor. */
  follow(channel: PbxChannel): void {
    this.#channel = channel;
    channel.onSignal = (signal) => {
      const command = this.#key.commandOf(signal);
      if (command === null) return;
      if (command.type === 'key') this.#wishes = { ...this.#wishes, keyed: command.on };
      if (command.type === 'level') this.setLevel(command.level);
      else if (this.#phase === 'up') this.#send(command);
    };
  }

  /** The call became an emergency, or ceased to be one. */
  setLevel(level: FloorLevel): void {
    this.#wishes = { ...this.#wishes, level };
    if (this.#phase === 'up') this.#send({ type: 'level', level });
  }

  close(): void {
    this.#phase = 'closed';
    if (this.#channel !== null) delete this.#channel.onSignal;
    this.#channel = null;
  }

  async #apply(agreement: FloorAgreement | null): Promise<void> {
    if (this.#phase === 'closed') return;
    const { session } = this.#init;
    this.#current = agreement;
    if (agreement === null) {
      if (this.#phase === 'none') return;
      this.#phase = 'none';
      await session.setFloor(null);
      return;
    }
    if (this.#phase === 'none') this.#phase = 'agreed';
    const keys = this.#init.keys();
    try {
      await session.setFloor(this.#setup(agreement, keys));
    } finally {
      if (keys !== null) wipeKeyMaterial(keys.send, ...keys.receive);
    }
  }

  #setup({ remote, parameters }: FloorAgreement, keys: FloorKeys | null): FloorSetup {
    const { config, userId } = this.#init;
    const { priorities, timers, forwardTo } = config;
    const codec = codecOf(config);
    return {
      keys,
      remote: { address: normaliseHost(remote.address), port: remote.port },
      participant: {
        userId,
        functionalAlias: null,
        queueing: parameters.queueing,
        maxPriority: parameters.priority,
        priorities: {
          normal: priorities.normal,
          'imminent-peril': priorities.imminentPeril,
          emergency: priorities.emergency,
        },
        unkeyedInQueue: config.unkeyedInQueue,
        releaseWantsAck: config.releaseWantsAck,
        bindSsrc: config.bindSsrc,
        talkLimit: config.talkLimitSeconds,
        timing: timers,
        codePoints: codec.codePoints,
      },
      codec,
      keying: this.#keying(),
      holdBackMs: config.holdBackMs,
      listenBackMs: config.listenBackMs,
      messagesPerSecond: config.messagesPerSecond,
      forwardTo: forwardTo ?? null,
    };
  }

  #keying(): FloorKeying {
    const { on, off, thresholdDb, attackMs, hangMs } = this.#init.config.keying;
    const source = this.#source();
    return {
      source: source === 'level' || source === 'events' ? source : 'commands',
      swallowDigits: source === 'dtmf',
      ...{ on, off, thresholdDb, attackMs, hangMs },
      codecs: this.#codecs,
    };
  }

  #own(): FloorParameters {
    const { queueing, priorities } = this.#init.config;
    const highest = Math.max(...Object.values(priorities));
    return { queueing, priority: highest, granted: false, implicitRequest: false };
  }

  #source(): FloorConfig['keying']['source'] {
    return this.#wishes.source ?? this.#init.config.keying.source;
  }

  #newKey(): RadioKey {
    return new RadioKey(this.#init.config.keying, this.#source());
  }

  #told(news: FloorNews): void {
    const { id, log, metrics } = this.#init;
    const variables = floorVariables(news);
    this.#last = variables;
    metrics.count('segy_floor_events_total', { event: news.event });
    log.info('floor', {
      session: id,
      event: news.event,
      reason: 'reason' in news ? news.reason : '',
      talker: variables.SEGY_TALKER ?? '',
    });
    const digits = digitsOf(this.#init.config, news);
    if (digits !== undefined) this.#send({ type: 'dial', digits });
    const channel = this.#channel;
    if (channel === null || channel.gone) return;
    channel.tell('segy_floor', { ...variables, SEGY_SESSION: id }).catch((error: unknown) => {
      log.debug('floor.untold', { session: id, reason: toSegyError(error).message });
    });
  }

  #send(command: FloorCommand): void {
    this.#command(command).catch((error: unknown) => {
      const { code, message } = toSegyError(error);
      this.#init.log.warn('floor.command.failed', { session: this.#init.id, code, message });
    });
  }

  async #command(command: FloorCommand): Promise<void> {
    if (this.#phase !== 'closed') await this.#init.session.commandFloor(command);
  }
}

/** How messages of the partner are read and written. */
function codecOf({ codePoints, tolerances }: FloorConfig): FloorCodecSettings {
  const given = Object.entries(codePoints).filter(([, value]) => value !== undefined);
  return {
    ...DEFAULT_FLOOR_CODEC,
    codePoints: { ...DEFAULT_FLOOR_CODEC.codePoints, ...Object.fromEntries(given) },
    tolerances,
  };
}

/** Digits that tell the radio trunk of it; undefined for none. */
function digitsOf({ tellDigits }: FloorConfig, { event }: FloorNews): string | undefined {
  return event === 'pending' || event === 'released' ? undefined : tellDigits[event];
}
