/**
 * What of XML may be encrypted (TS 24.379 clause 4.8, 24.281 and 24.282 clause 4.6): elements of the
 * three info documents, and URI attributes of documents whose schema lets no element stand there.
 */

export const XMLENC = 'http://www.w3.org/2001/04/xmlenc#';
export const ENCRYPTED_HOST = 'mc1-encrypted.3gppnetwork.org';

/** An info document: its Params element holds elements whose content may be encrypted. */
export interface InfoVocabulary {
  readonly root: string;
  readonly params: string;
  readonly elements: ReadonlySet<string>;
  /** what such an element holds when it is clear */
  readonly contents: ReadonlySet<string>;
}

function info(service: 'mcptt' | 'mcvideo' | 'mcdata'): InfoVocabulary {
  const own = ['access-token', 'request-uri', 'calling-user-id', 'called-party-id'];
  const named = [...own, 'calling-group-id', 'client-id'].map((name) => `${service}-${name}`);
  return {
    root: `${service}info`,
    params: `${service}-Params`,
    elements: new Set([
      ...named,
      'required',
      'emergency-ind',
      'alert-ind',
      'imminentperil-ind',
      'originated-by',
    ]),
    contents: new Set(['URI', 'String', 'Boolean'].map((kind) => `${service}${kind}`)),
  };
}

/** By namespace of the root element. */
export const INFO_DOCUMENTS: ReadonlyMap<string, InfoVocabulary> = new Map([
  ['urn:3gpp:ns:mcpttInfo:1.0', info('mcptt')],
  ['urn:3gpp:ns:mcvideoInfo:1.0', info('mcvideo')],
  ['urn:3gpp:ns:mcdataInfo:1.0', info('mcdata')],
]);

/** By namespace of the element: which attribute without prefix holds an MC identity. */
export const URI_ATTRIBUTES: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['urn:ietf:params:xml:ns:resource-lists', new Map([['entry', 'uri']])],
  [
    'urn:ietf:params:xml:ns:conference-info',
    new Map([
      ['conference-info', 'entity'],
      ['user', 'entity'],
    ]),
  ],
  ['urn:ietf:params:xml:ns:pidf', new Map([['presence', 'entity']])],
]);

export type Service = 'mcptt' | 'mcvideo' | 'mcdata';

/** Media type and root namespace of the part that holds the signatures, by service. */
export const SIGNED_DOCUMENTS: Readonly<Record<Service, { type: string; namespace: string }>> = {
  mcptt: {
    type: 'application/vnd.3gpp.mcptt-signed+xml',
    namespace: 'urn:3gpp:ns:mcpttSignedDoc:1.0',
  },
  mcvideo: {
    type: 'application/vnd.3gpp.mcvideo-signed+xml',
    namespace: 'urn:3gpp:ns:mcvideoSignedDoc:1.0',
  },
  mcdata: {
    type: 'application/vnd.3gpp.mcdata-signed+xml',
    namespace: 'urn:3gpp:ns:mcdataSignedDoc:1.0',
  },
};

export const EAR_TYPE = 'application/vnd.3gpp.mc-signalling-ear';
/** Signed by an X.509 certificate of its own (TS 33.180 D.4), so outside this protection. */
const OWN_SIGNATURE = 'application/vnd.3gpp.kmsredirectresponse+xml';

/** The service whose signatures a media type holds; null for any other type. */
export function signedServiceOf(type: string): Service | null {
  for (const service of ['mcptt', 'mcvideo', 'mcdata'] as const) {
    if (SIGNED_DOCUMENTS[service].type === type) return service;
  }
  return null;
}

/** Whether bodies of this media type are XML that policy asks to be signed and encrypted. */
export function isProtectedXml(type: string): boolean {
  const isXml = type.endsWith('+xml') || type === 'application/xml' || type === 'text/xml';
  return isXml && type !== OWN_SIGNATURE && signedServiceOf(type) === null;
}

/** The service whose `signatures` document covers bodies of these types. */
export function serviceOf(types: readonly string[]): Service {
  if (types.some((type) => type.includes('.mcdata-'))) return 'mcdata';
  return types.some((type) => type.includes('.mcvideo-')) ? 'mcvideo' : 'mcptt';
}
