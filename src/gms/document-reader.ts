/** Strict reading of a group document: every element has its place and its count, none is passed over. */
import { SegyError } from '../base/errors.js';
import type { GroupDocumentNames } from '../config/index.js';
import { attribute, parseXml, type XmlElement } from '../xml/index.js';
import {
  type DocumentMember,
  type GroupDocument,
  type GroupInfoName,
  serviceNames,
} from './document-model.js';
import { GROUP_SERVICES, MAX_GROUP_MEMBERS, type GroupService } from './group.js';

const LIMITS = {
  maxBytes: 4_194_304,
  maxDepth: 12,
  maxElements: 6 * MAX_GROUP_MEMBERS,
  maxAttributes: 8,
};

function refuse(what: string): never {
  throw new SegyError('SEGY_E_GROUP_DOCUMENT', what);
}

/** The children of one element, each taken once; what is left over in the end is refused. */
class Children {
  readonly #name: string;
  readonly #left: Set<XmlElement>;

  constructor(element: XmlElement) {
    this.#name = element.localName;
    this.#left = new Set(element.children);
    if (element.text.trim() !== '') refuse(`text within ${this.#name}`);
  }

  all(namespace: string, localName: string): XmlElement[] {
    const found = [...this.#left].filter(
      (child) => child.localName === localName && child.namespace === namespace,
    );
    for (const child of found) this.#left.delete(child);
    return found;
  }

  one(namespace: string, localName: string): XmlElement | undefined {
    const [first, second] = this.all(namespace, localName);
    if (second !== undefined) refuse(`${localName} comes more than once`);
    return first;
  }

  required(namespace: string, localName: string): XmlElement {
    return this.one(namespace, localName) ?? refuse(`${this.#name} has no ${localName}`);
  }

  done(): void {
    const [extra] = this.#left;
    if (extra !== undefined) refuse(`${extra.localName} within ${this.#name} is not kept here`);
  }
}

export class DocumentReader {
  readonly #names: GroupDocumentNames;

  constructor(names: GroupDocumentNames) {
    this.#names = names;
  }

  /** @throws SegyError SEGY_E_XML, SEGY_E_GROUP_DOCUMENT */
  read(octets: Uint8Array | string): GroupDocument {
    const root = parseXml(octets, LIMITS);
    const { listNamespace } = this.#names;
    if (root.localName !== 'group' || root.namespace !== listNamespace) {
      refuse('the root element is not that of a group document');
    }
    noAttributes(root);
    const group = new Children(root);
    const service = group.required(listNamespace, 'list-service');
    group.done();
    return this.#service(service);
  }

