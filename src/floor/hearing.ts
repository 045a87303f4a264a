/**
 * What may be heard: speech from the MC side passes only while somebody there has the floor.
 *
 * | talkers | our floor | heard |
 * |---|---|---|
 * | none | any | no |
 * | some | we do not have it | yes |
 * | some | we have it, shared (dual floor, multi-talker) | yes |
 * | some | we have it alone | no |
 *
 * Floor Taken makes or adds talkers, Floor Idle and Floor Release Multi Talker take them away. A Floor
 * Taken that names ourselves makes none.
 */
import type { FloorMessage } from './message.js';
import type {
  HearingGate,
  ParticipantOptions,
  ParticipantState,
  Talker,
} from './participant-types.js';
import { FLOOR_INDICATOR, type FloorLevel } from './vocabulary.js';

const CLOSED_HEARING: HearingGate = { open: false, ssrcs: null };

/** Talkers that are kept of one call; more are not named, and heard where the gate is open. */
const MAX_TALKERS = 8;

export function hasBit(message: FloorMessage, bit: keyof typeof FLOOR_INDICATOR): boolean {
  return ((message.indicator ?? 0) & FLOOR_INDICATOR[bit]) !== 0;
}

export function levelOf(message: FloorMessage): FloorLevel {
  if (hasBit(message, 'emergencyCall')) return 'emergency';
  return hasBit(message, 'imminentPerilCall') ? 'imminent-peril' : 'normal';
}

/** Floor Taken for more than one: an overriding talker, or one of several. */
export function isShared(message: FloorMessage): boolean {
  return hasBit(message, 'dualFloor') || hasBit(message, 'multiTalker');
}

/** Whom a Floor Taken names, without ourselves. One whose name is withheld is a talker too. */
function namedTalkers(message: FloorMessage, ownId: string | null): Talker[] {
  const named: Talker[] = message.grantedUsers
    ? message.grantedUsers.map((userId, i) => ({
        userId: userId === '' ? null : userId,
        functionalAlias: orNull(message.functionalAliases?.[i]),
        ssrc: message.mediaSsrcs?.[i] ?? null,
      }))
    : [
        {
          userId: orNull(message.grantedParty),
          functionalAlias: orNull(message.functionalAlias),
          ssrc: message.mediaSsrc ?? null,
        },
      ];
  return named.filter(({ userId }) => userId === null || userId !== ownId);
}

function orNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

function same(a: Talker, b: Talker): boolean {
  return a.userId !== null || b.userId !== null ? a.userId === b.userId : a.ssrc === b.ssrc;
}

export function sameTalkers(a: readonly Talker[], b: readonly Talker[]): boolean {
  return (
    a.length === b.length &&
    a.every((talker, i) => {
      const other = b[i];
      return (
        other?.userId === talker.userId &&
        other.functionalAlias === talker.functionalAlias &&
        other.ssrc === talker.ssrc
      );
    })
  );
}

/** The talkers after a Floor Taken. */
export function talkersAfterTaken(
  before: readonly Talker[],
  message: FloorMessage,
  ownId: string | null,
): readonly Talker[] {
  const named = namedTalkers(message, ownId);
  if (!isShared(message) || message.grantedUsers) return named.slice(0, MAX_TALKERS);
  const others = before.filter((talker) => !named.some((one) => same(one, talker)));
  return [...others, ...named].slice(0, MAX_TALKERS);
}

/** The talkers after a Floor Idle: with the dual floor bit only the overriding one ended. */
export function talkersAfterIdle(
  before: readonly Talker[],
  message: FloorMessage,
): readonly Talker[] {
  return hasBit(message, 'dualFloor') ? before.slice(0, -1) : [];
}

/** The talkers after a Floor Release Multi Talker: the named one less, all when it names nobody. */
export function talkersAfterRelease(
  before: readonly Talker[],
  message: FloorMessage,
): readonly Talker[] {
  const { userId, mediaSsrc } = message;
  if (userId === undefined && mediaSsrc === undefined) return [];
  return before.filter((talker) =>
    userId !== undefined && talker.userId !== null
      ? talker.userId !== userId
      : mediaSsrc === undefined || talker.ssrc !== mediaSsrc,
  );
}

/** The one rule of the table above. */
export function hearingOf(
  options: ParticipantOptions,
  state: Pick<ParticipantState, 'floor' | 'shared' | 'talkers'>,
): HearingGate {
  const alone = state.floor === 'has-permission' && state.shared === 'no';
  if (state.talkers.length === 0 || alone || state.floor === 'start-stop') return CLOSED_HEARING;
  const ssrcs = state.talkers.flatMap(({ ssrc }) => (ssrc === null ? [] : [ssrc]));
  const bound = options.bindSsrc && ssrcs.length === state.talkers.length;
  return { open: true, ssrcs: bound ? ssrcs : null };
}
