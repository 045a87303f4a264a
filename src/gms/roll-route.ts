/**
 * Rolls of group keys by HTTP, which XCAP has no notion of: a resource for each, named by the
 * administrator that orders it, below an address of its own.
 *
 * | request                    | does |
 * |----------------------------|---|
 * | PUT `{group ID}/{name}`    | rolls the keys of the group; the same again rolls nothing, and tells how far it is |
 * | GET `{group ID}/{name}`    | tells how far the new keys are on their way |
 * | GET `{group ID}`           | tells of all keys of the group, as `segy group status` does |
 */
import { SegyError, type SegyErrorCode } from '../base/errors.js';
import { encodeSegment } from '../base/uri-segment.js';
import { jsonResponse, methodNotAllowed } from '../https/index.js';
import type { HttpRequestHead, HttpResponse, StagedRoute } from '../https/index.js';
import type { XcapGuard } from '../xcap/index.js';
import { nameOf, type DocumentCaller } from './document-access.js';
import type { GroupChanges } from './group-changes.js';
import { progressOf, type RollProgress } from './key-status.js';
import { checkOrder, type RollOrder } from './own-key.js';
import type { PseudoGms } from './pseudo-gms.js';

export interface RollRouteOptions {
  /** an https URL, with or without its last slash */
  readonly root: string;
  readonly gms: Pick<PseudoGms, 'groups' | 'status'>;
  readonly changes: GroupChanges;
  readonly guard: XcapGuard<DocumentCaller>;
}

export interface RollView extends RollProgress {
  readonly group: string;
  readonly name: string;
  /** every member has every new key, or it has given way to another one */
  readonly done: boolean;
}

const MAX_BODY = 1024;
/** Seconds between two looks at what is under way. */
const LOOK_AGAIN = '1';
const STATUS: Readonly<Partial<Record<SegyErrorCode, number>>> = {
  SEGY_E_ARGUMENT: 400,
  SEGY_E_NOT_FOUND: 404,
  SEGY_E_GROUP: 409,
  SEGY_E_BUSY: 429,
};

export class RollRoute implements StagedRoute {
  readonly name = 'rolls';
  readonly maxBodyOctets = MAX_BODY;
  readonly #root: URL;
  readonly #options: RollRouteOptions;

  constructor(options: RollRouteOptions) {
    const { root } = options;
    this.#root = new URL(root.endsWith('/') ? root : `${root}/`);
    this.#options = options;
  }

  matches(path: string): boolean {
    return path.startsWith(this.#root.pathname);
  }

  async begin(
    head: HttpRequestHead,
  ): Promise<HttpResponse | ((body: Uint8Array) => Promise<HttpResponse>)> {
    const { guard } = this.#options;
    const admitted = await guard.admit(head);
    if ('answer' in admitted) return admitted.answer;
    const { caller } = admitted;
    if (!caller.isAdministrator) return guard.forbidden(caller);
    const [group, name, ...more] = segmentsOf(head.path.slice(this.#root.pathname.length));
    if (group === undefined || more.length > 0 || head.query !== '') return { status: 404 };
    const isRead = head.method === 'GET' || head.method === 'HEAD';
    if (name === undefined) {
      if (!isRead) return methodNotAllowed('GET, HEAD');
      return answered(() => jsonResponse(200, this.#options.gms.status(group)));
    }
    if (isRead) return answered(() => this.#tell(group, name));
    if (head.method !== 'PUT') return methodNotAllowed('GET, HEAD, PUT');
    return (body) => answered(() => this.#roll(head, { group, name, body, caller }));
  }

  async #roll(
    head: HttpRequestHead,
    asked: {
      readonly group: string;
      readonly name: string;
      readonly body: Uint8Array;
      readonly caller: DocumentCaller;
    },
  ): Promise<HttpResponse> {
    const { group, name, body, caller } = asked;
    if (body.length > 0 && !isJson(head)) return { status: 415 };
    const order = orderOf(name, body);
    const { activationSeconds, revokeNow } = order;
    await this.#options.changes.rekey(
      group,
      { order, revokeNow, ...(activationSeconds !== null && { activationSeconds }) },
      `by ${nameOf(caller)}`,
    );
    const view = this.#viewOf(group, name);
    if (view.done) return jsonResponse(200, view);
    const location = `${this.#root.pathname}${encodeSegment(group)}/${encodeSegment(name)}`;
    return jsonResponse(202, view, { Location: location, 'Retry-After': LOOK_AGAIN });
  }

  #tell(group: string, name: string): HttpResponse {
    const view = this.#viewOf(group, name);
    return jsonResponse(200, view, view.done ? {} : { 'Retry-After': LOOK_AGAIN });
  }

  /** @throws SegyError SEGY_E_NOT_FOUND */
  #viewOf(group: string, name: string): RollView {
    const status = this.#options.gms.status(group);
    const keys = status.keys.filter(({ order }) => order === name);
    if (keys.length === 0) throw new SegyError('SEGY_E_NOT_FOUND', 'no such roll is known');
    return {
      ...{ group, name },
      ...progressOf(
        status,
        keys.map(({ keyId }) => keyId),
      ),
      done: keys.every(
        ({ state, deliveries: { delivered, members } }) =>
          state === 'revoked' || delivered === members,
      ),
    };
  }
}

/** Decoded; none where they can name nothing. */
function segmentsOf(path: string): string[] {
  try {
    const segments = path.split('/', 3).map(decodeURIComponent);
    return segments.includes('') ? [] : segments;
  } catch {
    return [];
  }
}

function isJson({ header }: HttpRequestHead): boolean {
  const type = /^\s*application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;
  return type.test(header('content-type') ?? '') && header('content-encoding') === undefined;
}

/** @throws SegyError SEGY_E_ARGUMENT */
function orderOf(name: string, body: Uint8Array): RollOrder {
  let times: unknown = {};
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    if (text !== '') times = JSON.parse(text);
  } catch {
    throw new SegyError('SEGY_E_ARGUMENT', 'the body is no JSON');
  }
  if (typeof times !== 'object' || times === null || Array.isArray(times) || 'name' in times) {
    throw new SegyError('SEGY_E_ARGUMENT', 'the body is an object of activationSeconds, revokeNow');
  }
  return checkOrder({ activationSeconds: null, revokeNow: false, ...times, name });
}

/** What was refused says so with its stable code. */
async function answered(make: () => HttpResponse | Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await make();
  } catch (error) {
    const status = error instanceof SegyError ? STATUS[error.code] : undefined;
    if (!(error instanceof SegyError) || status === undefined) throw error;
    const { code, message } = error;
    const headers = status === 429 ? { 'Retry-After': '60' } : {};
    return jsonResponse(status, { error: code, message }, headers);
  }
}
