/** What the strict reader returns, and small questions asked of it. */

export interface XmlAttribute {
  /** namespace name; empty for an attribute without a prefix */
  readonly namespace: string;
  readonly localName: string;
  readonly value: string;
}

export interface XmlElement {
  /** namespace name; empty where none is in scope */
  readonly namespace: string;
  readonly localName: string;
  /** namespace declarations are not among them */
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** character data directly inside the element, in order, entities resolved, not trimmed */
  readonly text: string;
}

/** Value of an attribute; without `namespace`, of the one that has no prefix. */
export function attribute(
  element: XmlElement,
  localName: string,
  namespace = '',
): string | undefined {
  return element.attributes.find(
    (candidate) => candidate.localName === localName && candidate.namespace === namespace,
  )?.value;
}

/** Children of that local name, in order; any namespace unless one is given. */
export function childElements(
  element: XmlElement,
  localName: string,
  namespace?: string,
): readonly XmlElement[] {
  return element.children.filter(
    (child) =>
      child.localName === localName && (namespace === undefined || child.namespace === namespace),
  );
}

/** The first child of that local name. */
export function firstChild(
  element: XmlElement,
  localName: string,
  namespace?: string,
): XmlElement | undefined {
  return childElements(element, localName, namespace)[0];
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** `text` fit for character data and for attribute values in either quotes. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}
