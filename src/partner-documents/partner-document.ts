/**
 * What the gateway takes from a partner's group document (TS 24.481 clause 7.2): who is in the group,
 * and what it says of protection. Unlike a document that is homed here it is read leniently, because a
 * partner keeps more in it than the gateway knows; what is read of it never lowers a policy.
 */
import { SegyError } from '../base/errors.js';
import type { GroupDocumentsConfig } from '../config/index.js';
import { attribute, childElements, firstChild, parseXml, type XmlElement } from '../xml/index.js';

const MAX_MEMBERS = 10_000;
const MAX_MEMBER = 255;

export interface PartnerGroupDocument {
  readonly members: readonly string[];
  /** as the document says; absent means protected */
  readonly protectMedia: boolean;
  readonly protectFloorControl: boolean;
}

/**
 * @param group ID that the document must be of
 * @throws SegyError SEGY_E_XML, SEGY_E_GROUP_DOCUMENT
 */
export function readPartnerDocument(
  octets: Uint8Array,
  group: string,
  {
    documentNames: { listNamespace, groupInfoNamespace },
    xmlComments,
  }: Pick<GroupDocumentsConfig, 'documentNames' | 'xmlComments'>,
): PartnerGroupDocument {
  const root = parseXml(octets, {
    ...{ maxBytes: 4_194_304, maxDepth: 24, maxElements: 100_000, maxAttributes: 32 },
    ...(xmlComments && { comments: 'passed over' }),
  });
  const lists =
    root.localName === 'group' ? childElements(root, 'list-service', listNamespace) : [];
  const service = lists.find((each) => attribute(each, 'uri') === group);
  if (service === undefined) {
    throw new SegyError('SEGY_E_GROUP_DOCUMENT', 'the document is not that of the group');
  }
  const list = firstChild(service, 'list', listNamespace);
  const entries = list === undefined ? [] : childElements(list, 'entry', listNamespace);
  if (entries.length > MAX_MEMBERS) {
    throw new SegyError('SEGY_E_GROUP_DOCUMENT', `more than ${MAX_MEMBERS} members`);
  }
  const members = entries
    .map((entry) => attribute(entry, 'uri') ?? '')
    .filter((uri) => uri !== '' && uri.length <= MAX_MEMBER && !/[\s<>"]/.test(uri));
  const isOn = (name: string): boolean => isTrue(firstChild(service, name, groupInfoNamespace));
  return {
    members: [...new Set(members)],
    protectMedia: isOn('protect-media'),
    protectFloorControl: isOn('protect-floor-control-signalling'),
  };
}

/** What is not plainly false is true: protected. */
function isTrue(element: XmlElement | undefined): boolean {
  return element === undefined || !['false', '0'].includes(element.text.trim());
}
