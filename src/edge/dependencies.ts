/**
 * Everything the edge is given. Each interface lists only what the edge calls, so that the pseudo
 * clients, the media engine, the store and the PBX adapters fit it without knowing it, and a unit
 * test brings small objects of its own.
 */
import type { Alarms } from '../base/alarms.js';
import type { Environment } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import type { SipEndpoint, SipTarget } from '../sip/index.js';
import type { AccessTokens } from './ports/access-tokens.js';
import type { ClientsPort } from './ports/clients-port.js';
import type { FloorPort } from './ports/floor-port.js';
import type { GroupDocumentsPort } from './groups/group-documents-port.js';
import type { GroupNotifier } from './groups/group-notifier.js';
import type { GroupsPort } from './ports/groups-port.js';
import type { HomeGroupsPort } from './ports/home-groups-port.js';
import type { OuterInterface } from './interfaces.js';
import type { MediaPort } from './ports/media-port.js';
import type { PbxPort } from './ports/pbx-port.js';
import type { Outlet } from './partners/protected.js';
import type { ProtectionPort } from './ports/protection-port.js';

/** Which of the gateway's two networks: towards MC systems, or towards the PBX. */
export type Side = 'outer' | 'inner';

export function otherSide(side: Side): Side {
  return side === 'outer' ? 'inner' : 'outer';
}

/** What is kept on disk of a call towards an MC system: enough to say BYE after a restart, no key. */
export interface DialogRecord {
  readonly sessionId: string;
  readonly partner: string;
  readonly callId: string;
  /** From of our requests, with its tag */
  readonly local: string;
  /** To of our requests, with its tag */
  readonly remote: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  readonly target: SipTarget;
  /** highest CSeq seen from us to the MC side */
  readonly cseq: number;
  /** starts of the gateway at which BYE was not answered; absent: none */
  readonly attempts?: number;
}

/** The small dialog records on disk. */
export interface DialogRecords {
  /** writes or replaces the record of one session */
  put(record: DialogRecord): Promise<void>;
  remove(sessionId: string): Promise<void>;
  all(): Promise<readonly DialogRecord[]>;
}

/**
 * Makes the KMS Redirect Response body for a refusal, or null where the partner's profile has none.
 */
export type RedirectBody = (
  error: SegyError,
  partner: PartnerConfig,
) => { readonly contentType: string; readonly body: Uint8Array } | null;

/** The addresses of the partners: behind the hosts that their configuration names, and by RFC 3263. */
export interface HostAddresses {
  /** the address itself, or what the name stands for now; none while it is not resolved */
  of(host: string): readonly string[];
  /** the servers that DNS names for the partner, drawn in the order for one request */
  located(partner: PartnerConfig): readonly SipTarget[];
  /** the same targets, those that are known to be dead last */
  ranked(partner: PartnerConfig, targets: readonly SipTarget[]): readonly SipTarget[];
  /** when the address stopped being the partner's, in milliseconds since 1970; undefined otherwise */
  leftAt(partner: string, address: string): number | undefined;
  /** a request to the target was answered */
  answered(partner: PartnerConfig, target: SipTarget): void;
  /** the target could not be reached, and the partner's names may have moved */
  unreached(partner: PartnerConfig, target?: SipTarget): void;
}

/** Where one side's peers reach us, by transport; written into Contact. */
export type ContactAddresses = Readonly<
  Partial<Record<SipTarget['protocol'], { readonly host: string; readonly port: number }>>
>;

export interface EdgeLimits {
  /** from INVITE to the PBX until its channel must be armed, in milliseconds */
  readonly setupMs: number;
  /** how long to look for the PBX channel of a call towards MC, in milliseconds */
  readonly outboundChannelMs: number;
  /** after the PBX channel ended: how long its SIP leg may take to say so itself, in milliseconds */
  readonly channelGoneMs: number;
  /** how long a partner's address may stay silent before the next one is tried, in milliseconds */
  readonly silentMs: number;
  /** how long the key of a call refused with 420 or 422 waits for the next INVITE, in milliseconds */
  readonly retryMs: number;
  /** how long the BYEs may take when the gateway stops, in milliseconds */
  readonly stopMs: number;
  /** calls of all partners together */
  readonly calls: number;
  /** early dialogs (forks) of one INVITE */
  readonly forks: number;
  /** in-dialog transactions in progress of one call */
  readonly transactions: number;
  /** transfers under way in one call */
  readonly transfers: number;
  /** Retry-After of our 503 responses, in seconds */
  readonly retryAfterSeconds: number;
}

export const DEFAULT_EDGE_LIMITS: EdgeLimits = {
  setupMs: 8000,
  outboundChannelMs: 500,
  channelGoneMs: 1000,
  silentMs: 900,
  retryMs: 5000,
  stopMs: 2000,
  calls: 1000,
  forks: 16,
  transactions: 16,
  transfers: 4,
  retryAfterSeconds: 10,
};

export interface EdgeSettings {
  readonly outer: {
    /** at least one */
    readonly interfaces: readonly OuterInterface[];
    /** our name in From, P-Asserted-Identity and Warning towards MC; no user and no PBX shows there */
    readonly identity: string;
  };
  readonly inner: {
    readonly contacts: ContactAddresses;
    /** INVITEs to the PBX carry the clear MC bodies too */
    readonly mcBodies: boolean;
  };
  /** SIP side of the PBX */
  readonly pbx: {
    readonly address: string;
    readonly port: number;
    readonly transport: 'udp' | 'tcp';
  };
  /** addresses that an inner SDP may name */
  readonly allowedMediaAddresses: readonly string[];
  readonly limits: EdgeLimits;
}

export interface EdgeDependencies {
  readonly env: Environment;
  readonly outer: SipEndpoint;
  readonly inner: SipEndpoint;
  readonly media: MediaPort;
  readonly pbx: PbxPort;
  readonly clients: ClientsPort;
  /** absent where the gateway serves no groups */
  readonly groups?: GroupsPort;
  /** talkgroups that live on the radio side; absent where there are none */
  readonly homeGroups?: Omit<HomeGroupsPort, 'keysFor' | 'delivered'>;
  /** takes subscriptions to their documents */
  readonly notifier?: Pick<GroupNotifier, 'subscribe' | 'find' | 'refresh' | 'stop'>;
  readonly partners: readonly PartnerConfig[];
  readonly addresses: HostAddresses;
  readonly records: DialogRecords;
  readonly redirectBody?: RedirectBody;
  /** absent where no partner's profile asks for any */
  readonly protection?: ProtectionPort;
  /** absent where no partner's profile asks for access tokens */
  readonly tokens?: AccessTokens;
  /** absent where no partner's group documents are read */
  readonly documents?: GroupDocumentsPort;
  /** absent where nobody listens */
  readonly alarms?: Alarms;
  /** absent where no partner's profile has floor control */
  readonly floor?: FloorPort;
  readonly settings: EdgeSettings;
}

/** What a call is given: its requests leave through outlets that know its partner. */
export type CallDependencies = Omit<EdgeDependencies, Side> & Readonly<Record<Side, Outlet>>;

/** @throws SegyError SEGY_E_CALL_TYPE where the gateway serves no groups */
export function requireGroups({ groups }: Pick<EdgeDependencies, 'groups'>): GroupsPort {
  if (groups === undefined) throw new SegyError('SEGY_E_CALL_TYPE', 'no group is served here');
  return groups;
}
