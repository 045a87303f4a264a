/** One look at a partner's group document, for who wants to know whether it can be read. */
import type { GroupDocumentsConfig } from '../config/index.js';
import type { PinnedTls } from '../https/index.js';
import { requestDocument } from './document-request.js';
import { readPartnerDocument } from './partner-document.js';
import { documentUrl } from './paths.js';

export interface DocumentTrial {
  /** below the XCAP root, ending with a slash */
  readonly folder: string;
  readonly group: string;
  readonly user: string;
  readonly token: string | null;
}

/**
 * @returns number of members
 * @throws SegyError as `requestDocument`, SEGY_E_XML, SEGY_E_GROUP_DOCUMENT
 */
export async function tryDocument(
  config: GroupDocumentsConfig,
  tls: PinnedTls,
  { folder, group, user, token }: DocumentTrial,
): Promise<number> {
  const url = documentUrl(config.xcapRoot, `${folder}{group}`, { group, user });
  const once = new AbortController().signal;
  const { octets } = await requestDocument({ url, token, etag: null }, tls, config, once);
  if (octets === null) return 0;
  return readPartnerDocument(octets, group, config).members.length;
}
