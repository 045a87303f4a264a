/** A capture of everything between the partner's MC system and the gateway's outer side. */
import type { McSystemOptions } from '../../src/sim/index.js';
import { Capture } from './pcap.js';
import type { Peer } from './pcap.js';
import { MediaRelay } from './relay.js';
import { TcpRelay } from './tcp-relay.js';

export class OuterTap {
  readonly capture: Capture;
  readonly #relays: { close(): void }[] = [];
  readonly #address: string;
  readonly #gatewayAddress: string;
  #toGateway: TcpRelay | undefined;
  #toSystem: TcpRelay | undefined;

  /** @param address the MC system's; @param gatewayAddress the gateway's outer one */
  constructor(path: string, address: string, gatewayAddress: string) {
    this.capture = new Capture(path);
    this.#address = address;
    this.#gatewayAddress = gatewayAddress;
  }

  /** Relays SIP over TCP. @returns the ports that each side shall call instead of the other's own */
  async open(system: Peer, gateway: Peer): Promise<{ gatewayPort: number; systemPort: number }> {
    const { capture } = this;
    const toGateway = {
      listen: { address: gateway.address },
      target: gateway,
      localAddress: system.address,
      capture,
    };
    const toSystem = {
      listen: { address: system.address },
      target: system,
      localAddress: gateway.address,
      capture,
    };
    this.#toGateway = await TcpRelay.open(toGateway);
    this.#toSystem = await TcpRelay.open(toSystem);
    this.#relays.push(this.#toGateway, this.#toSystem);
    return { gatewayPort: this.#toGateway.port, systemPort: this.#toSystem.port };
  }

  /** For `McSystemOptions.relay`: one media relay for each call. */
  readonly media: NonNullable<McSystemOptions['relay']> = () => {
    let relay: MediaRelay | undefined;
    return {
      advertise: async (port) => {
        relay = await MediaRelay.open(this.#gatewayAddress, this.#address, this.capture);
        relay.partyA = { address: this.#address, port };
        this.#relays.push(relay);
        return relay.b;
      },
      route: (remote) => {
        if (!relay) return remote;
        relay.partyB = remote;
        return relay.a;
      },
    };
  };

  close(): void {
    for (const relay of this.#relays) relay.close();
  }
}
