/**
 * A radio trunk as a PBX sees one: a plain SIP user agent with clear RTP. It calls and is called;
 * every call carries a tone.
 */
import type { Environment } from '../base/environment.js';
import { SimAgent } from './agent.js';
import type { SimCall } from './call.js';
import { CODECS } from './codec.js';
import type { CodecName } from './codec.js';
import { PartyMedia } from './party-media.js';

export interface RadioOptions {
  readonly address: string;
  readonly port?: number;
  /** SIP address of the PBX */
  readonly pbx: { readonly address: string; readonly port: number };
  /** default PCMU */
  readonly codec?: CodecName;
  /** tone sent, in Hz; default 440 */
  readonly toneHz?: number;
}

const DEFAULT_TONE_HZ = 440;

export class RadioTrunk {
  readonly agent: SimAgent<PartyMedia>;
  /** codec of the calls from here on */
  codec: CodecName;
  readonly #options: RadioOptions;

  constructor(options: RadioOptions, env: Environment) {
    this.#options = options;
    this.codec = options.codec ?? 'PCMU';
    const { address, port = 0 } = options;
    this.agent = new SimAgent({ name: 'radio', address, port }, env);
    this.agent.onInvite = () => this.#newMedia();
  }

  /** @returns the SIP port */
  open(): Promise<number> {
    return this.agent.open();
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  /** Calls `callee` (a user part of the PBX) as `caller`. Resolves when the INVITE is sent. */
  call(caller: string, callee: string): Promise<SimCall<PartyMedia>> {
    const { address, port } = this.#options.pbx;
    return this.agent.call(
      {
        target: { protocol: 'udp', address, port },
        requestUri: `sip:${callee}@${address}:${port}`,
        from: `sip:${caller}@${this.#options.address}`,
        to: `sip:${callee}@${address}`,
      },
      this.#newMedia(),
    );
  }

  #newMedia(): PartyMedia {
    return new PartyMedia(
      {
        audio: {
          address: this.#options.address,
          codec: CODECS[this.codec],
          toneHz: this.#options.toneHz ?? DEFAULT_TONE_HZ,
        },
      },
      this.agent.env,
    );
  }
}
