/**
 * The application usage of group documents (TS 24.481, RFC 4825): each group that is homed here has
 * one, in the global tree under its ID, and in the tree of each user who may read it. To put one makes or
 * changes the group, to delete it ends the group.
 */
import { SegyError } from '../base/errors.js';
import { encodeSegment } from '../base/uri-segment.js';
import type { GroupDocumentNames } from '../config/index.js';
import { parseXcapPath, XcapConflict } from '../xcap/index.js';
import type { DocumentSelector, XcapDocument, XcapUsage, XcapWriter } from '../xcap/index.js';
import { isMemberOf, nameOf, type DocumentCaller } from './document-access.js';
import { GROUP_DOCUMENT_AUID, GROUP_DOCUMENT_TYPE } from './group-document.js';
import { groupOfDocument, readGroupDocument } from './group-document.js';
import type { GroupDocument } from './document-model.js';
import type { GroupChanges } from './group-changes.js';
import type { GroupDocuments } from './group-documents.js';
import type { GroupStore } from './group-store.js';
import type { Group, MemberHome } from './group.js';

export type ReadDocument = (
  octets: Uint8Array,
  names: GroupDocumentNames,
) => Promise<GroupDocument>;

export interface GroupUsageOptions {
  readonly groups: Pick<GroupStore, 'get'>;
  readonly documents: GroupDocuments;
  readonly changes: GroupChanges;
  readonly homeOf: (uri: string) => MemberHome | undefined;
  /** reads a document of more than 32 KiB, which takes its time, as `readGroupDocument` */
  readonly readLarge: ReadDocument;
  /**
   * Folders of the documents by group ID, below the XCAP root and with their last slash, as partners
   * know them.
   */
  readonly folders: () => readonly string[];
}

/** What is read within some 10 ms. */
const SMALL = 32_768;
/** Longest phrase of an error document; what it says may be of the client's making. */
const MAX_PHRASE = 200;
const MEMBER_FIELD = 'group/list-service/list/entry/@uri';

export class GroupUsage implements XcapUsage<DocumentCaller> {
  readonly auid = GROUP_DOCUMENT_AUID;
  readonly mediaType = GROUP_DOCUMENT_TYPE;
  readonly namespace: string;
  readonly namespaces: readonly string[];
  readonly writer: XcapWriter<DocumentCaller>;
  readonly #options: GroupUsageOptions;

  constructor(options: GroupUsageOptions) {
    this.#options = options;
    const { names } = options.documents;
    this.namespace = names.listNamespace;
    this.namespaces = [
      names.listNamespace,
      names.policyNamespace,
      names.extensionNamespace,
      names.groupInfoNamespace,
    ];
    this.writer = {
      mayWrite: ({ xui }, caller) => caller.isAdministrator && isOwnTree(xui, caller),
      put: (at, octets, before, caller) => this.#put(at, octets, before, caller),
      delete: (at, before, caller) => this.#delete(at, before, caller),
    };
  }

  /** A document that is not there is nobody's but an administrator's, so that others learn nothing. */
  mayRead(at: DocumentSelector, caller: DocumentCaller): boolean {
    if (!isOwnTree(at.xui, caller)) return false;
    if (caller.isAdministrator) return true;
    const group = this.#groupAt(at);
    return group !== undefined && isMemberOf(group, caller);
  }

  read(at: DocumentSelector): XcapDocument | undefined {
    const group = this.#groupAt(at);
    return group && this.#options.documents.of(group);
  }

