/** The documents of groups, made once and kept for as long as they are asked for. */
import type { GroupDocumentNames } from '../config/index.js';
import { groupDocument, type StoredDocument } from './group-document.js';
import type { Group } from './group.js';

const MAX_OCTETS = 16_777_216;

interface Kept {
  readonly group: Group;
  readonly document: StoredDocument;
}

export class GroupDocuments {
  readonly names: GroupDocumentNames;
  /** by group ID, the one that was asked for last at the end */
  readonly #kept = new Map<string, Kept>();
  #octets = 0;

  constructor(names: GroupDocumentNames) {
    this.names = names;
  }

  /** The document of this very version of a group. */
  of(group: Group): StoredDocument {
    const known = this.#kept.get(group.id);
    this.#forget(group.id);
    const document = known?.group === group ? known.document : groupDocument(group, this.names);
    this.#kept.set(group.id, { group, document });
    this.#octets += document.octets.length;
    for (const id of this.#kept.keys()) {
      if (this.#octets <= MAX_OCTETS || id === group.id) break;
      this.#forget(id);
    }
    return document;
  }

  #forget(id: string): void {
    this.#octets -= this.#kept.get(id)?.document.octets.length ?? 0;
    this.#kept.delete(id);
  }
}
