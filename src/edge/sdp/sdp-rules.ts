/**
 * What a session description of each side must be before anything is done for it.
 */
import { isIP } from 'node:net';
import { SegyError } from '../../base/errors.js';
import { normaliseHost } from '../../sip/index.js';
import type { AudioDescription, SessionModel } from './sdp-model.js';

/** Profiles that ask for keys; MC media has them by MIKEY whatever the profile says (TS 24.379). */
const SECURE_PROFILES = new Set(['RTP/SAVP', 'RTP/SAVPF']);
const AUDIO_PROFILES = new Set(['RTP/AVP', 'RTP/AVPF', ...SECURE_PROFILES]);

/** The audio stream of an offer. @throws SegyError SEGY_E_MEDIA when none can be carried */
export function requireAudio(model: SessionModel): AudioDescription {
  if (model.audio === null) {
    throw new SegyError('SEGY_E_MEDIA', 'the offer has no RTP audio stream');
  }
  return model.audio;
}

/**
 * Checks the PBX's description: clear RTP to an allowed address and nothing else. With direct media
 * the PBX would name the trunk's address, and the gateway's clear RTP would leave the host.
 * @throws SegyError SEGY_E_MEDIA_ADDRESS, SEGY_E_MEDIA
 */
export function checkInner(model: SessionModel, allowed: ReadonlySet<string>): void {
  const audio = model.audio;
  if (audio === null) return;
  if (SECURE_PROFILES.has(audio.profile) || model.otherKeying) {
    throw new SegyError('SEGY_E_MEDIA', 'the PBX asks for protected RTP on the clear side');
  }
  if (audio.port === 0 || audio.address === null) return;
  if (!allowed.has(normaliseHost(audio.address))) {
    throw new SegyError(
      'SEGY_E_MEDIA_ADDRESS',
      'the inner SDP names an address outside the allowed',
    );
  }
}

/**
 * Checks a description from the MC side: a unicast address of the family our media address has, and
 * not one of this host alone, where our packets would reach the PBX or another local program.
 * @param ownAddress null while no media address is allocated
 * @throws SegyError SEGY_E_MEDIA
 */
export function checkOuter({ audio }: SessionModel, ownAddress: string | null): void {
  if (audio === null || audio.port === 0 || audio.address === null) return;
  checkOuterAddress(audio.address, ownAddress);
}

/** The same of an address alone. @throws SegyError SEGY_E_MEDIA */
export function checkOuterAddress(address: string, ownAddress: string | null): void {
  if (isIP(address) === 0) throw new SegyError('SEGY_E_MEDIA', 'a media address is no IP address');
  if (ownAddress !== null && isIP(address) !== isIP(ownAddress)) {
    throw new SegyError('SEGY_E_MEDIA', 'the media address is of another IP version than ours');
  }
  if (ownAddress !== null && staysHere(address) && !staysHere(ownAddress)) {
    throw new SegyError('SEGY_E_MEDIA', 'the media address is one of this host alone');
  }
  if (isMulticast(address)) {
    throw new SegyError('SEGY_E_MEDIA', 'the media address is no unicast address');
  }
}

/** True when the description can only be served with a key. */
export function demandsKey(model: SessionModel): boolean {
  return model.otherKeying || (model.audio !== null && SECURE_PROFILES.has(model.audio.profile));
}

export function isAudioProfile(profile: string): boolean {
  return AUDIO_PROFILES.has(profile);
}

/** 127.0.0.0/8, 0.0.0.0/8, ::1, ::, and IPv4 in an IPv6 literal, which a socket may send as IPv4. */
function staysHere(address: string): boolean {
  if (isIP(address) === 6) return /^[0:]*:1?$/.test(address) || /^[0:]*:ffff:/i.test(address);
  return /^(?:0|127)\./.test(address);
}

function isMulticast(address: string): boolean {
  if (isIP(address) === 6) return /^ff/i.test(address);
  const first = Number(address.split('.')[0]);
  return first >= 224;
}
