/**
 * A capture of everything between the gateway and the PBX. Each side is told the relay's addresses as
 * the other's: SIP texts are exchanged for others of equal length, media ports in SDP for the ports of
 * one media relay for each call.
 */
import { freePort } from './ports.js';
import { Capture } from './pcap.js';
import type { Peer } from './pcap.js';
import { MediaRelay, SipRelay } from './relay.js';

export class InnerTap {
  readonly #media = new Map<string, Promise<MediaRelay>>();
  /** changes what the PBX sends before the gateway gets it; the capture shows it unchanged */
  rewrite: (message: string) => string = (message) => message;
  #sip: SipRelay | undefined;

  private constructor(
    readonly capture: Capture,
    /** what the gateway takes for the PBX */
    readonly pbx: Peer,
    /** what the PBX takes for the gateway */
    readonly edge: Peer,
  ) {}

  /** Picks the relay's addresses; both have ports of five digits. */
  static async plan(path: string): Promise<InnerTap> {
    const pbx = { address: '127.0.0.1', port: await freePort() };
    const edge = { address: '127.0.0.2', port: await freePort('127.0.0.2') };
    return new InnerTap(new Capture(path), pbx, edge);
  }

  /** Begins to relay between the real gateway and the real PBX. */
  async open(gateway: Peer, pbx: Peer): Promise<void> {
    const text = (peer: Peer): string => `${peer.address}:${peer.port}`;
    this.#sip = await SipRelay.open({
      towardsA: this.pbx,
      towardsB: this.edge,
      partyA: gateway,
      partyB: pbx,
      capture: this.capture,
      aToB: async (message) =>
        this.#mediaThrough(
          message.replaceAll(text(gateway), text(this.edge)).replaceAll(text(this.pbx), text(pbx)),
          gateway.address,
          'a',
        ),
      bToA: async (message) =>
        this.#mediaThrough(
          this.rewrite(message)
            .replaceAll(text(pbx), text(this.pbx))
            .replaceAll(text(this.edge), text(gateway)),
          pbx.address,
          'b',
        ),
    });
  }

  async close(): Promise<void> {
    this.#sip?.close();
    for (const relay of await Promise.all(this.#media.values())) relay.close();
  }

  async #mediaThrough(message: string, address: string, side: 'a' | 'b'): Promise<string> {
    const port = /\r\nm=audio (\d{5}) /.exec(message)?.[1];
    const callId = /\r\n(?:Call-ID|i): *(\S+)\r\n/i.exec(message)?.[1];
    if (port === undefined || callId === undefined) return message;
    const opening =
      this.#media.get(callId) ?? MediaRelay.open('127.0.0.1', '127.0.0.2', this.capture);
    this.#media.set(callId, opening);
    const relay = await opening;
    const party = { address, port: Number(port) };
    if (side === 'a') relay.partyA = party;
    else relay.partyB = party;
    const shown = side === 'a' ? relay.b.port : relay.a.port;
    return message.replace(`\r\nm=audio ${port} `, `\r\nm=audio ${shown} `);
  }
}
