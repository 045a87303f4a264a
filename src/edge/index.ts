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
export type { AccessTokens } from './access-tokens.js';
export type {
  ClientsPort,
  OpenedPck,
  OwnPck,
  PckToMake,
  PckToOpen,
  RadioUser,
} from './clients-port.js';
export type { GroupDocumentsPort } from './group-documents-port.js';
export { takeKeyDocument, type KeyTaking } from './group-messages.js';
export type { FloorPort } from './floor-port.js';
export { GroupKeySender } from './group-key-sender.js';
export { GroupNotifier } from './group-notifier.js';
export type { HomeGroupsPort, OutgoingKey } from './home-groups-port.js';
export type { GroupKeyToTake, GroupsPort } from './groups-port.js';
export type {
  ArmMedia,
  CallMediaEvent,
  CallMediaSession,
  LocalMedia,
  MediaPort,
} from './media-port.js';
export type { OuterInterface } from './interfaces.js';
export { type ProtectionPort, type RequestFacts } from './protection-port.js';
export { DEFAULT_PARTNER_ADDRESSES_LIMITS, PartnerAddresses } from './partner-addresses.js';
export { PartnerHealth } from './partner-health.js';
export { optionsRequest, PartnerProbes } from './partner-probes.js';
export { locateSipServers, type DnsPort, type NaptrRecord, type SrvRecord } from './sip-servers.js';
export type { CallOutcome, CallView, LegView } from './call-view.js';
export { Edge } from './edge.js';
export type {
  InboundChannelRequest,
  OutboundChannelRequest,
  PbxChannel,
  PbxPort,
  PbxSignal,
  PbxVariables,
} from './ports.js';
