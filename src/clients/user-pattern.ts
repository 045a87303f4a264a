/**
 * A whole range of represented users in one line: an MC service ID and a PBX user part with one `*`
 * each, as `sip:unit-*@radio.example` and `2*`. What stands for the star is the same on both sides,
 * 1 to 32 letters, digits or + . _ -, so that the mapping goes both ways.
 */
import { SegyError } from '../base/errors.js';
import type { RepresentedUser } from './directory.js';

const STAR_TEXT = /^[A-Za-z0-9+._-]{1,32}$/;
const MC_SERVICE_ID = /^[^\s<>"*\p{Cc}]{1,255}$/u;
const PBX_USER = /^[A-Za-z0-9+._-]{1,64}$/;

export function isPattern(user: RepresentedUser): boolean {
  return user.uri.includes('*');
}

/** @throws SegyError SEGY_E_ARGUMENT unless both identities are fit, and both or neither have one star */
export function checkUser(user: RepresentedUser): void {
  const stars = (text: string): number => text.split('*').length - 1;
  if (stars(user.uri) !== stars(user.pbx) || stars(user.uri) > 1) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a pattern has one * on each side, a user none');
  }
  const uri = user.uri.replace('*', 'x');
  const pbx = user.pbx.replace('*', 'x');
  if (!MC_SERVICE_ID.test(uri)) {
    throw new SegyError(
      'SEGY_E_ARGUMENT',
      'an MC service ID has no spaces and at most 255 characters',
    );
  }
  if (!PBX_USER.test(pbx)) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a PBX user part has letters, digits and + . _ - only');
  }
}

/** The user of `pattern` whose MC service ID is `uri`. */
export function userOfUri(pattern: RepresentedUser, uri: string): RepresentedUser | undefined {
  return expand(pattern, starText(pattern.uri, uri));
}

/** The user of `pattern` whose PBX user part is `pbx`. */
export function userOfPbx(pattern: RepresentedUser, pbx: string): RepresentedUser | undefined {
  return expand(pattern, starText(pattern.pbx, pbx));
}

function starText(pattern: string, text: string): string | undefined {
  const [head = '', tail = ''] = pattern.split('*');
  if (!text.startsWith(head) || !text.endsWith(tail)) return undefined;
  const star = text.slice(head.length, text.length - tail.length);
  return text.length > head.length + tail.length && STAR_TEXT.test(star) ? star : undefined;
}

function expand(pattern: RepresentedUser, star: string | undefined): RepresentedUser | undefined {
  if (star === undefined) return undefined;
  const user = {
    uri: pattern.uri.split('*').join(star),
    pbx: pattern.pbx.split('*').join(star),
  };
  return PBX_USER.test(user.pbx) ? user : undefined;
}
