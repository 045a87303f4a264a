/**
 * A channel as the edge holds it.
 */
import { SegyError, toSegyError } from '../base/errors.js';
import type { PbxChannel, PbxSignal, PbxVariables } from '../edge/ports/pbx-port.js';
import type { ChannelFacts, PbxLink } from './driver.js';
import { checkSipStatus, checkVariables } from './values.js';

/** What a channel needs of its port. */
export interface ChannelOwner {
  command<T>(what: string, send: (link: PbxLink) => Promise<T>): Promise<T>;
  /** the PBX said that the channel does not exist */
  channelGone(id: string): void;
  /** the channel lives, and its holder is done with it */
  channelReleased(id: string): void;
}

export class PortChannel implements PbxChannel {
  readonly id: string;
  readonly name: string;
  onGone?: () => void;
  onSignal?: (signal: PbxSignal) => void;
  readonly #owner: ChannelOwner;
  #gone = false;

  constructor(owner: ChannelOwner, facts: ChannelFacts) {
    this.#owner = owner;
    this.id = facts.id;
    this.name = facts.name;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Marks the channel as ended and tells its holder once. @param failed gets what the holder throws */
  end(failed: (error: unknown) => void): void {
    if (this.#gone) return;
    this.#gone = true;
    try {
      this.onGone?.();
    } catch (error) {
      failed(error);
    }
  }

  /** Passes on what the PBX reported. @param failed gets what the holder throws */
  signalled(signal: PbxSignal, failed: (error: unknown) => void): void {
    if (this.#gone) return;
    try {
      this.onSignal?.(signal);
    } catch (error) {
      failed(error);
    }
  }

  async setVariables(variables: PbxVariables): Promise<void> {
    const copy = { ...variables };
    checkVariables(copy);
    await this.#send('set variables', (link) => link.setVariables(this.id, copy));
  }

  async getVariable(name: string): Promise<string> {
    checkVariables({ [name]: '' });
    return this.#send('read a variable', (link) => link.getVariable(this.id, name));
  }

  async tell(event: string, variables: PbxVariables): Promise<void> {
    const copy = { ...variables };
    checkVariables(copy);
    await this.#send('tell', (link) => link.tell(this.id, event, copy));
  }

  async proceed(): Promise<void> {
    await this.#send('proceed', (link) => link.proceed(this.id));
  }

  async refuse(sipStatus: number): Promise<void> {
    checkSipStatus(sipStatus);
    await this.#sendLast('refuse', (link) => link.refuse(this.id, sipStatus));
  }

  async hangup(): Promise<void> {
    await this.#sendLast('hang up', (link) => link.hangup(this.id));
  }

  release(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#owner.channelReleased(this.id);
  }

  /** A command that ends the channel has nothing left to do when it is gone. */
  async #sendLast(what: string, send: (link: PbxLink) => Promise<void>): Promise<void> {
    if (this.#gone) return;
    try {
      await this.#send(what, send);
    } catch (error) {
      if (!this.gone) throw error;
    }
  }

  async #send<T>(what: string, send: (link: PbxLink) => Promise<T>): Promise<T> {
    if (this.#gone) throw new SegyError('SEGY_E_PBX', 'the PBX channel has ended');
    try {
      return await this.#owner.command(what, send);
    } catch (error) {
      if (toSegyError(error).code !== 'SEGY_E_NOT_FOUND') throw error;
      this.#owner.channelGone(this.id);
      throw new SegyError('SEGY_E_PBX', 'the PBX channel has ended', { cause: error });
    }
  }
}
