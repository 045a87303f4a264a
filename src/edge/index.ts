/**
 * The back-to-back user agent between MC systems (outer side) and the PBX (inner side).
 *
 * Contract: it is given two SIP endpoints, a media engine, pseudo clients and a PBX port, and carries
 * private calls in both directions. Nothing of an MC call reaches the PBX before its key is open; no
 * media flows before the PBX channel of the call is known; neither side sees the other's hosts; no
 * key octet leaves towards the PBX. Interfaces it needs are in `dependencies.ts` and `ports.ts`.
 */
export {
  DEFAULT_EDGE_LIMITS,
  type ContactAddresses,
  type DialogRecord,
  type DialogRecords,
  type EdgeDependencies,
  type EdgeLimits,
  type EdgeSettings,
  type HostAddresses,
  type RedirectBody,
  type Side,
} from './dependencies.js';
export type { AccessTokens } from './ports/access-tokens.js';
export type {
  ClientsPort,
  OpenedPck,
  OwnPck,
  PckToMake,
  PckToOpen,
  RadioUser,
} from './ports/clients-port.js';
export type { GroupDocumentsPort } from './groups/group-documents-port.js';
export { takeKeyDocument, type KeyTaking } from './groups/group-messages.js';
export type { FloorPort } from './ports/floor-port.js';
export { GroupKeySender } from './groups/group-key-sender.js';
export { GroupNotifier } from './groups/group-notifier.js';
export type { HomeGroupsPort, OutgoingKey } from './ports/home-groups-port.js';
export type { GroupKeyToTake, GroupsPort } from './ports/groups-port.js';
export type {
  ArmMedia,
  CallMediaEvent,
  CallMediaSession,
  LocalMedia,
  MediaPort,
} from './ports/media-port.js';
export type { OuterInterface } from './interfaces.js';
export { type ProtectionPort, type RequestFacts } from './ports/protection-port.js';
export {
  DEFAULT_PARTNER_ADDRESSES_LIMITS,
  PartnerAddresses,
} from './partners/partner-addresses.js';
export { PartnerHealth } from './partners/partner-health.js';
export { optionsRequest, PartnerProbes } from './partners/partner-probes.js';
export {
  locateSipServers,
  type DnsPort,
  type NaptrRecord,
  type SrvRecord,
} from './partners/sip-servers.js';
export type { CallView, LegView } from './calls/call-view.js';
export { Edge } from './edge.js';
export type {
  InboundChannelRequest,
  OutboundChannelRequest,
  PbxChannel,
  PbxPort,
  PbxSignal,
  PbxVariables,
} from './ports/pbx-port.js';
