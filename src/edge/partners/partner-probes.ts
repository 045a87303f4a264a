/**
 * OPTIONS to every address of every partner (RFC 3261 clause 11): a live one at its interval, a dead one
 * sooner and then less and less often. Times are drawn from a range, so that many addresses are not
 * asked at one time. Any answer but 408 and 503 says that the address is alive.
 */
import type { PartnerView } from '../../base/partner-view.js';
import { toHex } from '../../base/bytes.js';
import type { Environment, RandomBytes, TimerHandle } from '../../base/environment.js';
import { toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import { SipHeaders, type SipEndpoint, type SipRequest, type SipTarget } from '../../sip/index.js';
import { partnerTargets } from './next-hop.js';
import type { HostAddresses } from '../dependencies.js';
import { wayKey, type PartnerHealth } from './partner-health.js';

/** times are lengthened or shortened by up to this share */
const SPREAD = 0.2;
/** first probes of a start are spread over this time, in milliseconds */
const START_MS = 500;

interface Probe {
  partner: PartnerConfig;
  readonly target: SipTarget;
  failures: number;
  timer: TimerHandle | null;
  asking: boolean;
}

/** What is probed with. */
export interface PartnerProbesInit {
  readonly env: Environment;
  readonly endpoint: Pick<SipEndpoint, 'request'>;
  readonly health: PartnerHealth;
  readonly addresses: HostAddresses;
  /** our name in From */
  readonly identity: string;
}

export class PartnerProbes {
  readonly #init: PartnerProbesInit;
  readonly #probes = new Map<string, Probe>();
  #partners: readonly PartnerConfig[] = [];
  #stopped = false;

  constructor(init: PartnerProbesInit) {
    this.#init = init;
    init.health.onFailure = (partner, target) => this.#soon(partner, target);
  }

  /** Begins, or goes on with other partners or other addresses of theirs. */
  update(partners: readonly PartnerConfig[]): void {
    if (this.#stopped) return;
    this.#partners = partners;
    const { health, addresses } = this.#init;
    const current = partners.map((partner) => ({
      partner,
      targets: partnerTargets(partner, addresses),
    }));
    health.keep(current);
    const wanted = new Map(
      current
        .filter(({ partner }) => partner.sip.probe.enabled)
        .flatMap(({ partner, targets }) =>
          targets.map((target) => [keyOf(partner, target), { partner, target }] as const),
        ),
    );
    for (const [key, probe] of this.#probes) {
      if (wanted.has(key)) continue;
      this.#clear(probe);
      this.#probes.delete(key);
    }
    for (const [key, { partner, target }] of wanted) {
      const probe = this.#probes.get(key);
      if (probe !== undefined) probe.partner = partner;
      else {
        const made = { partner, target, failures: 0, timer: null, asking: false };
        this.#probes.set(key, made);
        this.#after(made, START_MS * this.#draw());
      }
    }
  }

  /** The addresses changed; the partners are the same. */
  refresh(): void {
    this.update(this.#partners);
  }

  /** Every partner with its ways, in the order in which the next call takes them. */
  view(): PartnerView[] {
    const { health, addresses } = this.#init;
    return this.#partners.map((partner) =>
      health.view(partner, partnerTargets(partner, addresses)),
    );
  }

  stop(): void {
    this.#stopped = true;
    for (const probe of this.#probes.values()) this.#clear(probe);
    this.#probes.clear();
  }

  #soon(partner: PartnerConfig, target: SipTarget): void {
    const probe = this.#probes.get(keyOf(partner, target));
    if (probe === undefined || probe.asking) return;
    probe.failures = Math.max(probe.failures, 1);
    this.#after(probe, this.#pause(probe));
  }

  #after(probe: Probe, ms: number): void {
    this.#clear(probe);
    probe.timer = this.#init.env.timers.setTimeout(() => this.#ask(probe), ms);
  }

  #ask(probe: Probe): void {
    const { env, endpoint, identity, health } = this.#init;
    const { partner, target } = probe;
    const { clock, timers, random } = env;
    probe.asking = true;
    const startedAt = clock.now();
    let over = false;
    const end = (failure: string | null): void => {
      // an answer that comes after its time still tells that the address lives
      if (failure === null) health.answered(partner, target, clock.now() - startedAt);
      else if (!over) health.failed(partner, target, failure, true);
      if (failure === null) probe.failures = 0;
      else if (!over) probe.failures += 1;
      if (over) return;
      over = true;
      this.#clear(probe);
      probe.asking = false;
      if (this.#probes.get(keyOf(partner, target)) === probe)
        this.#after(probe, this.#pause(probe));
    };
    probe.timer = timers.setTimeout(() => end('no answer to OPTIONS'), partner.sip.probe.timeoutMs);
    try {
      const request = optionsRequest(partner.sip.requestUri, identity, random);
      const transaction = endpoint.request(request, target);
      transaction.onFinal = ({ status }) =>
        end(status === 408 || status === 503 ? `${status} to OPTIONS` : null);
      transaction.onError = ({ message }) => end(message);
    } catch (error) {
      end(toSegyError(error).message);
    }
  }

  #pause({ failures, partner }: Probe): number {
    const { intervalSeconds, retrySeconds, maxRetrySeconds } = partner.sip.probe;
    const seconds =
      failures === 0
        ? intervalSeconds
        : Math.min(maxRetrySeconds, retrySeconds * 2 ** Math.min(failures - 1, 30));
    return 1000 * seconds * (1 + SPREAD * (2 * this.#draw() - 1));
  }

  /** from 0 to 1 */
  #draw(): number {
    return (this.#init.env.random(1)[0] ?? 0) / 255;
  }

  #clear(probe: Probe): void {
    if (probe.timer !== null) this.#init.env.timers.clearTimeout(probe.timer);
    probe.timer = null;
  }
}

function keyOf({ name }: PartnerConfig, target: SipTarget): string {
  return `${name} ${wayKey(target)}`;
}

/** An OPTIONS outside any dialog. @param identity a SIP URI of ours */
export function optionsRequest(uri: string, identity: string, random: RandomBytes): SipRequest {
  return {
    kind: 'request',
    method: 'OPTIONS',
    uri,
    headers: new SipHeaders([
      ['From', `<${identity}>;tag=${toHex(random(6))}`],
      ['To', `<${uri}>`],
      ['Call-ID', toHex(random(12))],
      ['CSeq', '1 OPTIONS'],
      ['Max-Forwards', '70'],
      ['Accept', 'application/sdp'],
    ]),
    body: new Uint8Array(),
  };
}
