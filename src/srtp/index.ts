/**
 * SRTP and SRTCP (RFC 3711, RFC 7714, RFC 4771 mode 3) and the RTP and RTCP packets under them.
 *
 * Contract: bytes in, bytes out; no sockets, clocks or timers. A sender's indexes only grow. A
 * receiver keeps no state for what did not authenticate. Keys given in are copied and the copies
 * wiped with `wipe()`; nothing here knows where a key comes from.
 */
export {
  checkKeyMaterial,
  copyKeyMaterial,
  sameKeyMaterial,
  TAG_LENGTH,
  wipeKeyMaterial,
  type SrtpKeyMaterial,
  type SrtpSuite,
} from './keys.js';
export { deriveSessionKeys, type SessionKeys } from './derivation.js';
export { SrtpSender, type SrtpSenderOptions } from './sender.js';
export { type MkiResolver, type SrtpReceiverLimits } from './context-store.js';
export {
  SrtpReceiver,
  type SrtpReceiverOptions,
  type UnprotectFailure,
  type UnprotectResult,
} from './receiver.js';
export type { SrtpFraming } from './framing.js';
export {
  buildRtp,
  parseRtp,
  RTP_FIXED_HEADER,
  rtpHeaderLength,
  rtpMarker,
  rtpPayloadEnd,
  rtpPayloadType,
  rtpSequenceNumber,
  rtpSsrc,
  rtpTimestamp,
  writeRtpHeader,
  type RtpPacket,
} from './rtp.js';
export {
  buildApp,
  buildBye,
  buildCompound,
  buildRr,
  buildSdes,
  buildSr,
  ntpTime,
  parseRtcp,
  type RtcpPacket,
  type RtcpReportBlock,
  type RtcpSenderInfo,
} from './rtcp.js';
export { MAX_PACKET_INDEX, readUint16, readUint32, sequenceOf } from './octets.js';
