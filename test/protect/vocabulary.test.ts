/** Every element and attribute that may be encrypted, and those that never are. */
import assert from 'node:assert/strict';
import { utf8 } from '../../src/base/bytes.js';
import { decryptDocument, encryptDocument } from '../../src/protect/index.js';
import { codeOf, opening, SEALING, textOf } from './support.js';

/** Elements of the `…-Params` of each service, and what is in them when they are clear. */
const ELEMENTS: readonly (readonly [string, 'URI' | 'String' | 'Boolean'])[] = [
  ['*-access-token', 'String'],
  ['*-request-uri', 'URI'],
  ['*-calling-user-id', 'URI'],
  ['*-called-party-id', 'URI'],
  ['*-calling-group-id', 'URI'],
  ['*-client-id', 'String'],
  ['required', 'Boolean'],
  ['emergency-ind', 'Boolean'],
  ['alert-ind', 'Boolean'],
  ['imminentperil-ind', 'Boolean'],
  ['originated-by', 'URI'],
];
const PLAIN = ['session-type', 'broadcast-ind', 'mc-org', 'floor-state', 'associated-group-id'];
const VALUES = { URI: 'sip:alice@mc-a.example', String: 'token-1', Boolean: 'true' };

const seal = (xml: string): string => textOf(encryptDocument(utf8(xml), SEALING));
const open = (xml: string): string => textOf(decryptDocument(utf8(xml), opening(), true));

const inInfo = (service: string, content: string): string =>
  `<${service}info xmlns="urn:3gpp:ns:${service}Info:1.0"><${service}-Params>${content}</${service}-Params></${service}info>`;

const ATTRIBUTES: readonly (readonly [string, string])[] = [
  [
    'uri of an entry',
    '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="*"/></list></resource-lists>',
  ],
  [
    'entity of conference-info',
    '<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="*"/>',
  ],
  [
    'entity of a user of a conference',
    '<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity=""><users><user entity="*"/></users></conference-info>',
  ],
  ['entity of a presence', '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="*"/>'],
];

describe('protect: vocabulary', () => {
  for (const service of ['mcptt', 'mcvideo', 'mcdata']) {
    for (const [name, kind] of ELEMENTS) {
      const element = name.replace('*', service);
      const value = `<${service}${kind}>${VALUES[kind]}</${service}${kind}>`;
      it(`encrypts ${element} of ${service}-info and decrypts it again`, () => {
        const clear = inInfo(service, `<${element} type="Normal">${value}</${element}>`);
        const sealed = seal(clear);
        assert.ok(!sealed.includes(VALUES[kind]));
        assert.match(sealed, new RegExp(`<${element} type="Encrypted"><EncryptedData `));
        assert.equal(open(sealed), clear);
      });

      it(`refuses a clear ${element} of ${service}-info where policy demands encryption`, () => {
        const clear = inInfo(service, `<${element}>${value}</${element}>`);
        assert.equal(
          codeOf(() => open(clear)),
          'SEGY_E_XML_CLEAR',
        );
      });
    }

    for (const element of PLAIN) {
      it(`leaves ${element} of ${service}-info clear, and takes it encrypted from nobody`, () => {
        const clear = inInfo(service, `<${element}>value</${element}>`);
        assert.equal(seal(clear), clear);
        assert.equal(open(clear), clear);
        const token = `${service}-request-uri`;
        const sealed = seal(inInfo(service, `<${token} type="Normal">sip:a@b</${token}>`));
        assert.equal(
          codeOf(() => open(sealed.replaceAll(token, element))),
          'SEGY_E_XML_PLACE',
        );
      });
    }
  }

  for (const [name, xml] of ATTRIBUTES) {
    it(`encrypts the ${name} and decrypts it again`, () => {
      const clear = xml.replace('*', 'sip:alice@mc-a.example');
      const sealed = seal(clear);
      assert.ok(!sealed.includes('alice'));
      assert.ok(sealed.includes('@mc1-encrypted.3gppnetwork.org'));
      const demanded = name !== 'entity of a user of a conference';
      assert.equal(
        demanded ? open(sealed) : textOf(decryptDocument(utf8(sealed), opening(), false)),
        clear,
      );
    });
  }
});
