import assert from 'node:assert/strict';
import {
  branchOf,
  formatContentType,
  formatVia,
  paramText,
  parseContentType,
  parseCSeq,
  parseRSeq,
  parseValueWithParams,
  parseVia,
} from '../../src/sip/index.js';

const SYNTAX = { code: 'SEGY_E_SIP_SYNTAX' };

describe('sip/via', () => {
  it('may have blanks around slashes and the colon', () => {
    const via = parseVia('SIP / 2.0 / udp  first.example.com: 4000;ttl=16 ;branch=z9hG4bKa7;rport');
    assert.equal(via.transport, 'UDP');
    assert.equal(via.host, 'first.example.com');
    assert.equal(via.port, 4000);
    assert.equal(branchOf(via), 'z9hG4bKa7');
    assert.equal(
      formatVia(via),
      'SIP/2.0/UDP first.example.com:4000;ttl=16;branch=z9hG4bKa7;rport',
    );
  });
  it('may carry an IPv6 address in received, in brackets or without', () => {
    for (const received of ['[2001:db8::1]', '2001:db8::1']) {
      const via = parseVia(`SIP/2.0/TLS [2001:db8::9:255];branch=z9hG4bKx;received=${received}`);
      assert.equal(via.params.get('received'), '2001:db8::1');
      assert.equal(via.host, '2001:db8::9:255');
    }
  });
  for (const text of [
    '',
    'SIP/2.0/UDP',
    'SIP/1.0/UDP h',
    'SIP/2.0/UDP h;branch=a;branch=b',
    'SIP/2.0/U DP h',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseVia(text), SYNTAX));
  }
});

describe('sip/fields', () => {
  const good: [string, () => unknown, unknown][] = [
    ['CSeq', () => parseCSeq('0009  INVITE'), { number: 9, method: 'INVITE' }],
    ['RSeq', () => parseRSeq('4294967295'), 4294967295],
  ];
  for (const [name, read, expected] of good) {
    it(`reads ${name}`, () => assert.deepEqual(read(), expected));
  }

  const bad: [string, () => unknown][] = [
    ['a CSeq with three words', () => parseCSeq('1 INVITE x')],
    ['a negative CSeq', () => parseCSeq('-1 INVITE')],
    ['an RSeq of zero', () => parseRSeq('0')],
    ['an RSeq of 2^32', () => parseRSeq('4294967296')],
    ['a Content-Type with two slashes', () => parseContentType('a/b/c')],
    ['an open quote in a Content-Type', () => parseContentType('a/b;boundary="x')],
  ];
  for (const [name, read] of bad) it(`refuses ${name}`, () => assert.throws(read, SYNTAX));

  it('writes back what it read', () => {
    const type = 'multipart/mixed;boundary="a;b"';
    assert.equal(formatContentType(parseContentType(type)), type);
  });

  it('reads Replaces, Reason and Accept-Contact as a value with parameters', () => {
    const replaces = parseValueWithParams('c@h ; to-tag=1;from-tag=2;early-only');
    assert.equal(replaces.value, 'c@h');
    assert.equal(replaces.params.get('from-tag'), '2');
    const reason = parseValueWithParams('SIP ;cause=200 ;text="Call completed elsewhere"');
    assert.equal(paramText(reason.params, 'text'), 'Call completed elsewhere');
    const accept = parseValueWithParams('*;+g.3gpp.mcptt;require;explicit');
    assert.deepEqual([...accept.params.keys()], ['+g.3gpp.mcptt', 'require', 'explicit']);
  });
});