  async #put(
    at: DocumentSelector,
    octets: Uint8Array,
    before: XcapDocument | undefined,
    caller: DocumentCaller,
  ): Promise<XcapDocument> {
    const id = this.#idAt(at);
    if (id === undefined) {
      const tree = at.xui === null ? 'global' : `users/${encodeSegment(at.xui)}`;
      const ancestor = `${GROUP_DOCUMENT_AUID}/${tree}`;
      throw new XcapConflict('no-parent', 'group documents are in another folder', { ancestor });
    }
    const { groups, documents, changes, homeOf } = this.#options;
    const document = await readChecked(octets, documents.names, this.#options.readLarge);
    if (document.id !== id) {
      throw new XcapConflict('constraint-failure', 'the document is of another group than its URI');
    }
    const kept = groups.get(id);
    const keptMembers = new Map(kept?.members.map((member) => [member.uri, member]));
    refuseOvertaken(before, kept && documents.of(kept));
    try {
      const group = groupOfDocument(
        document,
        kept ?? null,
        (uri) => keptMembers.get(uri) ?? homeOf(uri),
      );
      const condition = { version: kept?.version ?? null };
      return documents.of(await changes.put(group, condition, `document, by ${nameOf(caller)}`));
    } catch (error) {
      throw conflictOf(error);
    }
  }

  async #delete(at: DocumentSelector, before: XcapDocument, caller: DocumentCaller): Promise<void> {
    const { documents, changes } = this.#options;
    const group = this.#groupAt(at);
    refuseOvertaken(before, group && documents.of(group));
    if (group === undefined) return;
    try {
      await changes.delete(group.id, { version: group.version }, `document, by ${nameOf(caller)}`);
    } catch (error) {
      throw conflictOf(error);
    }
  }

  #groupAt(at: DocumentSelector): Group | undefined {
    const id = this.#idAt(at);
    return id === undefined ? undefined : this.#options.groups.get(id);
  }

  /** The group whose document this is, were there one; undefined where group documents never are. */
  #idAt({ xui, path }: DocumentSelector): string | undefined {
    const id = path.at(-1);
    const folder = path.slice(0, -1);
    if (xui !== null) return folder.length === 0 ? id : undefined;
    const named = new Set(this.#options.folders());
    return [...named].some((each) => isFolder(each, folder)) ? id : undefined;
  }
}

/** Whether a configured path names this folder in the global tree of the usage. */
function isFolder(path: string, folder: readonly string[]): boolean {
  const uri = parseXcapPath(`${path}x`);
  if (uri?.document.auid !== GROUP_DOCUMENT_AUID || uri.document.xui !== null) return false;
  return JSON.stringify(uri.document.path.slice(0, -1)) === JSON.stringify(folder);
}

/** The global tree is everybody's; of the users' trees each sees its own. */
function isOwnTree(xui: string | null, { ids }: DocumentCaller): boolean {
  return xui === null || [...ids.values()].includes(xui);
}

function refuseOvertaken(before: XcapDocument | undefined, now: XcapDocument | undefined): void {
  if (before?.etag === now?.etag) return;
  throw new SegyError('SEGY_E_CHANGED', 'the document is not what it was');
}

/** @throws XcapConflict; SegyError SEGY_E_BUSY */
async function readChecked(
  octets: Uint8Array,
  names: GroupDocumentNames,
  readLarge: ReadDocument,
): Promise<GroupDocument> {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    throw new XcapConflict('not-utf-8', 'the document is not UTF-8');
  }
  try {
    const isLarge = octets.length > SMALL;
    const document = isLarge ? await readLarge(octets, names) : readGroupDocument(octets, names);
    if (new Set(document.members.map(({ uri }) => uri)).size < document.members.length) {
      const details = { field: MEMBER_FIELD };
      throw new XcapConflict('uniqueness-failure', 'a member comes twice', details);
    }
    return document;
  } catch (error) {
    throw conflictOf(error);
  }
}

/** What a broken rule is in XCAP; any other error as it is. */
function conflictOf(error: unknown): unknown {
  if (!(error instanceof SegyError)) return error;
  const phrase = error.message.slice(0, MAX_PHRASE);
  switch (error.code) {
    case 'SEGY_E_XML':
      return new XcapConflict('not-well-formed', phrase);
    case 'SEGY_E_GROUP_DOCUMENT':
      return new XcapConflict('schema-validation-error', phrase);
    case 'SEGY_E_GROUP':
      return new XcapConflict('constraint-failure', phrase);
    default:
      return error;
  }
}
