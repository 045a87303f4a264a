/** What the edge tells the reader of partners' group documents, and takes from it. */
import type { GroupConfig, PartnerConfig } from '../../config/index.js';
import type { DocumentNotice } from '../messages/document-diff.js';

export interface GroupDocumentsPort {
  /** a NOTIFY of the partner names documents that changed */
  changed(partner: PartnerConfig, notices: readonly DocumentNotice[]): void;
  /** the partner took an affiliation of the user */
  affiliated(partner: PartnerConfig, user: string): void;
  /** what the partner's document of a group says; undefined where none was read */
  documentOf(
    partner: PartnerConfig,
    group: string,
  ): { readonly members: readonly string[] } | undefined;
}

/** The group with the members of its document beside those of the configuration. */
export function withMembers(
  documents: GroupDocumentsPort | undefined,
  partner: PartnerConfig,
  group: GroupConfig,
): GroupConfig {
  const members = documents?.documentOf(partner, group.id)?.members ?? [];
  if (members.length === 0) return group;
  return { ...group, members: [...new Set([...group.members, ...members])] };
}
