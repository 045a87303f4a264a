/** A process of its own for the IdM's bench: one client that asks for tokens at a steady rate. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setPriority } from 'node:os';

export interface IdmLoadOrder {
  readonly url: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly perMinute: number;
  readonly forms: readonly string[];
}

export interface IdmLoadResult {
  readonly sent: number;
  /** answers by status; 0 for none */
  readonly statuses: Readonly<Record<string, number>>;
}

const CONNECTIONS = 8;

// else its own work is measured on a machine with few processors
setPriority(19);

process.once('message', (order: IdmLoadOrder) => {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS,
    maxTotalSockets: CONNECTIONS,
  });
  const tls = {
    ca: readFileSync(order.caFile),
    cert: readFileSync(order.certFile),
    key: readFileSync(order.keyFile),
  };
  const statuses: Record<string, number> = {};
  const count = (status: number): void => {
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const begun = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - begun) * order.perMinute) / 60_000;
    for (; sent < due; sent += 1) {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const outgoing = request(order.url, { ...tls, agent, method: 'POST', headers }, (answer) => {
        count(answer.statusCode ?? 0);
        answer.resume();
      });
      outgoing.on('error', () => count(0));
      outgoing.end(order.forms[sent % order.forms.length]);
    }
  }, 5);
  process.once('message', () => {
    clearInterval(timer);
    setTimeout(() => {
      process.send?.({ sent, statuses } satisfies IdmLoadResult, () => process.exit());
    }, 500);
  });
});
