import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SegyError } from '../../../src/base/errors.js';
import type { PartnerConfig } from '../../../src/config/index.js';
import type { CallDependencies } from '../../../src/edge/dependencies.js';
import { readReferTo, targetAtMc, targetAtPbx } from '../../../src/edge/calls/refer-to.js';
import { SipHeaders, type SipRequest } from '../../../src/sip/index.js';
import { FakeClients } from '../support/fakes.js';

const RADIO2 = 'sip:radio2@lmr.example';
const HOMED = 'sip:tg1@lmr.example';
const POLICE = 'sip:police@mc-a.example';
const PARTNER = {
  name: 'mc-a',
  domains: ['mc-a.example'],
  groups: [{ id: POLICE, pbx: 'police' }],
} as unknown as PartnerConfig;
const homed = { id: HOMED, pbx: 'tg1' };
const DEPS = {
  clients: new FakeClients(),
  homeGroups: {
    find: (id: string) => (id === HOMED ? homed : undefined),
    byPbxName: (name: string) => (name === 'tg1' ? homed : undefined),
    partnersOf: (id: string) => (id === HOMED ? ['mc-a'] : []),
  },
  settings: {
    pbx: { address: '127.0.0.1', port: 5070 },
    inner: { contacts: { udp: { host: '127.0.0.2', port: 5062 } } },
  },
} as unknown as CallDependencies;
const STRANGER = { ...PARTNER, name: 'mc-b', domains: ['mc-b.example'], groups: [] };

const referring = (value: string): SipRequest => ({
  kind: 'request',
  method: 'REFER',
  uri: 'sip:x@y',
  headers: new SipHeaders([['Refer-To', value]]),
  body: new Uint8Array(),
});
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof SegyError ? error.code : String(error);
  }
  return 'nothing was refused';
};

describe('edge/refer-to', () => {
  it('names users and groups to the PBX by the names they have there', () => {
    const at = (uri: string): string => targetAtPbx(uri, PARTNER, DEPS).uri;
    assert.equal(at(RADIO2), 'sip:2002@127.0.0.1:5070');
    assert.equal(at(POLICE), 'sip:police@127.0.0.1:5070');
    assert.equal(at(HOMED), 'sip:tg1@127.0.0.1:5070');
  });

  it('names no group of another partner, and none in which the partner has no member', () => {
    for (const uri of [POLICE, HOMED]) {
      assert.equal(
        codeOf(() => targetAtPbx(uri, STRANGER, DEPS)),
        'SEGY_E_REFER_TARGET',
      );
    }
  });

  it('names groups to the MC side by their MC group IDs', () => {
    const at = (uri: string): string => targetAtMc(uri, PARTNER, DEPS).mc;
    assert.equal(at('sip:police@127.0.0.2'), POLICE);
    assert.equal(at('sip:tg1@127.0.0.1:5070'), HOMED);
    assert.equal(at('sip:bob@MC-A.example'), 'sip:bob@mc-a.example');
    assert.equal(targetAtMc('sip:tg1@127.0.0.1', STRANGER, DEPS).mc, 'sip:tg1@mc-b.example');
  });

  it('reads the dialog that an attended transfer replaces', () => {
    const { uri, replaces } = readReferTo(
      referring('<sip:b@h?Replaces=a%40x%3Bto-tag%3D1%3Bfrom-tag%3D2>;x=y'),
    );
    assert.equal(uri, 'sip:b@h');
    assert.deepEqual(replaces, {
      callId: 'a@x',
      tags: ['1', '2'],
      text: 'a@x;to-tag=1;from-tag=2',
    });
  });

  it('gives the PBX nothing but a known name, whatever comes', () => {
    const pieces = fc.constantFrom(
      ...['<', '>', '"', ';', '?', '&', '=', '%0d%0a', '%', '@', ',', '\t', ' ', ':'],
      ...['sip:', 'tel:', 'cid:', RADIO2, POLICE, 'method=INVITE', 'Replaces=', 'body=', 'maddr=x'],
      ...['to-tag=1', '%3Bfrom-tag%3D2', '10.0.0.1', 'a'.repeat(3000), 'radio2', 'lmr.example'],
    );
    const known = new Set(['2001', '2002', 'police', 'tg1'].map((n) => `sip:${n}@127.0.0.1:5070`));
    const codes = new Set(['SEGY_E_REFER_TO', 'SEGY_E_REFER_TARGET', 'SEGY_E_BAD_IDENTITY']);
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (made) => {
        for (const text of [made.join(''), `<${RADIO2}${made.join('')}>`]) {
          try {
            const { uri } = readReferTo(referring(text));
            assert.ok(known.has(targetAtPbx(uri, PARTNER, DEPS).uri), text);
          } catch (error) {
            if (!(error instanceof SegyError)) throw error;
            assert.ok(codes.has(error.code), `${error.code}: ${text}`);
          }
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('gives the MC side nothing but an MC service ID, whatever the PBX dials', () => {
    const pieces = fc.constantFrom(
      ...['sip:', 'sips:', 'tel:', 'bob', '2002', '@', '127.0.0.2', '127.0.0.1', 'mc-a.example'],
      ...[';segy-domain=', ';segy-domain=mc-a.example', ';lr', '%40', '%0d%0a', ':', '[::1]', '+'],
    );
    const allowed = /^(sip:[A-Za-z0-9+._-]{1,64}@mc-a\.example|sip:(radio[12]|tg1)@lmr\.example)$/;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 7 }), (made) => {
        try {
          const { uri } = readReferTo(referring(`<${made.join('')}>`));
          assert.match(targetAtMc(uri, PARTNER, DEPS).uri, allowed);
        } catch (error) {
          if (!(error instanceof SegyError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
