/**
 * XML for every folder that reads it: one strict, bounded, namespace-aware reader and an escaper.
 * The reader takes no DOCTYPE, no entity beyond the five predefined ones and character references,
 * no comment unless a caller passes them over, and no processing instruction but the XML declaration; what it returns is plain data
 * whose values are strings. Every refusal is SEGY_E_XML.
 */
export { parseXml, parseXmlSequence, type XmlLimits, DEFAULT_XML_LIMITS } from './reader.js';
export {
  attribute,
  childElements,
  escapeXml,
  firstChild,
  type XmlAttribute,
  type XmlElement,
} from './element.js';
export { resolveReferences } from './scan.js';
export { NamespaceScope, XML_NAMESPACE, type NamespaceDeclarations } from './scope.js';
