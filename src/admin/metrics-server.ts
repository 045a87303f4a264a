/** `GET /metrics` in Prometheus text on an address of its own; it says nothing else and reads nothing. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SegyError } from '../base/errors.js';

const RECEIVE_MS = 5000;
const CONNECTIONS = 16;

export interface MetricsServerOptions {
  readonly address: string;
  /** 0 for any */
  readonly port: number;
  /** the text of one scrape */
  readonly expose: () => string;
}

export class MetricsServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws SegyError SEGY_E_IO when the address cannot be taken */
  static async open({ address, port, expose }: MetricsServerOptions): Promise<MetricsServer> {
    const limits = { headersTimeout: RECEIVE_MS, requestTimeout: RECEIVE_MS, maxHeaderSize: 8192 };
    const server = createServer(limits, ({ method, url }, response) => {
      const found = url === '/metrics';
      if (!found || (method !== 'GET' && method !== 'HEAD')) {
        response.writeHead(found ? 405 : 404, { Connection: 'close' }).end();
        return;
      }
      let text: string;
      try {
        text = expose();
      } catch {
        // A gauge that cannot be read takes nothing down with it.
        response.writeHead(500, { Connection: 'close' }).end();
        return;
      }
      response.writeHead(200, {
        'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
        'Cache-Control': 'no-store',
      });
      response.end(method === 'HEAD' ? undefined : text);
    });
    server.maxConnections = CONNECTIONS;
    try {
      server.listen(port, address);
      await once(server, 'listening');
    } catch (cause) {
      throw new SegyError('SEGY_E_IO', `cannot listen at ${address}, port ${port}`, { cause });
    }
    return new MetricsServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
