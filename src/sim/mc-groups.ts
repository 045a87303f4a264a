/**
 * The talkgroups of a simulated MC system's users at one GMS: their keys, as MESSAGE and NOTIFY bring
 * them, and their subscriptions.
 */
import { SegyError, toSegyError } from '../base/errors.js';
import type { ServerTransaction, SipTarget } from '../sip/index.js';
import { formatHostPort } from '../sip/index.js';
import type { SimAgent } from './agent.js';
import type { CallMedia } from './call-media.js';
import type { SimDomain } from './domain.js';
import { SimGroupKeys } from './group-keys.js';
import { SimSubscription } from './group-subscription.js';

export interface McGroupsOptions {
  readonly domain: SimDomain;
  /** MCPTT IDs of our users */
  readonly users: readonly string[];
  /** identity of the GMS: signs group keys and is subscribed to */
  readonly gms: string;
  /** SIP peer of our requests */
  readonly gateway: SipTarget;
  readonly address: string;
}

type GroupHost = Pick<
  SimAgent<CallMedia>,
  'env' | 'contact' | 'send' | 'respond' | 'answerOther' | 'onOther'
>;

export class McGroups {
  readonly keys: SimGroupKeys;
  /** why keys were refused, latest last */
  readonly refusals: SegyError[] = [];
  /** how keys came: `MESSAGE` or `NOTIFY`, in their order */
  readonly carriers: string[] = [];
  readonly #agent: GroupHost;
  readonly #options: McGroupsOptions;
  readonly #subscriptions = new Map<string, SimSubscription>();

  /** Takes over the requests of `agent` that belong to no call. */
  constructor(agent: GroupHost, options: McGroupsOptions) {
    this.#agent = agent;
    this.#options = options;
    this.keys = new SimGroupKeys(options);
    agent.onOther = (transaction) => this.#onRequest(transaction);
  }

  /** MCPTT IDs of our users. */
  get users(): readonly string[] {
    return this.#options.users;
  }

  /** Subscribes a user to groups. @throws SegyError SEGY_E_SIP_REFUSED, SEGY_E_SIP_TRANSPORT */
  async subscribe(user: string, groups: readonly string[]): Promise<SimSubscription> {
    const { gateway, gms, address } = this.#options;
    const subscription = new SimSubscription(this.#agent, {
      target: gateway,
      requestUri: gms,
      from: `sip:controlling@${formatHostPort({ host: address })}`,
      user,
      groups,
    });
    this.#subscriptions.set(subscription.callId, subscription);
    await subscription.start();
    return subscription;
  }

  /** The first of our users that can talk in a group; undefined where none can. */
  memberOf(group: string): string | undefined {
    return this.#options.users.find((user) => this.keys.sending(group, user) !== undefined);
  }

  /** Ends every subscription and wipes the keys. */
  async close(): Promise<void> {
    const open = [...this.#subscriptions.values()];
    await Promise.allSettled(open.map((subscription) => subscription.end()));
    this.keys.wipe();
  }

  #onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.method === 'MESSAGE') {
      this.#take(transaction);
    } else if (request.method === 'NOTIFY') {
      const subscription = this.#subscriptions.get(request.headers.get('Call-ID') ?? '');
      subscription?.notified(request);
      if (subscription === undefined) this.#agent.answerOther(transaction);
      else this.#take(transaction);
    } else {
      this.#agent.answerOther(transaction);
    }
  }

  /** Answers when every key is taken, or with the status of the first refusal. */
  #take(transaction: ServerTransaction): void {
    const { headers, body, method } = transaction.request;
    const { localTag } = transaction;
    this.keys
      .take({ type: headers.get('Content-Type') ?? '', bytes: body })
      .then((count) => {
        if (count === 0 && method === 'MESSAGE') {
          throw new SegyError('SEGY_E_SIP_BODY', 'the MESSAGE carries no I_MESSAGE');
        }
        if (count > 0) this.carriers.push(method);
        this.#agent.respond(transaction, 200, 'OK', localTag);
      })
      .catch((error: unknown) => {
        const refusal = toSegyError(error);
        this.refusals.push(refusal);
        this.#agent.respond(transaction, refusal.sipStatus, refusal.code, localTag);
      });
  }
}
