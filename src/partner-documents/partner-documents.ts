/** The documents of one partner's groups, each read for the represented users who are in the group. */
import { SegyError } from '../base/errors.js';
import type { GroupConfig, GroupDocumentsConfig, PartnerConfig } from '../config/index.js';
import type { PinnedTls } from '../https/index.js';
import { requestDocument } from './document-request.js';
import { readPartnerDocument, type PartnerGroupDocument } from './partner-document.js';
import { documentPath, documentUrl } from './paths.js';
import type { DocumentNotice, DocumentsParts } from './ports.js';
import { Turns } from './turns.js';
import { WatchedDocument } from './watched-document.js';

/** What is read: the document of a group, or a user's keys of it. */
interface Source {
  readonly kind: 'group' | 'keys';
  readonly group: GroupConfig;
  readonly user: string;
  readonly url: string;
  /** as `documentPath` gives it */
  readonly path: string;
  etag: string | null;
  readonly watched: WatchedDocument;
}

type Named = Pick<Source, 'kind' | 'group' | 'user' | 'url'>;

export class PartnerDocuments {
  readonly #partner: PartnerConfig;
  readonly #config: GroupDocumentsConfig;
  readonly #tls: PinnedTls;
  readonly #parts: DocumentsParts;
  readonly #turns: Turns;
  readonly #stop = new AbortController();
  readonly #sources: readonly Source[];
  readonly #read = new Map<string, PartnerGroupDocument>();
  /** what could not be read last time */
  readonly #failing = new Set<string>();

  constructor(
    partner: PartnerConfig,
    config: GroupDocumentsConfig,
    tls: PinnedTls,
    parts: DocumentsParts,
  ) {
    this.#partner = partner;
    this.#config = config;
    this.#tls = tls;
    this.#parts = parts;
    this.#turns = new Turns(parts.env, config);
    this.#sources = this.#named().map((named) => this.#watch(named));
  }

