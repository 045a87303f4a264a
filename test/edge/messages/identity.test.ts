import assert from 'node:assert/strict';
import {
  hostInDomains,
  readMcIdentity,
  requireSafeText,
  requireSafeUser,
} from '../../../src/edge/messages/identity.js';

const BAD = { code: 'SEGY_E_BAD_IDENTITY' };

describe('edge/identity', () => {
  it('takes an MC service ID apart and keeps its octets', () => {
    assert.deepEqual(readMcIdentity('sip:Alice.1@MC-A.example', 'the callee'), {
      uri: 'sip:Alice.1@MC-A.example',
      user: 'Alice.1',
      host: 'mc-a.example',
    });
    assert.deepEqual(readMcIdentity('tel:+49123', 'the callee'), {
      uri: 'tel:+49123',
      user: '+49123',
      host: null,
    });
  });

  for (const attack of [
    'sip:1&PJSIP%2Fx@mc-a.example',
    'sip:1&PJSIP/x@mc-a.example',
    'sip:1,2@mc-a.example',
    'sip:${SHELL(id)}@mc-a.example',
    'sip:alice%40evil@mc-a.example',
    'sip:%61lice@mc-a.example',
    'sip:alice:secret@mc-a.example',
    'sip:alice@mc-a.example;user=phone',
    'sip:alice@mc-a.example?Replaces=x',
    'sip:alice\r\nX-SeGy-Session: 1@mc-a.example',
    'sip:älice@mc-a.example',
    'sip:mc-a.example',
    'http://alice@mc-a.example',
    `sip:${'a'.repeat(65)}@mc-a.example`,
    '',
  ]) {
    it(`refuses ${JSON.stringify(attack)} towards the PBX`, () => {
      assert.throws(() => readMcIdentity(attack, 'the callee'), BAD);
    });
  }

  it('looks at a user part only after undoing its escapes', () => {
    assert.equal(requireSafeUser('%61lice', 'x'), 'alice');
    assert.throws(() => requireSafeUser('1%26PJSIP%2Fx', 'x'), BAD);
    assert.throws(() => requireSafeUser('%ff', 'x'), BAD);
    assert.throws(() => requireSafeUser('', 'x'), BAD);
  });

  it('lets exactly the documented set through as a header or variable', () => {
    for (let code = 0; code < 256; code += 1) {
      const text = String.fromCharCode(code);
      const allowed = /^[A-Za-z0-9+._@:-]$/.test(text);
      if (allowed) assert.equal(requireSafeText(text, 'x'), text);
      else assert.throws(() => requireSafeText(text, 'x'), BAD);
    }
  });

  it('does not take a domain below a partner domain for the partner', () => {
    assert.equal(hostInDomains('MC-A.example', ['mc-a.example']), true);
    assert.equal(hostInDomains('evil.mc-a.example', ['mc-a.example']), false);
    assert.equal(hostInDomains(null, ['mc-a.example']), false);
  });
});
