import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
  type Environment,
} from '../../../src/base/environment.js';
import {
  SipEndpoint,
  SipHeaders,
  type ClientTransaction,
  type ServerTransaction,
  type SipEndpointOptions,
  type SipRequest,
  type SipResponse,
} from '../../../src/sip/index.js';

/** What a handler threw is a failure of the test: it comes back from `problems`. */
export function realEnvironment(problems: unknown[] = []): Environment {
  const log = { ...silentLog, error: (_event: string, fields?: unknown) => problems.push(fields) };
  return {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log,
    metrics: silentMetrics,
  };
}

/** Endpoints that end with the test: call `closeAll` in afterEach. */
export class Endpoints {
  readonly #open: SipEndpoint[] = [];
  readonly problems: unknown[] = [];

  make(options: Partial<SipEndpointOptions> = {}): SipEndpoint {
    const endpoint = new SipEndpoint({
      name: 'test',
      env: realEnvironment(this.problems),
      ...options,
    });
    this.#open.push(endpoint);
    return endpoint;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((endpoint) => endpoint.close()));
  }
}

let calls = 0;

/** A request without Via, of a new call. */
export function makeRequest(method: string, extra: Record<string, string> = {}): SipRequest {
  calls += 1;
  const headers = new SipHeaders([
    ['From', '<sip:ann@a.example>;tag=f'],
    ['To', '<sip:bob@b.example>'],
    ['Call-ID', `call-${calls}-${process.pid}`],
    ['CSeq', `1 ${method}`],
  ]);
  for (const [name, value] of Object.entries(extra)) headers.set(name, value);
  return { kind: 'request', method, uri: 'sip:bob@b.example', headers, body: new Uint8Array() };
}

/** The ACK of a 2xx to `invite`. */
export function makeAck(invite: SipRequest, response: SipResponse): SipRequest {
  const headers = new SipHeaders();
  for (const name of ['From', 'Call-ID']) headers.add(name, invite.headers.get(name) ?? '');
  headers.add('To', response.headers.get('To') ?? '');
  headers.add('CSeq', '1 ACK');
  return { kind: 'request', method: 'ACK', uri: invite.uri, headers, body: new Uint8Array() };
}

export function finalOf(transaction: ClientTransaction): Promise<SipResponse> {
  return new Promise((resolve, reject) => {
    transaction.onFinal = resolve;
    transaction.onError = reject;
  });
}

export function errorOf(transaction: ClientTransaction): Promise<Error> {
  return new Promise((resolve, reject) => {
    transaction.onError = resolve;
    transaction.onFinal = (response) => reject(new Error(`final ${response.status}`));
  });
}

export function nextRequest(endpoint: SipEndpoint): Promise<ServerTransaction> {
  return new Promise((resolve) => {
    endpoint.onRequest = resolve;
  });
}
