/**
 * The outer interfaces: each a listener with the address that peers see, and the address of media
 * beside it. A request goes out by, and a call lives on, the one that fits its peer.
 */
import { isIP } from 'node:net';
import type { SipSource, SipTarget } from '../sip/index.js';

export interface OuterInterface {
  /** of its listener; unique */
  readonly name: string;
  readonly protocol: SipTarget['protocol'];
  /** address that the listener is bound to */
  readonly address: string;
  /** written into Contact */
  readonly contact: { readonly host: string; readonly port: number };
  readonly media: {
    /** that sockets are bound to */
    readonly address: string;
    /** that SDP names instead */
    readonly advertised?: string;
  };
}

/** Where a peer is, or from where it came. */
export type PeerWay = Pick<SipTarget, 'protocol' | 'address' | 'via'>;

/**
 * The interface towards a peer: of those that its profile names, one of its IP version, of its
 * transport where there is one. The first fits where none does.
 */
export function interfaceFor(
  interfaces: readonly OuterInterface[],
  { protocol, address, via }: PeerWay,
): OuterInterface | undefined {
  const version = isIP(address);
  const named = interfaces.filter(({ name }) => via === undefined || via.includes(name));
  const fitting = named.filter((each) => version === 0 || isIP(each.address) === version);
  const rest = fitting.length > 0 ? fitting : named.length > 0 ? named : interfaces;
  return rest.find((each) => each.protocol === protocol) ?? rest[0];
}

/** The way back to where a request came from. */
export function wayOf({ protocol, address, listener }: SipSource): PeerWay {
  return { protocol, address, ...(listener !== undefined && { via: [listener] }) };
}
