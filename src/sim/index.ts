/**
 * A simulated partner MC domain and a simulated radio trunk, for `segy sim`, the demo and the tests.
 *
 * Contract: the domain has a KMS of its own and shares no state with a gateway; both parties speak SIP
 * and RTP on sockets of their own. What they do wrong they do because a test asks for it. Nothing of
 * the gateway depends on this folder.
 */
export { SimAgent } from './agent.js';
export type { AudioCounters, PitchAt } from './audio.js';
export { SimCall } from './call.js';
export type { CallEnd, CallState, HeaderList } from './call-model.js';
export type { CallMedia, SipBody } from './call-media.js';
export { CODECS } from './codec.js';
export type { CodecName } from './codec.js';
export { SimDomain } from './domain.js';
export {
  CERTIFICATE_FILE,
  createDomainFiles,
  createSimKms,
  openDomainFiles,
  simCertificate,
  trustInDomainFiles,
} from './domain-files.js';
export type {
  FloorScript,
  FloorServerOptions,
  FloorServerParticipant,
  FloorVerdict,
} from './floor-model.js';
export { FloorServer } from './floor-server.js';
export type { SimGroupKey } from './group-keys.js';
export { SimSubscription } from './group-subscription.js';
export { McMedia, McSystem } from './mc-system.js';
export type { GroupCallOptions, McCallOptions, McSystemOptions } from './mc-system.js';
export { PartyMedia } from './party-media.js';
export { directionKeys, makePck } from './pck.js';
export type { Pck } from './pck.js';
export { RadioTrunk } from './radio.js';
export type { RadioOptions } from './radio.js';
export { reportCall } from './report.js';
export type { CallReport } from './report.js';
export { parseFloorScript, playFloorScript, type FloorStep } from './floor-script.js';
export { SimFloor } from './sim-floor.js';
export type { SimFloorOptions } from './sim-floor.js';
export type { FloorSection } from './session-description.js';
export { SimSignalling } from './signalling.js';
export type { SimEar, SimSignallingOptions } from './signalling.js';
export { findTone } from './tone.js';
export { writeWav } from './wav.js';
