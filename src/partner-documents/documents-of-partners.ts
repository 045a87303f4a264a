/** The group documents of all partners whose profile names where they are. */
import type { PartnerConfig } from '../config/index.js';
import { PartnerDocuments } from './partner-documents.js';
import type { PartnerGroupDocument } from './partner-document.js';
import type { DocumentNotice, DocumentsParts } from './ports.js';

export class DocumentsOfPartners {
  readonly #parts: DocumentsParts;
  #partners = new Map<PartnerConfig, PartnerDocuments>();

  constructor(parts: DocumentsParts) {
    this.#parts = parts;
  }

  /**
   * Reads the files of other profiles. A profile that stays the same object keeps what was read.
   * @returns what puts the profiles in force and begins to read their documents
   * @throws SegyError SEGY_E_CONFIG; nothing has changed then
   */
  prepare(partners: readonly PartnerConfig[]): () => void {
    const next = new Map<PartnerConfig, PartnerDocuments>();
    const added: PartnerDocuments[] = [];
    for (const partner of partners) {
      const { groupDocuments: config } = partner;
      if (config === undefined) continue;
      const known = this.#partners.get(partner);
      const documents =
        known ??
        new PartnerDocuments(partner, config, this.#parts.readTls(config.tls), this.#parts);
      next.set(partner, documents);
      if (known === undefined) added.push(documents);
    }
    return () => {
      for (const [partner, documents] of this.#partners) {
        if (!next.has(partner)) documents.stop();
      }
      this.#partners = next;
      for (const documents of added) documents.start();
    };
  }

  /** A notice of the partner. */
  changed(partner: PartnerConfig, notices: readonly DocumentNotice[]): void {
    this.#partners.get(partner)?.changed(notices);
  }

  affiliated(partner: PartnerConfig, user: string): void {
    this.#partners.get(partner)?.affiliated(user);
  }

  documentOf(partner: PartnerConfig, group: string): PartnerGroupDocument | undefined {
    return this.#partners.get(partner)?.documentOf(group);
  }

  stop(): void {
    for (const documents of this.#partners.values()) documents.stop();
    this.#partners.clear();
  }
}