  #service(element: XmlElement): GroupDocument {
    const { listNamespace, policyNamespace, extensionNamespace, groupInfoNamespace } = this.#names;
    const children = new Children(element);
    const own = (name: GroupInfoName): XmlElement | undefined =>
      children.one(groupInfoNamespace, name);
    const displayName = textOf(children.required(listNamespace, 'display-name'), ['lang']);
    const members = this.#members(children.required(listNamespace, 'list'));
    const most = children.one(listNamespace, 'max-participant-count');
    this.#checkRuleset(children.one(policyNamespace, 'ruleset'));
    const services = this.#services(children.one(extensionNamespace, 'supported-services'));
    const protectMedia = flag(own('protect-media'), true);
    const protectFloorControl = flag(own('protect-floor-control-signalling'), true);
    requireSame(own('mcvideo-protect-media'), protectMedia);
    requireSame(own('mcvideo-protect-transmission-control'), protectFloorControl);
    const priority = own('on-network-group-priority');
    const document: GroupDocument = {
      id: onlyAttribute(element, 'uri'),
      displayName,
      members,
      services,
      protectMedia,
      protectFloorControl,
      multicastFloorControl: flag(own('require-multicast-floor-control-signalling'), false),
      inviteMembers: flag(own('on-network-invite-members'), false),
      codecs: this.#codecs(own('preferred-voice-encodings')),
      priority: priority === undefined ? 5 : numberOf(priority),
      maxParticipants: most === undefined ? null : numberOf(most),
    };
    children.done();
    return document;
  }

  #members(list: XmlElement): DocumentMember[] {
    noAttributes(list);
    const { listNamespace, groupInfoNamespace } = this.#names;
    const children = new Children(list);
    const entries = children.all(listNamespace, 'entry');
    children.done();
    return entries.map((entry) => {
      const inside = new Children(entry);
      const own = (name: GroupInfoName): XmlElement | undefined =>
        inside.one(groupInfoNamespace, name);
      const textOrNull = (found: XmlElement | undefined, attributes: string[] = []) =>
        found === undefined ? null : textOf(found, attributes);
      const priority = own('user-priority');
      const member: DocumentMember = {
        uri: onlyAttribute(entry, 'uri'),
        displayName: textOrNull(inside.one(listNamespace, 'display-name'), ['lang']),
        priority: priority === undefined ? null : numberOf(priority),
        mcvideoId: textOrNull(own('mcvideo-mcvideo-id')),
        mcdataId: textOrNull(own('mcdata-mcdata-id')),
      };
      inside.done();
      return member;
    });
  }

  /** The one rule that is kept: whoever is on the list may join. */
  #checkRuleset(ruleset: XmlElement | undefined): void {
    if (ruleset === undefined) return;
    const { policyNamespace, listNamespace, memberCondition, joinAction } = this.#names;
    const within = (element: XmlElement, name: string, namespace = policyNamespace): XmlElement => {
      const children = new Children(element);
      const child = children.required(namespace, name);
      children.done();
      return child;
    };
    const rules = new Children(within(ruleset, 'rule'));
    const condition = within(
      rules.required(policyNamespace, 'conditions'),
      memberCondition,
      listNamespace,
    );
    new Children(condition).done();
    const action = within(rules.required(policyNamespace, 'actions'), joinAction, listNamespace);
    if (!flag(action, false)) refuse('a rule by which members may not join is not kept here');
    const transformations = rules.one(policyNamespace, 'transformations');
    if (transformations !== undefined) new Children(transformations).done();
    rules.done();
  }

  #services(element: XmlElement | undefined): GroupService[] {
    if (element === undefined) return ['MCPTT'];
    const { extensionNamespace, groupInfoNamespace } = this.#names;
    const children = new Children(element);
    const listed = children.all(extensionNamespace, 'service').map((service) => {
      const enabler = onlyAttribute(service, 'enabler');
      const known = GROUP_SERVICES.find(
        (each) => serviceNames(each, this.#names).enabler === enabler,
      );
      if (known === undefined) return refuse(`the service ${enabler} is not kept here`);
      const inside = new Children(service);
      const media = inside.one(extensionNamespace, 'group-media');
      if (media !== undefined) {
        const kinds = new Children(media);
        kinds.one(groupInfoNamespace, serviceNames(known, this.#names).media);
        kinds.done();
      }
      inside.done();
      return known;
    });
    children.done();
    if (listed.length === 0) refuse('a group without any service');
    if (new Set(listed).size < listed.length) refuse('a service comes more than once');
    return GROUP_SERVICES.filter((each) => listed.includes(each));
  }

  #codecs(element: XmlElement | undefined): string[] {
    if (element === undefined) return [];
    const { groupInfoNamespace, encodingElement, encodingAttribute } = this.#names;
    const children = new Children(element);
    const codecs = children
      .all(groupInfoNamespace, encodingElement)
      .map((each) => onlyAttribute(each, encodingAttribute));
    children.done();
    return codecs;
  }
}

function noAttributes(element: XmlElement, allowed: readonly string[] = []): void {
  const extra = element.attributes.find(({ localName }) => !allowed.includes(localName));
  if (extra !== undefined) refuse(`${extra.localName} of ${element.localName} is not kept here`);
}

function onlyAttribute(element: XmlElement, name: string): string {
  noAttributes(element, [name]);
  const value = attribute(element, name);
  return value === undefined || value === ''
    ? refuse(`${element.localName} has no ${name}`)
    : value;
}

function textOf(element: XmlElement, attributes: readonly string[] = []): string {
  noAttributes(element, attributes);
  if (element.children.length > 0) refuse(`elements within ${element.localName}`);
  return element.text.trim();
}

/** An element that is there without a value means true. */
function flag(element: XmlElement | undefined, absent: boolean): boolean {
  if (element === undefined) return absent;
  const text = textOf(element);
  if (['', 'true', '1'].includes(text)) return true;
  if (['false', '0'].includes(text)) return false;
  return refuse(`${element.localName} is neither true nor false`);
}

function requireSame(element: XmlElement | undefined, expected: boolean): void {
  if (element !== undefined && flag(element, true) !== expected) {
    refuse(`${element.localName} that differs from that of MCPTT is not kept here`);
  }
}

function numberOf(element: XmlElement): number {
  const text = textOf(element);
  return /^\d{1,7}$/.test(text) ? Number(text) : refuse(`${element.localName} is no number`);
}
