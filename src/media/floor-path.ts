/**
 * Floor control of one session: the participant runs here, on the worker's loop, so that no word waits
 * for the control thread. It tells which packets may pass, holds speech back while a request is
 * under way, and sends it once the floor is granted.
 */
import {
  FloorParticipant,
  HeldSpeech,
  refusePreEstablished,
  writeFloorMessage,
  writePreEstablished,
  type FloorInput,
  type FloorState,
  type OuterAction,
  type SpeechGate,
} from '../floor/index.js';
import type { FloorCounters } from './floor-counters.js';
import { FloorLine } from './floor-line.js';
import { RtpKeying, type KeyingSeen } from './floor-keying.js';
import type { FloorCommand, FloorNews } from './floor-types.js';
import { HeldPackets } from './held-packets.js';
import type { PathEnvironment } from './path.js';
import type { WireFloor } from './protocol.js';
import type { DropReason } from './types.js';

/** What floor control does to the streams of its session. */
export interface FloorStreams {
  /** sends a packet of the PBX on. @returns why it was dropped; null when it was sent */
  forward(packet: Uint8Array): DropReason | null;
  /** sends digits to the PBX; nowhere without a payload type for them */
  dial(digits: string, payloadType: number | null): void;
  droppedOutward(reason: DropReason): void;
  droppedInward(reason: DropReason): void;
  readonly counters: FloorCounters;
}

/** What a packet may do: pass, wait inside, or be dropped. */
export type Gate = 'open' | 'waits' | 'no-floor' | 'keying';

/** Speech right before its key was seen, beside the time that the detection itself takes, ms. */
const PRE_ROLL_MS = 200;
/** Packets that wait, in one direction: two seconds of the shortest usual ones. */
const HELD_PACKETS = 200;
/** How often the participant is told that speech comes, ms. */
const MEDIA_EVERY_MS = 250;

export class FloorPath {
  readonly #env: PathEnvironment;
  readonly #streams: FloorStreams;
  readonly #line: FloorLine;
  readonly #inwards: HeldPackets<{ ssrc: number; forward: () => DropReason | null }>;
  #setup: WireFloor;
  #participant: FloorParticipant;
  #outwards: HeldSpeech;
  /** packets of `#outwards` that were counted as dropped */
  #counted = 0;
  #keying: RtpKeying;
  #floor: FloorState = 'start-stop';
  #mediaAt = -Infinity;
  #ended = false;

