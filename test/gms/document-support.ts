/** The group documents of a pseudo GMS, served to the holders of tokens that the test makes up. */
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import { gmsSchema } from '../../src/config/gms-schema.js';
import {
  DocumentGuard,
  GroupChanges,
  GroupDocuments,
  GroupUsage,
  readGroupDocument,
} from '../../src/gms/index.js';
import type { AccessTokenClaims, DocumentCaller, DocumentThread } from '../../src/gms/index.js';
import type { HttpRequestHead, HttpResponse } from '../../src/https/index.js';
import { documentPath, TreeNodes, XcapServer } from '../../src/xcap/index.js';
import { gmsScene, GMS_URI, type GmsScene, type SceneOptions } from './gms-scene.js';
import { ALICE, BOB, homeOf, newGroup, TALKGROUP } from './support.js';

export const AUID = 'org.openmobilealliance.groups';
export const TYPE = 'application/vnd.oma.poc.groups+xml';
export const ADMIN = 'sip:admin@mc-a.example';

export const DEFAULT_GMS_DOCUMENTS = gmsSchema.parse({ uri: GMS_URI }).documents;

export const pathOf = (id: string): string =>
  documentPath({ auid: AUID, xui: null, path: ['byGroupID', id] });
export const PATH = pathOf(TALKGROUP);

export function claims(mcpttId: string, more: Partial<AccessTokenClaims> = {}): AccessTokenClaims {
  return {
    serviceIds: { MCPTT: mcpttId },
    groupServices: ['MCPTT'],
    partner: homeOf(mcpttId)?.partner ?? '',
    clientId: 'client',
    ...more,
  };
}

export interface DocumentScene extends GmsScene {
  readonly server: XcapServer<DocumentCaller>;
  /** by bearer token */
  readonly tokens: Map<string, AccessTokenClaims>;
  readonly changes: string[];
  ask(asked: {
    readonly method?: string;
    readonly path?: string;
    readonly token?: string | null;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  }): Promise<HttpResponse>;
}

/** With a talkgroup of Alice of `a`, Bob of `b` and a radio, read by tokens of their names. */
export async function documentScene(
  options: SceneOptions & {
    readonly folders?: readonly string[];
    readonly thread?: DocumentThread;
  } = {},
): Promise<DocumentScene> {
  const scene = await gmsScene(options);
  const config = gmsSchema.parse({ uri: GMS_URI, documents: { administrators: [ADMIN] } });
  const { gms } = scene;
  const documents = new GroupDocuments(config.documentNames);
  const changes: string[] = [];
  const audit = {
    record: ({ action, group, detail }: { action: string; group: string; detail?: string }) => {
      changes.push(`${action} ${group} ${detail ?? ''}`);
      return Promise.resolve();
    },
  };
  const tokens = new Map([
    ['alice', claims(ALICE)],
    ['bob', claims(BOB)],
    ['mallory', claims('sip:mallory@mc-a.example')],
    ['admin', claims(ADMIN)],
  ]);
  const server = new XcapServer({
    root: 'https://gms.lmr.example/xcap-root/',
    usages: [
      new GroupUsage({
        groups: gms.groups,
        documents,
        changes: new GroupChanges({ gms, homeOf, audit }),
        homeOf,
        readLarge:
          options.thread?.read ??
          ((octets, names) => Promise.resolve(readGroupDocument(octets, names))),
        folders: () => options.folders ?? [`${AUID}/global/byGroupID/`],
      }),
    ],
    guard: new DocumentGuard({
      tokens: {
        verify: (token) => {
          const found = tokens.get(token);
          return found === undefined
            ? Promise.reject(new SegyError('SEGY_E_TOKEN', 'not a token of ours'))
            : Promise.resolve(found);
        },
      },
      access: config.documents,
    }),
    maxDocumentOctets: config.documents.maxOctets,
    large: options.thread ?? new TreeNodes(),
    clock: { now: () => scene.timers.now },
  });
  await gms.start();
  await gms.groups.put(newGroup());
  await scene.rest();
  return {
    ...scene,
    server,
    tokens,
    changes,
    ask: async ({ method = 'GET', path = PATH, token = 'admin', headers = {}, body = '' }) => {
      const bearer = token === null ? {} : { Authorization: `Bearer ${token}` };
      const all: Record<string, string> = { 'Content-Type': TYPE, ...bearer, ...headers };
      const fields = new Map(Object.entries(all).map(([name, v]) => [name.toLowerCase(), v]));
      const head: HttpRequestHead = {
        ...{ method, path: `/xcap-root/${path}`, query: '' },
        ...{ header: (name: string) => fields.get(name), address: '192.0.2.1', certificate: null },
      };
      const begun = await server.begin(head);
      return typeof begun === 'function'
        ? begun(typeof body === 'string' ? utf8(body) : body)
        : begun;
    },
  };
}

export function textOf({ body = '' }: HttpResponse): string {
  return Buffer.from(body as Uint8Array).toString('utf8');
}
