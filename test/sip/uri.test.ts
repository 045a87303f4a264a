import assert from 'node:assert/strict';
import {
  formatHostPort,
  formatNameAddr,
  normaliseHost,
  parseHostPort,
  parseNameAddr,
  parseSipUri,
  tagOf,
  userText,
} from '../../src/sip/index.js';
import type { SipUri } from '../../src/sip/index.js';

const SYNTAX = { code: 'SEGY_E_SIP_SYNTAX' };

/** The parts put together again. */
function written(uri: SipUri): string {
  const host = uri.scheme === 'tel' ? '' : formatHostPort(uri);
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const at = uri.scheme === 'tel' || uri.user === undefined ? '' : '@';
  const params = [...uri.params].map(
    ([name, value]) => `;${name}${value === null ? '' : `=${value}`}`,
  );
  const headers = uri.headers.map(([name, value]) => `${name}=${value}`).join('&');
  const query = headers === '' ? '' : `?${headers}`;
  return `${uri.scheme}:${uri.user ?? ''}${password}${at}${host}${params.join('')}${query}`;
}

describe('sip/uri', () => {
  for (const text of [
    'sip:a.example',
    'sip:bob@b.example:5070;transport=tcp;lr',
    'sips:bob:secret@b.example?Subject=x&Priority=urgent',
    'sip:[2001:db8::9:1]:5070',
    'sip:bob@[::1]',
    'sip:sips%3Auser%40example.com@example.net',
    'sip:user;par=u%40example.net@example.com',
    'sip:+1-212-555-1212:1234@gateway.example;user=phone',
    'sip:1&PJSIP%2Fx@b.example',
    'sip:a@192.0.2.1;maddr=[2001:db8::1]',
    'sip:mcptt-cntrl-private@segy.gw.example.net',
    'tel:+1-201-555-0123',
    'tel:7042;phone-context=example.com',
  ]) {
    it(`keeps ${text}`, () => assert.equal(written(parseSipUri(text)), text));
  }

  for (const text of [
    '',
    'sip:',
    'sip:@b.example',
    'sip:bob@',
    'sip:bob@b.example:0',
    'sip:bob@b.example:65536',
    'sip:bob@b.example:x',
    'sip:bob@[::1',
    'sip:bob@[fe80::1%eth0]',
    'sip:bob@::1',
    'sip:bob@300.1.1.1',
    'sip:bob@b_ example',
    'sip:b ob@b.example',
    'sip:bob%4@b.example',
    'sip:bob%GG@b.example',
    'sip:b<b@b.example',
    'sip:bob@b.example;lr;LR',
    'sip:bob@b.example;;lr',
    'sip:bob@b.example?Subject',
    'sip:a@b@c',
    'http://b.example',
    'tel:',
    'tel:+',
    'tel:bob',
    'sip:Zoë@b.example',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseSipUri(text), SYNTAX));
  }

  it('gives the parts of an IPv6 URI', () => {
    const uri = parseSipUri('SIP:Bob@[2001:DB8::1]:5061;Transport=TLS');
    assert.equal(uri.scheme, 'sip');
    assert.equal(uri.user, 'Bob');
    assert.equal(uri.host, '2001:DB8::1');
    assert.equal(uri.port, 5061);
    assert.equal(uri.params.get('transport'), 'TLS');
  });

  it('unescapes the user part', () => {
    assert.equal(userText(parseSipUri('sip:1&PJSIP%2Fx@b')), '1&PJSIP/x');
    assert.equal(userText(parseSipUri('sip:b')), undefined);
    assert.throws(() => userText(parseSipUri('sip:a%FF@b')), SYNTAX);
  });
});

describe('sip/host', () => {
  it('reads ports with blanks around the colon', () => {
    assert.deepEqual(parseHostPort('h : 5060'), { host: 'h', port: 5060 });
    assert.deepEqual(parseHostPort('[::1] : 5060'), { host: '::1', port: 5060 });
    assert.equal(formatHostPort({ host: '::1', port: 1 }), '[::1]:1');
  });
  it('has one spelling for one address', () => {
    assert.equal(normaliseHost('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
    assert.equal(normaliseHost('::ffff:192.0.2.129'), '192.0.2.129');
    assert.equal(normaliseHost('A.Example.'), 'a.example');
  });
});

describe('sip/name-addr', () => {
  it('gives display name, URI and header parameters', () => {
    const value = parseNameAddr('"Q \\"x\\" <y>" <sip:a@b;lr?x=y>;tag=1;+g.3gpp.mcptt;q="a;b"');
    assert.equal(value.display, 'Q "x" <y>');
    assert.equal(value.uri, 'sip:a@b;lr?x=y');
    assert.deepEqual(
      [...value.params],
      [
        ['tag', '1'],
        ['+g.3gpp.mcptt', null],
        ['q', '"a;b"'],
      ],
    );
    assert.deepEqual(parseNameAddr(formatNameAddr(value)), value);
  });
  it('takes parameters behind a bare URI as header parameters', () => {
    const value = parseNameAddr('sip:a@b;tag=9');
    assert.equal(value.uri, 'sip:a@b');
    assert.equal(tagOf('sip:a@b;tag=9'), '9');
  });
  it('takes an unquoted display name of several words, and any URI scheme', () => {
    assert.equal(parseNameAddr('Mr.  Watson <urn:service:sos>').display, 'Mr. Watson');
  });
  for (const text of [
    '',
    '<>',
    'bob',
    '<sip:a',
    'sip:a@b>',
    '"a" "b" <sip:a>',
    'a, b <sip:a>',
    '<sip:a> x',
    '<sip:a>;tag=1;tag=2',
    '<sip:a>;tag="1',
    '<sip:a b>',
    'sip:a@b?x=y',
  ]) {
    it(`refuses ${text}`, () => assert.throws(() => parseNameAddr(text), SYNTAX));
  }
});
