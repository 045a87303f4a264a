/** One partner with an SPK, and messages to protect. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, utf8 } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import { SegyError } from '../../src/base/errors.js';
import { SpkSet, type OpeningKeys, type SealingKey, type Spk } from '../../src/protect/index.js';
import { makeMultipart, SipHeaders, type SipRequest } from '../../src/sip/index.js';

export const NOW = Date.UTC(2026, 5, 1, 12);
export const P0 = 'sip:gateway@mc-a.example';
export const RANDOM = systemRandom;

export function spk(change: Partial<Spk> & { hex?: string } = {}): Spk {
  const id = fromHex(change.hex ?? '30010203');
  return {
    id,
    keyName: Buffer.from(id).toString('base64'),
    key: new Uint8Array(16).map((_, i) => i),
    rand: new Uint8Array(16),
    csId: 6,
    validFrom: NOW - 1000,
    validTo: NOW + 1000,
    sendFrom: NOW - 1000,
    ...change,
  };
}

export const SPK = spk();
export const SEALING: SealingKey = { spk: SPK, p0: P0, random: RANDOM };

export function opening(...spks: Spk[]): OpeningKeys {
  return { spks: new SpkSet(spks.length === 0 ? [SPK] : spks), p0: P0, now: NOW };
}

const INFO = 'urn:3gpp:ns:mcpttInfo:1.0';

/** With odd white space, quotes and unknown elements that have to stay as they are. */
export const INFO_XML =
  `<?xml version="1.0" encoding="UTF-8"?>\r\n<mcpttinfo xmlns="${INFO}" xmlns:x='urn:x'>` +
  '<mcptt-Params>\r\n <session-type >private</session-type>' +
  '<mcptt-request-uri type="Normal"><mcpttURI>sip:radio1@lmr.example</mcpttURI></mcptt-request-uri>\t' +
  "<mcptt-calling-user-id  type='Normal'><mcpttURI>sip:alice@mc-a.example</mcpttURI></mcptt-calling-user-id>" +
  '<emergency-ind type="Normal"><mcpttBoolean>true</mcpttBoolean></emergency-ind>' +
  '<x:own a = "1" b=\'&lt;\'><![CDATA[ <raw> ]]> \u00e9</x:own>' +
  '<anyExt><mcptt-client-id type="Normal"><mcpttString>c1</mcpttString></mcptt-client-id></anyExt>' +
  '</mcptt-Params></mcpttinfo >\r\n';

export const LIST_XML =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>\n' +
  '<entry uri="sip:radio1@lmr.example" x="y"/></list></resource-lists>';

export interface TestPart {
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly id?: string;
}

export const SDP_PART: TestPart = { type: 'application/sdp', body: 'v=0\r\ns=-\r\n' };
export const INFO_PART: TestPart = {
  type: 'application/vnd.3gpp.mcptt-info+xml',
  body: INFO_XML,
};
export const LIST_PART: TestPart = { type: 'application/resource-lists+xml', body: LIST_XML };

/** A request with a body of these parts. */
export function message(...parts: TestPart[]): SipRequest {
  const outgoing = parts.map(({ type, body, id }) => {
    const headers = new SipHeaders([['Content-Type', type]]);
    if (id !== undefined) headers.set('Content-ID', `<${id}>`);
    return { headers, body: typeof body === 'string' ? utf8(body) : body };
  });
  const { contentType, body } = makeMultipart(outgoing, RANDOM);
  return {
    kind: 'request',
    method: 'INVITE',
    uri: 'sip:psi@segy.example',
    headers: new SipHeaders([
      ['From', `<${P0}>;tag=1`],
      ['Content-Type', contentType],
    ]),
    body,
  };
}

export function textOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString('utf8');
}

/** The code that `work` throws; fails when it throws none. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof SegyError ? error.code : String(error);
  }
  return 'nothing was refused';
}

/** Files in a folder of their own, removed after `work`. */
export function withFiles<T>(
  files: Readonly<Record<string, Uint8Array | string>>,
  work: (path: (name: string) => string) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), `protect-${randomBytes(4).toString('hex')}-`));
  const path = (name: string): string => join(folder, name);
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(path(name), content);
    return work(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
