/**
 * Who waits for the channel of a call: from what is known, from events, and for a dialled channel from
 * a question to the PBX where the event is missing.
 */
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { OutboundChannelRequest } from '../edge/ports/pbx-port.js';
import type { ChannelFacts } from './driver.js';
import { downError, type SupervisedLink } from './supervision.js';
import type { ChannelTable } from './table.js';

/** The PBX is asked after so long, or a third of the time there is, in milliseconds. */
const ASK_AFTER_MS = 100;

export class ChannelSearch {
  readonly #link: SupervisedLink;
  readonly #table: ChannelTable;
  readonly #env: Environment;
  /** Call-IDs of those who want to be looked for; null while nobody is asked */
  #wanted: Set<string> | null = null;

  constructor(link: SupervisedLink, table: ChannelTable, env: Environment) {
    this.#link = link;
    this.#table = table;
    this.#env = env;
  }

  /**
   * The one unclaimed channel of the Call-ID.
   * @param handedOver only a channel that the dialplan has handed over
   * @throws SegyError SEGY_E_PBX_NO_CHANNEL when none came in time or two have the Call-ID,
   *   SEGY_E_PBX_DOWN, SEGY_E_CANCELLED
   */
  find(request: OutboundChannelRequest, handedOver: boolean): Promise<ChannelFacts> {
    const { callId, timeoutMs, signal } = request;
    return new Promise<ChannelFacts>((resolve, reject) => {
      if (!this.#link.isUp) {
        reject(downError());
        return;
      }
      const { timers } = this.#env;
      const settle = (): void => {
        stopWaiting();
        forgetLoss();
        signal?.removeEventListener('abort', cancelled);
        timers.clearTimeout(late);
        if (ask !== undefined) timers.clearTimeout(ask);
      };
      const fail = (error: SegyError): void => {
        settle();
        reject(error);
      };
      const look = (): void => {
        const found = this.#table.find(callId, handedOver);
        if (found.length > 1) {
          fail(new SegyError('SEGY_E_PBX_NO_CHANNEL', 'two PBX channels have this Call-ID'));
        } else if (found[0] !== undefined) {
          settle();
          resolve(found[0]);
        }
      };
      const cancelled = (): void =>
        fail(new SegyError('SEGY_E_CANCELLED', 'the wait for a PBX channel was cancelled'));
      const late = timers.setTimeout(() => {
        const none = `no PBX channel of this call within ${timeoutMs} ms`;
        fail(new SegyError('SEGY_E_PBX_NO_CHANNEL', none));
      }, timeoutMs);
      const ask = handedOver
        ? undefined
        : timers.setTimeout(() => void this.#ask(callId), Math.min(ASK_AFTER_MS, timeoutMs / 3));
      const stopWaiting = this.#table.wait(callId, handedOver, look);
      const forgetLoss = this.#link.whenLost(() => fail(downError()));
      signal?.addEventListener('abort', cancelled);
      if (signal?.aborted === true) cancelled();
      else look();
    });
  }

  /**
   * Asks for a dialled channel whose event is missing; a failure is left to the deadline of who waits.
   * However many wait, one question is out at a time: whoever comes meanwhile is in the next one.
   */
  async #ask(callId: string): Promise<void> {
    if (this.#wanted !== null) {
      this.#wanted.add(callId);
      return;
    }
    for (let asked = new Set([callId]); asked.size > 0; asked = this.#wanted) {
      this.#wanted = new Set();
      try {
        const found = await this.#link.command('look for channels', (link) =>
          link.dialledChannels([...asked]),
        );
        for (const facts of found) if (facts.callId !== '') this.#table.heard(facts);
      } catch (error) {
        this.#env.log.debug('pbx.list.failed', { reason: toSegyError(error).message });
      }
    }
    this.#wanted = null;
  }
}
