import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8 } from '../../../src/base/bytes.js';
import { SegyError } from '../../../src/base/errors.js';
import {
  readMcpttInfo,
  readSingleEntry,
  writePrivateCallInfo,
} from '../../../src/edge/messages/mcptt-info.js';

const info = (params: string): Uint8Array =>
  utf8(
    `<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>${params}</mcptt-Params></mcpttinfo>`,
  );
const lists = (content: string): Uint8Array =>
  utf8(`<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">${content}</resource-lists>`);

describe('edge/mcptt-info', () => {
  it('reads back what it writes', () => {
    assert.deepEqual(
      readMcpttInfo(utf8(writePrivateCallInfo('sip:bob@mc-a.example', 'sip:radio1@lmr.example'))),
      {
        sessionType: 'private',
        requestUri: 'sip:bob@mc-a.example',
        callingUserId: 'sip:radio1@lmr.example',
        callingGroupId: null,
        level: 'normal',
      },
    );
  });

  it('takes a bare URI and passes over unknown elements and anyExt', () => {
    const read = readMcpttInfo(
      info(
        '<session-type>private</session-type><anyExt><x xmlns="urn:other"/></anyExt>' +
          '<mcptt-calling-user-id>sip:a@b</mcptt-calling-user-id><new-thing>1</new-thing>',
      ),
    );
    assert.deepEqual(read, {
      sessionType: 'private',
      requestUri: null,
      callingUserId: 'sip:a@b',
      callingGroupId: null,
      level: 'normal',
    });
  });

  it('refuses two calling users, which two readers could take differently', () => {
    const one = '<mcptt-calling-user-id><mcpttURI>sip:a@b</mcpttURI></mcptt-calling-user-id>';
    assert.throws(() => readMcpttInfo(info(one + one)), { code: 'SEGY_E_XML' });
    const two =
      '<mcptt-request-uri><mcpttURI>sip:a@b</mcpttURI><mcpttURI>sip:c@d</mcpttURI></mcptt-request-uri>';
    assert.throws(() => readMcpttInfo(info(two)), { code: 'SEGY_E_XML' });
  });

  it('refuses an encrypted element, for which no signalling key is held', () => {
    const encrypted =
      '<mcptt-request-uri type="Encrypted"><EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"/></mcptt-request-uri>';
    assert.throws(() => readMcpttInfo(info(encrypted)), { code: 'SEGY_E_XML_PROTECTED' });
  });

  it('refuses another document, another namespace and a DOCTYPE', () => {
    for (const text of [
      '<other/>',
      '<mcpttinfo><mcptt-Params/></mcpttinfo>',
      '<!DOCTYPE mcpttinfo [<!ENTITY x "y">]><mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"/>',
    ]) {
      assert.throws(() => readMcpttInfo(utf8(text)), { code: 'SEGY_E_XML' });
    }
  });

  it('takes the called user from a list of exactly one entry', () => {
    assert.equal(readSingleEntry(lists('<list><entry uri="sip:a@b"/></list>')), 'sip:a@b');
    assert.equal(readSingleEntry(lists('<list/>')), null);
    const two = '<list><entry uri="sip:a@b"/></list><list><entry uri="sip:c@d"/></list>';
    assert.equal(readSingleEntry(lists(two)), null);
  });

  it('ends every damaged document in a SegyError', () => {
    const whole = writePrivateCallInfo('sip:bob@mc-a.example', 'sip:radio1@lmr.example');
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(20), fc.string({ maxLength: 6 }), (at, cut, put) => {
        try {
          readMcpttInfo(utf8(whole.slice(0, at) + put + whole.slice(at + cut)));
        } catch (error) {
          assert.ok(error instanceof SegyError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
