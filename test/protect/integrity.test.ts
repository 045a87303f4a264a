import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8 } from '../../src/base/bytes.js';
import { signallingKey } from '../../src/crypto/index.js';
import { openMessage, sealMessage, signBodies, verifyBodies } from '../../src/protect/index.js';
import type { OpeningKeys } from '../../src/protect/index.js';
import { leafParts, parseBody, type SipRequest } from '../../src/sip/index.js';
import { needTool, runTool } from '../xmldsig/support.js';
import {
  codeOf,
  INFO_PART,
  LIST_PART,
  message,
  NOW,
  opening,
  P0,
  RANDOM,
  SDP_PART,
  SEALING,
  SPK,
  spk,
  textOf,
  withFiles,
  type TestPart,
} from './support.js';
import { SEED } from '../support/seed.js';

const SIGNED = 'application/vnd.3gpp.mcptt-signed+xml';
const ALL = { confidentiality: true, integrity: true };

const BODIES = [
  { contentId: 'info@mc-a.example', octets: utf8('<a>1</a>\r\n') },
  { contentId: 'list@mc-a.example', octets: utf8('<b>\n</b>') },
];
const LAYOUTS = 1000;
/** documents that one process of xmlsec1 signs */
const BATCH = 100;
const DOCUMENT = textOf(signBodies(BODIES, 'mcptt', SPK, P0));

const verify = (document: string, keys: OpeningKeys = opening(), bodies = BODIES): string[] => [
  ...verifyBodies(utf8(document), 'mcptt', bodies, keys),
];

/** A sealed INVITE with SDP, info and list, as its parts. */
function sealedParts(): TestPart[] {
  const sealed = message(SDP_PART, INFO_PART, LIST_PART);
  sealMessage(sealed, SEALING, { ...ALL, host: 'mc-a.example', random: RANDOM });
  return partsOf(sealed);
}

function partsOf(sealed: SipRequest): TestPart[] {
  const body = parseBody(sealed.headers.get('Content-Type') ?? '', sealed.body);
  return leafParts(body).map((part) => ({
    type: part.contentType.type,
    body: part.body,
    id: part.headers.get('Content-ID')?.slice(1, -1) ?? '',
  }));
}

const open = (...parts: TestPart[]): string => {
  const came = message(...parts);
  openMessage(came, opening(), ALL, RANDOM);
  return textOf(came.body);
};