  start(): void {
    for (const { watched } of this.#sources) watched.notice();
  }

  stop(): void {
    this.#turns.end();
    for (const { watched } of this.#sources) watched.end();
    this.#stop.abort();
    this.#parts.alarms.clear('partner-documents', this.#partner.name);
  }

  /** Documents that a notice names and that are among those that are read; others are passed over. */
  changed(notices: readonly DocumentNotice[]): void {
    for (const { selector, etag } of notices) {
      const path = documentPath(selector, this.#config.xcapRoot);
      for (const source of this.#sources) {
        if (source.path !== path) continue;
        if (etag === null || source.etag !== `"${etag}"`) source.watched.notice();
      }
    }
  }

  /** The user was affiliated: what it may read may be more. */
  affiliated(user: string): void {
    for (const source of this.#sources) if (source.user === user) source.watched.notice();
  }

  /** What the document of a group said last; undefined where none was read. */
  documentOf(group: string): PartnerGroupDocument | undefined {
    return this.#read.get(group);
  }

  #named(): Named[] {
    const { codePoints, groups } = this.#partner;
    const { xcapRoot, keyPath, per } = this.#config;
    return groups.flatMap((group) => {
      const urlOf = (template: string, user: string): string =>
        documentUrl(xcapRoot, template, { group: group.id, user });
      const readers = per === 'user' ? group.affiliate : group.affiliate.slice(0, 1);
      const documents = readers.map((user): Named => {
        const url = urlOf(`${codePoints.groupDocumentPath}{group}`, user);
        return { kind: 'group', group, user, url };
      });
      if (keyPath === null) return documents;
      const keys = group.affiliate.map((user): Named => ({
        kind: 'keys',
        group,
        user,
        url: urlOf(keyPath, user),
      }));
      return [...documents, ...keys];
    });
  }

  #watch(named: Named): Source {
    const source: Source = {
      ...named,
      path: documentPath(named.url, this.#config.xcapRoot) ?? named.url,
      etag: null,
      watched: new WatchedDocument({
        refreshMs: 1000 * this.#config.refreshSeconds,
        enqueue: (read) => this.#turns.add(read),
        read: () => this.#look(source),
        onOutcome: (failure) => this.#tell(source, failure),
        env: this.#parts.env,
      }),
    };
    return source;
  }

  async #look(source: Source): Promise<void> {
    const { octets, etag } = await this.#get(source);
    const { metrics } = this.#parts.env;
    const outcome = octets === null ? 'same' : 'new';
    metrics.count('segy_partner_documents_total', { partner: this.#partner.name, outcome });
    if (octets === null) return;
    await this.#take(source, octets);
    // what was refused is looked at anew, because what was missing here may come
    source.etag = etag;
  }

  /** With the user's token; with a new one where that is not taken. */
  async #get(source: Source): ReturnType<typeof requestDocument> {
    const ask = (token: string | null): ReturnType<typeof requestDocument> =>
      requestDocument({ ...source, token }, this.#tls, this.#config, this.#stop.signal);
    if (!this.#config.accessToken) return ask(null);
    const token = await this.#token(source);
    try {
      return await ask(token);
    } catch (error) {
      if (!(error instanceof SegyError) || error.code !== 'SEGY_E_ACCESS_TOKEN') throw error;
    }
    this.#parts.tokens.reject(this.#partner, source.user, token);
    return ask(await this.#token(source));
  }

  async #token({ user }: Source): Promise<string> {
    const token = await this.#parts.tokens.tokenFor(this.#partner, user);
    if (token !== null) return token;
    throw new SegyError('SEGY_E_ACCESS_TOKEN', `no access token for ${user} can be had`);
  }

  async #take(source: Source, octets: Uint8Array): Promise<void> {
    const { kind, group } = source;
    if (kind === 'group') this.#readGroup(source, octets);
    const { gktpGmkList, gktpMkfcList } = this.#partner.codePoints;
    const isNamed = (name: string): boolean => Buffer.from(octets).includes(name);
    if (kind === 'group' && !isNamed(gktpGmkList) && !isNamed(gktpMkfcList)) return;
    const refusal = await this.#parts.takeKeys(this.#partner, octets);
    if (refusal === null) return;
    const { code, message } = refusal;
    this.#parts.alarms.raise(
      'group-key-refused',
      this.#partner.name,
      `${group.id} ${code} ${message}`,
    );
    throw refusal;
  }

  #readGroup({ group, user }: Source, octets: Uint8Array): void {
    const { log } = this.#parts.env;
    const document = readPartnerDocument(octets, group.id, this.#config);
    const { members, protectMedia } = document;
    const about = { partner: this.#partner.name, group: group.id };
    this.#read.set(group.id, document);
    log.info('group.document', { ...about, members: members.length, protectMedia });
    if (members.length > 0 && !members.includes(user)) {
      log.warn('group.document.no-member', { ...about, user });
    }
  }

  #tell(source: Source, failure: SegyError | null): void {
    const { env, alarms } = this.#parts;
    const { name: partner } = this.#partner;
    const { kind, user, group } = source;
    const name = `${source.url} ${user}`;
    if (failure === null) {
      this.#failing.delete(name);
      if (this.#failing.size === 0) alarms.clear('partner-documents', partner);
      return;
    }
    const { code, message } = failure;
    env.metrics.count('segy_partner_documents_total', { partner, outcome: code });
    env.log.warn('document.failed', { partner, kind, group: group.id, user, code, message });
    // keys may not be there yet
    if (kind === 'keys' && code === 'SEGY_E_NOT_FOUND') return;
    this.#failing.add(name);
    const more = this.#failing.size > 1 ? `, and ${this.#failing.size - 1} more` : '';
    alarms.raise('partner-documents', partner, `${group.id} ${code} ${message}${more}`);
  }
}
