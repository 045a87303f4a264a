/** All sockets of one endpoint: listeners by protocol, ways to targets, ways back to senders. */
import { isIP, isIPv6 } from 'node:net';
import { SegyError } from '../../base/errors.js';
import { sameHost, type HostPort } from '../host.js';
import type { Outlet, SipProtocol, SipSource, SipTarget } from '../peers.js';
import type { Via } from '../via.js';
import { Streams, type StreamOptions } from './streams.js';
import type { TlsIdentity, TlsListenOptions } from './tls.js';
import { UdpListener } from './udp.js';

export interface ListenOptions {
  /** to be named by targets, and told with what comes in */
  readonly name?: string;
  readonly protocol: SipProtocol;
  /** an address of this host; a wildcard needs `advertised` */
  readonly address: string;
  /** 0 for any free one */
  readonly port: number;
  /** what Via says instead of address and port */
  readonly advertised?: { readonly host: string; readonly port?: number };
  /** required for `tls` */
  readonly tls?: TlsListenOptions;
}

export interface TransportOptions extends StreamOptions {
  onDatagram(octets: Uint8Array, source: SipSource): void;
}

interface Listener {
  readonly name: string | undefined;
  readonly protocol: SipProtocol;
  readonly address: string;
  readonly port: number;
  readonly sentBy: HostPort;
  readonly udp?: UdpListener;
  setTls?(tls: TlsListenOptions): void;
  close(): Promise<void>;
}

const DEFAULT_PORT: Readonly<Record<SipProtocol, number>> = { udp: 5060, tcp: 5060, tls: 5061 };

export class Transports {
  readonly #options: TransportOptions;
  readonly #streams: Streams;
  readonly #listeners: Listener[] = [];

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#streams = new Streams(options);
  }

  /** Open stream connections, for statistics. */
  get connections(): number {
    return this.#streams.size;
  }

  /** @throws SegyError SEGY_E_ARGUMENT, SEGY_E_IO */
  async listen(o: ListenOptions): Promise<{ address: string; port: number }> {
    if (isIP(o.address) === 0) throw new SegyError('SEGY_E_ARGUMENT', 'listen needs an IP address');
    if (/^(?:0\.0\.0\.0|::)$/.test(o.address) && o.advertised === undefined) {
      throw new SegyError('SEGY_E_ARGUMENT', 'a wildcard address needs an advertised host');
    }
    if ((o.protocol === 'tls') !== (o.tls !== undefined)) {
      throw new SegyError('SEGY_E_ARGUMENT', 'TLS options belong to the protocol tls');
    }
    const bound = o.protocol === 'udp' ? await this.#listenUdp(o) : await this.#listenStream(o);
    this.#listeners.push(bound);
    return { address: bound.address, port: bound.port };
  }

  async #listenUdp(o: ListenOptions): Promise<Listener> {
    const udp = await UdpListener.bind({
      address: o.address,
      port: o.port,
      queueLimit: this.#options.limits.sendQueueOctets,
      onDatagram: (octets, source) => this.#options.onDatagram(octets, named(source, o)),
    });
    const { address, port } = udp;
    return {
      name: o.name,
      protocol: 'udp',
      address,
      port,
      sentBy: sentBy(o, port),
      udp,
      close: () => udp.close(),
    };
  }

  async #listenStream(o: ListenOptions): Promise<Listener> {
    const stream = await this.#streams.listen(o, o.tls);
    const { address, port } = stream;
    const close = (): Promise<void> => stream.close();
    const setTls = (tls: TlsListenOptions): void => stream.setTls(tls);
    const { name, protocol } = o;
    return { name, protocol, address, port, sentBy: sentBy(o, port), setTls, close };
  }

  /** Other certificates: for connections that we open, and for the TLS listener at each address and port. */
  setTls(
    outgoing: TlsIdentity,
    incoming: (address: string, port: number) => TlsListenOptions | undefined,
  ): void {
    this.#streams.identity = outgoing;
    for (const listener of this.#listeners) {
      if (listener.protocol !== 'tls') continue;
      const tls = incoming(listener.address, listener.port);
      if (tls !== undefined) listener.setTls?.(tls);
    }
  }

  /** What Via says for a request to `target`. @throws SegyError SEGY_E_SIP_TRANSPORT without a listener */
  sentByFor(target: SipTarget): HostPort {
    return this.#listenerFor(target).sentBy;
  }

  /** @throws SegyError SEGY_E_SIP_TRANSPORT when nothing of this endpoint can send there */
  outletTo(target: SipTarget): Outlet {
    const listener = this.#listenerFor(target);
    if (target.protocol === 'udp') {
      if (listener.udp === undefined) throw new SegyError('SEGY_E_INTERNAL', 'no UDP socket');
      return listener.udp.outlet(target.address, target.port);
    }
    return this.#streams.outlet(target, bindable(listener.address));
  }

  /**
   * The way back for responses (RFC 3261 clause 18.2.2, RFC 3581): the connection of the request, or a
   * new one to the source address and the port of Via; over UDP to the source address and, with rport,
   * to the source port, else to the port of Via. `maddr` is not followed: it would let a peer aim our
   * traffic at others.
   */
  outletBack(source: SipSource, via: Via): Outlet {
    const port = via.port ?? DEFAULT_PORT[source.protocol];
    if (source.protocol === 'udp') {
      const listener = this.#listeners.find(
        ({ udp }) => udp?.port === source.localPort && udp.address === source.localAddress,
      );
      if (listener?.udp === undefined)
        throw new SegyError('SEGY_E_SIP_TRANSPORT', 'the socket is gone');
      return listener.udp.outlet(source.address, via.params.has('rport') ? source.port : port);
    }
    const { protocol, address } = source;
    const again = { protocol, address, port, serverName: via.host };
    const id = source.connectionId;
    const target: SipTarget = id === undefined ? again : { ...again, connectionId: id };
    return this.#streams.outlet(target, bindable(source.localAddress));
  }

  /** Is this host and port one that our Vias carry? */
  isOwn(host: string, port: number | undefined): boolean {
    return this.#listeners.some(({ sentBy: own }) => sameHost(own.host, host) && own.port === port);
  }

  /** A listener of the target's protocol and address family; for streams else any of the family. */
  #listenerFor(target: SipTarget): Listener {
    const family = isIP(target.address);
    const { via } = target;
    const fitting = this.#listeners.filter(
      ({ address, name }) =>
        (family === 0 || isIPv6(address) === (family === 6)) &&
        (via === undefined || (name !== undefined && via.includes(name))),
    );
    const exact = fitting.find(({ protocol }) => protocol === target.protocol);
    const found = exact ?? (target.protocol === 'udp' ? undefined : fitting[0]);
    if (found !== undefined) return found;
    throw new SegyError(
      'SEGY_E_SIP_TRANSPORT',
      `no local socket can reach ${target.protocol} targets there`,
    );
  }

  async close(): Promise<void> {
    const closing = this.#listeners.splice(0).map((listener) => listener.close());
    this.#streams.close();
    await Promise.all(closing);
  }
}

/** A source as the listener of these options tells it. */
function named(source: SipSource, { name }: ListenOptions): SipSource {
  return name === undefined ? source : { ...source, listener: name };
}

function sentBy(o: ListenOptions, port: number): HostPort {
  return { host: o.advertised?.host ?? o.address, port: o.advertised?.port ?? port };
}

/** A wildcard is no address to connect from. */
function bindable(address: string): string | undefined {
  return /^(?:0\.0\.0\.0|::|)$/.test(address) ? undefined : address;
}