  constructor(env: PathEnvironment, setup: WireFloor, streams: FloorStreams) {
    this.#env = env;
    this.#streams = streams;
    streams.counters.use();
    this.#setup = setup;
    this.#participant = this.#newParticipant();
    this.#outwards = this.#newHeldSpeech();
    this.#line = new FloorLine(setup);
    this.#keying = new RtpKeying(setup.keying);
    this.#inwards = new HeldPackets(HELD_PACKETS, (count) => {
      for (let i = 0; i < count; i++) streams.droppedInward('no-floor');
    });
  }

  /** Other keys, another remote end or other options; who has the floor stays as it is. */
  change(setup: WireFloor): void {
    const before = this.#setup;
    this.#setup = setup;
    this.#line.change(setup);
    this.#participant.reconfigure({ ...setup.participant, ssrc: setup.ssrc });
    if (setup.ssrc !== before.ssrc) this.#input({ kind: 're-keyed' });
    if (!sameKeying(setup, before)) this.#keying = new RtpKeying(setup.keying);
  }

  command(command: FloorCommand): void {
    switch (command.type) {
      case 'set-up': {
        const { implicitRequest, granted } = command;
        this.#input({ kind: 'call-set-up', implicitRequest, granted });
        return;
      }
      case 'key':
        if (command.on) this.#keying.pressed(this.#env.monotonic());
        this.#input({ kind: command.on ? 'key-on' : 'key-off' });
        return;
      case 'level':
        this.#input({ kind: 'level', level: command.level });
        return;
      case 'dial':
        this.#streams.dial(command.digits, this.#keying.eventType);
        return;
      case 'ask-queue-position':
        this.#input({ kind: 'ask-queue-position' });
        return;
    }
  }

  /** A datagram on the floor port. */
  onDatagram(datagram: Uint8Array, address: string): void {
    const { counters } = this.#streams;
    const now = this.#env.monotonic();
    const arrivals = this.#line.open(datagram, address, now, (reason) => counters.drop(reason));
    for (const { content, clear, index } of arrivals) {
      counters.received += content.messages.length + content.preEstablished.length;
      const { forwardTo } = this.#setup;
      if (forwardTo !== null) this.#env.sendFloor(clear, forwardTo.port, forwardTo.address);
      content.messages.forEach((message, place) => {
        // several messages under one index are one piece of news, in their order
        const once = place === 0 && index !== undefined ? { index } : {};
        this.#input({ kind: 'message', message, ...once });
      });
      for (const message of content.preEstablished) {
        const refusal = refusePreEstablished(message, this.#setup.ssrc);
        if (refusal !== null) this.#send(writePreEstablished(refusal, this.#setup.codec));
      }
    }
  }

  /** A packet of the PBX; what waits is sent or dropped here. */
  fromRadio(packet: Uint8Array): Gate {
    const now = this.#env.monotonic();
    const seen = this.#keying.observe(packet, now);
    this.#keyed(seen);
    if (seen.swallow) return 'keying';
    const passes = this.#outwards.offer(packet, now);
    this.#countDropped();
    return passes ? 'open' : 'waits';
  }

  /** A packet of the MC side. @param forward sends it on, when it has waited */
  fromMc(ssrc: number, forward: () => DropReason | null): Gate {
    const now = this.#env.monotonic();
    if (this.#hears(ssrc)) {
      if (now - this.#mediaAt >= MEDIA_EVERY_MS) {
        this.#mediaAt = now;
        this.#input({ kind: 'media' });
      }
      return 'open';
    }
    const speaks = this.#participant.state.speech === 'open';
    if (this.#setup.listenBackMs === 0 || speaks) return 'no-floor';
    this.#inwards.push({ ssrc, forward }, now, this.#setup.listenBackMs);
    return 'waits';
  }

  /** The radio may have fallen silent without a packet that says so. */
  tick(now: number): void {
    this.#keyed(this.#keying.tick(now));
  }

  /** Gives the floor back and wipes the keys. */
  end(): void {
    if (this.#ended) return;
    if (this.#participant.state.keyed) this.#input({ kind: 'key-off' });
    this.#input({ kind: 'call-ended' });
    this.#ended = true;
    this.#outwards.setGate('closed', this.#env.monotonic());
    this.#countDropped();
    this.#inwards.drop();
    this.#line.wipe();
  }

  #keyed({ key }: KeyingSeen): void {
    if (key !== null) this.#input({ kind: key ? 'key-on' : 'key-off' });
  }

  #hears(ssrc: number): boolean {
    const { open, ssrcs } = this.#participant.state.hearing;
    return open && (ssrcs === null || ssrcs.includes(ssrc));
  }

  #input(input: FloorInput): void {
    if (this.#ended) return;
    this.#participant.input(input);
    const { floor } = this.#participant.state;
    if (floor === 'pending-request' && this.#floor !== floor) this.#tell({ event: 'pending' });
    this.#floor = floor;
  }

  #act(action: OuterAction): void {
    switch (action.kind) {
      case 'send':
        this.#send(writeFloorMessage(action.message, this.#setup.codec));
        return;
      case 'speech':
        this.#setGate(action.gate);
        return;
      case 'hearing':
        if (action.gate.open) this.#heard(action.gate.ssrcs);
        return;
      case 'tell':
        this.#tell(action.what);
        return;
      case 'dropped':
        this.#streams.counters.drop(action.reason);
        return;
      case 'talkers':
      case 'may-request':
        return;
    }
  }

  /** Where the floor is granted, what the radio said meanwhile goes first. */
  #setGate(gate: SpeechGate): void {
    for (const packet of this.#outwards.setGate(gate, this.#env.monotonic())) {
      const reason = this.#streams.forward(packet);
      if (reason !== null) this.#streams.droppedOutward(reason);
    }
    this.#countDropped();
  }

  #countDropped(): void {
    for (; this.#counted < this.#outwards.dropped; this.#counted++) {
      this.#streams.droppedOutward('no-floor');
    }
  }

  /** Somebody else has the floor: the beginning that came before the message that says so. */
  #heard(ssrcs: readonly number[] | null): void {
    const held = this.#inwards.take(this.#env.monotonic(), this.#setup.listenBackMs);
    for (const { ssrc, forward } of held) {
      const reason = ssrcs === null || ssrcs.includes(ssrc) ? forward() : 'no-floor';
      if (reason !== null) this.#streams.droppedInward(reason);
    }
  }

  #send(message: Uint8Array): void {
    const { address, port } = this.#line.remote;
    this.#streams.counters.sent += 1;
    this.#env.sendFloor(this.#line.seal(message), port, address);
  }

  #tell(news: FloorNews): void {
    this.#env.emit({ type: 'floor', news });
  }

  #newParticipant(): FloorParticipant {
    const { participant, ssrc } = this.#setup;
    return new FloorParticipant({ ...participant, ssrc }, this.#env.timers, (action) =>
      this.#act(action),
    );
  }

  #newHeldSpeech(): HeldSpeech {
    const { holdBackMs, keying } = this.#setup;
    const preRollMs = holdBackMs === 0 ? 0 : PRE_ROLL_MS + keying.attackMs;
    return new HeldSpeech({ holdMs: holdBackMs + preRollMs, preRollMs, maxPackets: HELD_PACKETS });
  }
}

function sameKeying({ keying: a }: WireFloor, { keying: b }: WireFloor): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