describe('protect: XML integrity', () => {
  it('signs several bodies in one signatures document and verifies each', () => {
    assert.deepEqual(verify(DOCUMENT), ['info@mc-a.example', 'list@mc-a.example']);
    assert.match(DOCUMENT, /^<signatures xmlns="urn:3gpp:ns:mcpttSignedDoc:1\.0">/);
    assert.equal(DOCUMENT.match(/<KeyName>MAECAw==<\/KeyName>/g)?.length, 2);
  });

  it('verifies without KeyInfo under either SPK while two overlap', () => {
    const next = spk({ hex: '30010204', key: new Uint8Array(16).fill(7) });
    const unnamed = DOCUMENT.replace(/<KeyInfo>.*?<\/KeyInfo>/g, '');
    assert.equal(verify(unnamed, opening(next, SPK)).length, 2);
  });

  const one = /<Signature .*?<\/Signature>/.exec(DOCUMENT)?.[0] ?? '';
  const reference = /<Reference.*?<\/Reference>/.exec(DOCUMENT)?.[0] ?? '';
  const attacks: [string, string][] = [
    ['no Signature', DOCUMENT.replace(/<Signature .*<\/Signature>/, '')],
    ['one body signed twice', DOCUMENT.replace(one, one + one)],
    ['a second Reference', DOCUMENT.replace(reference, reference + reference)],
    ['a second SignedInfo', DOCUMENT.replace('</SignedInfo>', '</SignedInfo><SignedInfo/>')],
    ['an Object in the Signature', DOCUMENT.replace('</Signature>', '<Object/></Signature>')],
    ['a Signature in a wrapper', DOCUMENT.replace(one, `<wrap>${one}</wrap>`)],
    [
      'a Transform',
      DOCUMENT.replace(
        '<DigestMethod',
        '<Transforms><Transform Algorithm="x"/></Transforms><DigestMethod',
      ),
    ],
    [
      'a truncated HMAC',
      DOCUMENT.replace(
        /<SignatureMethod ([^>]*)\/>/,
        '<SignatureMethod $1><HMACOutputLength>8</HMACOutputLength></SignatureMethod>',
      ),
    ],
    [
      'HMAC-SHA1',
      DOCUMENT.replace('2001/04/xmldsig-more#hmac-sha256', '2000/09/xmldsig#hmac-sha1'),
    ],
    ['another digest', DOCUMENT.replace('xmlenc#sha256', 'xmlenc#sha512')],
    [
      'another canonicalisation',
      DOCUMENT.replace(
        'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
        'http://www.w3.org/2001/10/xml-exc-c14n#',
      ),
    ],
    ['a reference to nothing here', DOCUMENT.replace('cid:info', 'cid:other')],
    ['an empty reference', DOCUMENT.replace(/URI="cid:info[^"]*"/, 'URI=""')],
    [
      'its references exchanged',
      DOCUMENT.replace('cid:info', 'cid:X')
        .replace('cid:list', 'cid:info')
        .replace('cid:X', 'cid:list'),
    ],
    ['a short SignatureValue', DOCUMENT.replace(/<SignatureValue>[^<]*/, '<SignatureValue>AAAA')],
    ['an empty SignatureValue', DOCUMENT.replace(/<SignatureValue>[^<]*/, '<SignatureValue>')],
    ['a Signature of another namespace', DOCUMENT.replace('2000/09/xmldsig#', '2000/09/xmldsig')],
    ['the root of another service', DOCUMENT.replace('mcpttSignedDoc', 'mcdataSignedDoc')],
    ['a key in KeyInfo', DOCUMENT.replace('<KeyName>', '<KeyValue/><KeyName>')],
  ];
  for (const [name, xml] of attacks) {
    it(`refuses a signatures document with ${name}`, () => {
      assert.notEqual(xml, DOCUMENT);
      assert.equal(
        codeOf(() => verify(xml)),
        'SEGY_E_XML_SIGNATURE',
      );
    });
  }

  it('refuses another key, another identity and other octets', () => {
    const key = opening(spk({ key: new Uint8Array(16).fill(1) }));
    assert.equal(
      codeOf(() => verify(DOCUMENT, key)),
      'SEGY_E_XML_SIGNATURE',
    );
    const other = { ...opening(), p0: 'sip:m@x.example' };
    assert.equal(
      codeOf(() => verify(DOCUMENT, other)),
      'SEGY_E_XML_SIGNATURE',
    );
    const changed = [{ ...BODIES[0]!, octets: utf8('<a>1</a>\n') }, BODIES[1]!];
    assert.equal(
      codeOf(() => verify(DOCUMENT, opening(), changed)),
      'SEGY_E_XML_SIGNATURE',
    );
  });

  it('tells an unknown SPK and one outside its validity by codes of their own', () => {
    const unknown = opening(spk({ hex: '30ffffff' }));
    assert.equal(
      codeOf(() => verify(DOCUMENT, unknown)),
      'SEGY_E_SPK_UNKNOWN',
    );
    const over = opening(spk({ validTo: NOW }));
    assert.equal(
      codeOf(() => verify(DOCUMENT, over)),
      'SEGY_E_SPK_VALIDITY',
    );
  });

  it('is verified by xmlsec1, each Signature, with the derived key', function () {
    needTool(this, 'xmlsec1');
    const key = signallingKey('integrity', SPK.key, P0, SPK.id);
    withFiles({ key, doc: DOCUMENT, a: BODIES[0]!.octets, b: BODIES[1]!.octets }, (path) => {
      const maps = ['a', 'b'].flatMap((name, i) => [
        `--url-map:cid:${BODIES[i]!.contentId}`,
        path(name),
      ]);
      for (const index of [1, 2]) {
        const args = [
          '--verify',
          `--hmackey:${SPK.keyName}`,
          path('key'),
          ...maps,
          '--node-xpath',
          `(//*[local-name()='Signature'])[${index}]`,
          path('doc'),
        ];
        runTool('xmlsec1', args);
      }
    });
  });

  it(`verifies what xmlsec1 signs over ${LAYOUTS} layouts of namespaces that its ancestors declare`, function () {
    needTool(this, 'xmlsec1');
    this.timeout(120_000);
    const laidOut = layouts();
    for (let first = 0; first < laidOut.length; first += BATCH) {
      let documents = laidOut.slice(first, first + BATCH);
      for (const at of [1, 2]) documents = signedByXmlsec(documents, at);
      for (const [index, document] of documents.entries()) {
        assert.equal(verify(document).length, 2, `seed ${SEED}, layout ${first + index}`);
      }
    }
  });
});

/** Templates without values, with three prefixes declared at random on the way to each SignedInfo. */
function layouts(): string[] {
  const prefix = fc.constantFrom('a', 'b', 'c');
  const declared = fc
    .uniqueArray(fc.tuple(prefix, fc.constantFrom('urn:1', 'urn:2', 'urn:3')), {
      selector: ([p]) => p,
      maxLength: 3,
    })
    .map((pairs) => pairs.map(([p, u]) => ` xmlns:${p}="${u}"`).join(''));
  const template = DOCUMENT.replace(/<SignatureValue>[^<]*/g, '<SignatureValue>');
  const made = fc.tuple(declared, declared, declared, fc.constantFrom('', ' \n '));
  return fc.sample(made, LAYOUTS).map(([root, first, second, space]) => {
    let index = 0;
    return template
      .replace('<signatures', `<signatures${root}`)
      .replace(/<Signature /g, () => `${space}<Signature${index++ === 0 ? first : second} `);
  });
}

/** The documents with the signature at `at` filled in, all by one process. */
function signedByXmlsec(documents: readonly string[], at: number): string[] {
  const key = signallingKey('integrity', SPK.key, P0, SPK.id);
  const files = Object.fromEntries(documents.map((document, index) => [`d${index}`, document]));
  const [a, b] = BODIES.map(({ octets }) => octets);
  const written = withFiles({ ...files, key, a: a!, b: b! }, (path) => {
    const maps = ['a', 'b'].flatMap((name, index) => [
      `--url-map:cid:${BODIES[index]!.contentId}`,
      path(name),
    ]);
    const which = ['--node-xpath', `(//*[local-name()='Signature'])[${at}]`];
    const secret = [`--hmackey:${SPK.keyName}`, path('key')];
    return runTool('xmlsec1', [
      '--sign',
      ...secret,
      ...maps,
      ...which,
      ...Object.keys(files).map(path),
    ]);
  });
  // it writes one document behind the other
  const signed = written.split(/(?=<\?xml )/).filter((text) => text.trim() !== '');
  assert.equal(signed.length, documents.length);
  return signed;
}

describe('protect: signed message', () => {
  const parts = sealedParts();
  const [sdp, info, list, signed] = parts as [TestPart, TestPart, TestPart, TestPart];

  it('opens to the clear bodies, SDP first, with no trace of the protection', () => {
    const clear = open(...parts);
    assert.match(clear, /sip:radio1@lmr\.example/);
    assert.doesNotMatch(clear, /EncryptedData|signatures|mc1-encrypted|signed\+xml/);
    assert.ok(clear.indexOf('application/sdp') < clear.indexOf('mcptt-info'));
  });

  it('signs what was encrypted, not what was clear', () => {
    assert.match(textOf(info.body as Uint8Array), /EncryptedData/);
    assert.equal(signed.type, SIGNED);
  });

  it('leaves a message without XML as it was, octet for octet', () => {
    const plain = message(SDP_PART);
    const before = plain.body;
    sealMessage(plain, SEALING, { ...ALL, host: 'x', random: RANDOM });
    assert.equal(plain.body, before);
    openMessage(plain, opening(), ALL, RANDOM);
    assert.equal(plain.body, before);
  });

  const other: TestPart = {
    ...info,
    body: textOf(info.body as Uint8Array).replace('private', 'chat'),
  };
  const attacks: [string, TestPart[], string][] = [
    ['without its signature part', [sdp, info, list], 'SEGY_E_XML_UNSIGNED'],
    [
      'with an XML body that no Signature names',
      [sdp, info, list, INFO_PART, signed],
      'SEGY_E_XML_UNSIGNED',
    ],
    [
      'with an unsigned body of another type',
      [sdp, info, list, { type: 'application/pidf+xml', body: '<x/>' }, signed],
      'SEGY_E_XML_UNSIGNED',
    ],
    [
      'with a changed body under the signed Content-ID',
      [sdp, other, list, signed],
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'with a changed body before the signed one',
      [sdp, other, info, list, signed],
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'with a changed body behind the signed one',
      [sdp, info, list, other, signed],
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'with the signed body renamed and a new one in its place',
      [sdp, other, { ...info, id: 'moved@x' }, list, signed],
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'with the bodies under each other\u2019s Content-ID',
      [sdp, { ...info, id: list.id! }, { ...list, id: info.id! }, signed],
      'SEGY_E_XML_SIGNATURE',
    ],
    ['with the signed body left out', [sdp, info, signed], 'SEGY_E_XML_SIGNATURE'],
    ['with two signature parts', [sdp, info, list, signed, signed], 'SEGY_E_XML_SIGNATURE'],
    [
      'with the signature part of another message',
      [sdp, info, list, sealedParts()[3]!],
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'with its Content-ID taken away',
      [sdp, { type: info.type, body: info.body }, list, signed],
      'SEGY_E_XML_SIGNATURE',
    ],
  ];
  for (const [name, attacked, code] of attacks) {
    it(`is refused ${name}`, () => {
      assert.equal(
        codeOf(() => open(...attacked)),
        code,
      );
    });
  }

  it('is refused with a signed body moved into a nested multipart', () => {
    const inner = message(info, list);
    const nested: TestPart = { type: inner.headers.get('Content-Type')!, body: inner.body };
    assert.equal(
      codeOf(() => open(sdp, nested, signed)),
      'SEGY_E_XML_SIGNATURE',
    );
  });

  it('stays as it was when it is refused', () => {
    const came = message(sdp, other, list, signed);
    const before = came.body;
    assert.throws(() => openMessage(came, opening(), ALL, RANDOM));
    assert.equal(came.body, before);
  });
});
