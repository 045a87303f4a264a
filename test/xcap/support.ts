/** An XCAP server over documents in memory, asked as its listener asks it. */
import { createHash } from 'node:crypto';
import { systemClock } from '../../src/base/environment.js';
import type { Clock } from '../../src/base/environment.js';
import { fileURLToPath } from 'node:url';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import type { HttpRequestHead, HttpResponse } from '../../src/https/index.js';
import { documentPath, TreeNodes, XcapConflict, XcapServer } from '../../src/xcap/index.js';
import type { Nodes, XcapDocument, XcapUsage } from '../../src/xcap/index.js';

export const AUID = 'org.openmobilealliance.groups';
export const TYPE = 'application/vnd.oma.poc.groups+xml';
export const NAMESPACE = 'urn:oma:xml:poc:list-service';
export const ROOT = 'https://gms.lmr.example/xcap-root';
export const DOCUMENT = `<g xmlns="${NAMESPACE}"><e uri="a"/><e uri="b"><n>x &amp; y</n></e></g>`;

/** Path of an XCAP schema of the fixtures. */
export function xcapSchema(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/xcap/${name}`, import.meta.url));
}

export function tagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}

/** Who asks, in these tests: the value of the header field `X-Caller`. */
export type Caller = 'reader' | 'writer' | 'nobody';

export class MemoryUsage implements XcapUsage<Caller> {
  readonly auid = AUID;
  readonly mediaType = TYPE;
  readonly namespace = NAMESPACE;
  readonly namespaces = [NAMESPACE, 'urn:3gpp:ns:mcpttGroupInfo:1.0'];
  readonly documents = new Map<string, string>();
  /** bodies that came as far as the usage */
  readonly seen: Uint8Array[] = [];
  /** what happens between the check of the conditions and the change */
  overtake: () => void = () => undefined;

  mayRead(_at: unknown, caller: Caller): boolean {
    return caller !== 'nobody';
  }

  read(at: Parameters<XcapUsage<Caller>['read']>[0]): XcapDocument | undefined {
    const text = this.documents.get(documentPath(at));
    return text === undefined ? undefined : { octets: utf8(text), etag: tagOf(text) };
  }

  readonly writer: NonNullable<XcapUsage<Caller>['writer']> = {
    mayWrite: (_at, caller) => caller === 'writer',
    put: (at, octets, before) => {
      this.seen.push(octets);
      const text = Buffer.from(octets).toString();
      if (text.includes('bad')) throw new XcapConflict('constraint-failure', 'a "bad" <document>');
      this.#change(at, before);
      this.documents.set(documentPath(at), text);
      return Promise.resolve({ octets, etag: tagOf(text) });
    },
    delete: (at, before) => {
      this.#change(at, before);
      this.documents.delete(documentPath(at));
      return Promise.resolve();
    },
  };

  #change(at: Parameters<XcapUsage<Caller>['read']>[0], before: XcapDocument | undefined): void {
    this.overtake();
    if (this.read(at)?.etag !== before?.etag) throw new SegyError('SEGY_E_CHANGED', 'overtaken');
  }
}

export function serverOver(
  usage: MemoryUsage,
  clock: Clock = systemClock,
  large: Nodes = new TreeNodes(),
): XcapServer<Caller> {
  return new XcapServer({
    root: ROOT,
    usages: [usage],
    guard: {
      admit: ({ header }) => {
        const caller = header('x-caller');
        return Promise.resolve(
          caller === undefined ? { answer: { status: 401 } } : { caller: caller as Caller },
        );
      },
      forbidden: () => ({ status: 403 }),
    },
    maxDocumentOctets: 40_000,
    large,
    clock,
  });
}

export interface Asked {
  readonly method?: string;
  /** below the XCAP root */
  readonly path: string;
  readonly query?: string;
  readonly caller?: Caller | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export async function ask(server: XcapServer<Caller>, asked: Asked): Promise<HttpResponse> {
  const { method = 'GET', path, query = '', caller = 'writer', headers = {}, body = '' } = asked;
  const fields = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  if (caller !== null) fields.set('x-caller', caller);
  const head: HttpRequestHead = {
    method,
    path: `/xcap-root/${path}`,
    query,
    header: (name) => fields.get(name),
    address: '192.0.2.1',
    certificate: null,
  };
  const begun = await server.begin(head);
  if (typeof begun !== 'function') return begun;
  return begun(typeof body === 'string' ? utf8(body) : body);
}

export function textOf({ body = '' }: HttpResponse): string {
  return Buffer.from(body as Uint8Array).toString('utf8');
}
