/**
 * Limits and addresses of the media engine, with their defaults.
 */
import { isIP, SocketAddress } from 'node:net';
import { SegyError } from '../base/errors.js';
import type { LagBoard } from '../base/loop-lag.js';

export interface PortRange {
  /** IP literal to bind */
  readonly address: string;
  /** first and last port that may be used, 1024..65535; pairs start at even ports */
  readonly portMin: number;
  readonly portMax: number;
}

export interface MediaLimits {
  /** sessions of one worker */
  readonly sessionsPerWorker: number;
  /** octets of a datagram; a longer one is malformed */
  readonly datagram: number;
  /** live SRTP streams of one session */
  readonly streams: number;
  /** packets below the highest index that may still come; a multiple of 32 */
  readonly replayWindow: number;
  /** a source that goes on sending is not given the stream back until the newer one paused this long */
  readonly takeOverMs: number;
  /** mean RTCP interval; each is drawn from half to one and a half times it (RFC 3550 section 6.2) */
  readonly rtcpIntervalMs: number;
  /** an empty datagram goes out when nothing else did for so long (RFC 6263 section 4.1) */
  readonly keepAliveMs: number;
  /** at most one `dropped` event for each direction in this time */
  readonly dropReportMs: number;
  /**
   * talkers of a group call derived in one second at their first packet, counting invented ones: so
   * many from known sources, and so many from others
   */
  readonly talkersPerSecond: number;
  /** the same at a later packet, where the rate above is used up; who came more often goes first */
  readonly returningPerSecond: number;
  /** derived for one member whose GUK-ID is known; `talkersPerSecond` for all of them together */
  readonly memberPerSecond: number;
  /** packets of a group call tried in one second with keys that were derived and are not proven yet */
  readonly retriesPerSecond: number;
  /** socket receive buffer asked for, in octets; the kernel may give less */
  readonly receiveBuffer: number;
  /** a worker that does not answer a command for so long is ended */
  readonly commandMs: number;
  /** early dialogs of one session */
  readonly legs: number;
}

export const DEFAULT_MEDIA_LIMITS: MediaLimits = {
  sessionsPerWorker: 2_000,
  datagram: 2_048,
  streams: 256,
  replayWindow: 256,
  takeOverMs: 200,
  rtcpIntervalMs: 5_000,
  keepAliveMs: 15_000,
  dropReportMs: 10_000,
  talkersPerSecond: 500,
  returningPerSecond: 4_000,
  retriesPerSecond: 8_000,
  memberPerSecond: 10,
  receiveBuffer: 1 << 22,
  commandMs: 5_000,
  legs: 16,
};

export interface MediaEngineOptions {
  /** worker threads, at least 1 */
  readonly workers: number;
  readonly outer: PortRange & {
    /** further addresses of this host that sessions may be bound to, on the same ports */
    readonly otherAddresses?: readonly string[];
  };
  readonly inner: PortRange & {
    /**
     * Addresses that inner SDP may name and inner packets may come from. Default: only `address`
     * and what lies on loopback.
     */
    readonly allowedAddresses?: readonly string[];
  };
  /** of the worker threads, -20 to 19 as of nice(1); default -10 */
  readonly nice?: number;
  readonly limits?: Partial<MediaLimits>;
  /** where the workers tell that their event loops are late */
  readonly lags?: LagBoard;
}

/** One spelling for one address, as the sockets report it. @throws SegyError SEGY_E_ARGUMENT when it is no IP literal */
export function normaliseAddress(address: string): string {
  const family = isIP(address);
  if (family === 0) throw new SegyError('SEGY_E_ARGUMENT', 'a media address is no IP literal');
  if (family === 4) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

/** @throws SegyError SEGY_E_ARGUMENT for a range without a single even-odd pair */
export function checkPortRange(range: PortRange, name: string): void {
  normaliseAddress(range.address);
  const { portMin, portMax } = range;
  const whole = Number.isInteger(portMin) && Number.isInteger(portMax);
  if (!whole || portMin < 1024 || portMax > 65_535 || portMin + (portMin % 2) + 1 > portMax) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} media ports are no usable range`);
  }
}
