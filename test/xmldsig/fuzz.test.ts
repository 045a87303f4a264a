import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SegyError } from '../../src/base/errors.js';
import { readRedirect, writeRedirect } from '../../src/kms/index.js';
import { signXml, verifySignedXml } from '../../src/xmldsig/index.js';
import { HMAC_KEY, HMAC_SIGNER } from './support.js';

const KEYS = { hmac: new Map([['ink.1', HMAC_KEY]]) };
const DOCUMENT = '<S xmlns="urn:k" Id="s1"><C a="1">text</C></S>';
const SIGNED = signXml(DOCUMENT, HMAC_SIGNER);
/** Pieces of markup that a wrapping attack is made of. */
const PIECES = [
  '<S xmlns="urn:k" Id="s1">',
  '</S>',
  '<C a="2">evil</C>',
  /<ds:SignedInfo>.*<\/ds:SignedInfo>/.exec(SIGNED)![0],
  /<ds:Signature .*<\/ds:Signature>/.exec(SIGNED)![0],
  '<ds:Object>',
  '</ds:Object>',
  ' Id="s1"',
  '&#x20;',
  '<![CDATA[x]]>',
];

const edited = fc
  .array(
    fc.record({
      at: fc.nat(SIGNED.length),
      remove: fc.nat(30),
      insert: fc.oneof(fc.constantFrom('', ...PIECES), fc.string({ maxLength: 8 })),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((edits) =>
    edits.reduce(
      (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
      SIGNED,
    ),
  );

describe('a signed document that was edited', () => {
  it('gives what was signed, or a refusal', () => {
    fc.assert(
      fc.property(edited, (xml) => {
        try {
          assert.equal(verifySignedXml(xml, KEYS).xml, DOCUMENT);
        } catch (error) {
          assert.ok(error instanceof SegyError, String(error));
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('and a KMS Redirect Response never break their reader', () => {
    const names = { purpose: 'P', 'purpose.responder-kms-wrong': 'w', time: 'T' };
    const fields = { purpose: 'responder-kms-wrong', time: new Date(0) } as const;
    const whole = writeRedirect(
      { ...fields, userUri: null, refusedKmsUri: null, kmsUri: null },
      names,
    )!;
    fc.assert(
      fc.property(
        fc.nat(whole.length),
        fc.nat(20),
        fc.string({ maxLength: 12 }),
        (at, cut, put) => {
          try {
            readRedirect(whole.slice(0, at) + put + whole.slice(at + cut), names);
          } catch (error) {
            assert.ok(error instanceof SegyError, String(error));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
