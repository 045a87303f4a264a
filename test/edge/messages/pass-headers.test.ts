import assert from 'node:assert/strict';
import { hideHosts, rewriteReason, rewriteWarning } from '../../../src/edge/messages/hide-hosts.js';
import { passHeaders } from '../../../src/edge/messages/pass-headers.js';
import { SipHeaders, type SipRequest } from '../../../src/sip/index.js';

const NOTHING = { callId: () => undefined, dialog: () => undefined };

function passed(...entries: [string, string][]): [string, string][] {
  return passedWhere(false, entries);
}

function passedWhere(
  transfers: boolean,
  entries: [string, string][],
  referrer: string | null = null,
): [string, string][] {
  const request: SipRequest = {
    kind: 'request',
    method: 'INVITE',
    uri: 'sip:x@y',
    headers: new SipHeaders(entries),
    body: new Uint8Array(),
  };
  const to = new SipHeaders();
  passHeaders(request, to, { map: NOTHING, host: 'gw.example', transfers, referrer });
  return to.entries();
}

describe('edge/pass-headers', () => {
  it('passes session timers, reliability and option tags end to end', () => {
    const entries: [string, string][] = [
      ['Session-Expires', '1800;refresher=uac'],
      ['Min-SE', '90'],
      ['RSeq', '17'],
      ['RAck', '17 1 INVITE'],
      ['Require', '100rel'],
      ['Supported', 'timer, x-new'],
      ['Retry-After', '5'],
    ];
    assert.deepEqual(new Map(passed(...entries)), new Map(entries));
  });

  for (const name of ['Priority', 'Accept-Language', 'Info-Package', 'Answer-Mode']) {
    it(`keeps back a ${name} with more than tokens and their parameters`, () => {
      assert.deepEqual(passed([name, 'da;q=0.8']), [[name, 'da;q=0.8']]);
      const texts = ['${SHELL(id)}', 'a"b', "a'b", 'a&b', '<x>', 'a|b', '\u00e9', 'x'.repeat(257)];
      for (const text of texts) assert.deepEqual(passed([name, text]), [], text);
    });
  }

  for (const name of [
    'Via',
    'Contact',
    'Route',
    'Record-Route',
    'P-Asserted-Identity',
    'P-Preferred-Identity',
    'Remote-Party-ID',
    'Diversion',
    'History-Info',
    'Server',
    'User-Agent',
    'Call-Info',
    'Refer-To',
    'Organization',
    'Authorization',
    'Proxy-Authenticate',
    'X-SeGy-Session',
    'x-segy-caller',
    'X-Anything',
  ]) {
    it(`does not pass ${name}`, () => assert.deepEqual(passed([name, '<sip:a@10.0.0.1>']), []));
  }

  it('names in Allow only what the far side and the edge both do', () => {
    assert.deepEqual(passed(['Allow', 'INVITE, BYE, REFER, SUBSCRIBE']), [
      ['Allow', 'INVITE, BYE'],
    ]);
    assert.deepEqual(passedWhere(true, [['Allow', 'INVITE, BYE, REFER, PUBLISH']]), [
      ['Allow', 'INVITE, BYE, REFER'],
    ]);
  });

  it('keeps option tags of the hop to the hop', () => {
    assert.deepEqual(passed(['Supported', 'path, timer, gruu, histinfo']), [
      ['Supported', 'timer'],
    ]);
  });

  it('gives Warning and Referred-By our host', () => {
    assert.deepEqual(
      passed(
        [
          'Warning',
          '399 sbc3.core.mc-a.example:5060 "No route via 10.1.2.3 to core9.mc-a.example"',
        ],
        ['Referred-By', '<sip:bob@10.0.0.1>;cid="x@10.0.0.1"'],
      ),
      [
        ['Warning', '399 gw.example "No route via ... to ..."'],
        ['Referred-By', '<sip:bob@gw.example>'],
      ],
    );
  });

  it('names the gateway in Referred-By where users of the far side stay behind', () => {
    assert.deepEqual(
      passedWhere(false, [['Referred-By', '<sip:1002@10.0.0.1>']], 'sip:segy@gw.example'),
      [['Referred-By', '<sip:segy@gw.example>']],
    );
  });

  it('names no user at a host in a Reason, whatever the host is called', () => {
    const text = 'SIP;cause=480;text="sent by 1001@pbx to <sip:1002@trunk>"';
    assert.equal(rewriteReason(text), 'SIP;cause=480;text="sent by ... to ..."');
    assert.equal(rewriteReason('Q.850;cause=16'), 'Q.850;cause=16');
    assert.equal(rewriteReason('10.0.0.1;cause=16'), null);
    assert.equal(rewriteReason('pbx.internal;cause=16'), null);
  });

  it('does not pass a Replaces that names no dialog here', () => {
    assert.deepEqual(passed(['Replaces', 'x@10.0.0.1;to-tag=a;from-tag=b']), []);
  });
});

describe('edge/hide-hosts', () => {
  it('takes names and addresses out of free text', () => {
    assert.equal(
      hideHosts('at [2001:db8::1]:5060, fe80::1 and pbx.local:5060!'),
      'at ...:5060, ... and ...!',
    );
    assert.equal(hideHosts('busy here'), 'busy here');
  });

  it('keeps the number of a Warning and the cause of a Reason', () => {
    assert.equal(
      rewriteWarning('399 10.0.0.1 "143 not authorised"', 'gw'),
      '399 gw "143 not authorised"',
    );
    assert.equal(rewriteWarning('nonsense', 'gw'), null);
    assert.equal(
      rewriteReason('Q.850;cause=16;text="ended by 10.0.0.1"'),
      'Q.850;cause=16;text="ended by ..."',
    );
    assert.equal(rewriteReason('"x"'), null);
  });
});
