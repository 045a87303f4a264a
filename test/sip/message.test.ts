import assert from 'node:assert/strict';
import {
  checkMessage,
  createResponse,
  DEFAULT_SIP_LIMITS,
  parseSip,
  serialiseSip,
  SipHeaders,
  type SipRequest,
} from '../../src/sip/index.js';
import { salvageRequest } from '../../src/sip/salvage.js';
import { inviteOctets, lines } from './support/messages.js';

const SYNTAX = { code: 'SEGY_E_SIP_SYNTAX' };
const LARGE = { code: 'SEGY_E_SIP_TOO_LARGE' };

function request(bytes: Uint8Array): SipRequest {
  const message = parseSip(bytes);
  assert.equal(message.kind, 'request');
  return message;
}

describe('sip/message: a well-formed message', () => {
  it('gives method, Request-URI, headers and body', () => {
    const invite = request(inviteOctets());
    checkMessage(invite);
    assert.equal(invite.method, 'INVITE');
    assert.equal(invite.uri, 'sip:bob@b.example');
    assert.equal(invite.headers.get('call-id'), 'c1@a.example');
    assert.equal(Buffer.from(invite.body).toString().slice(0, 3), 'v=0');
  });

  it('comes back octet for octet when its Content-Length stands last', () => {
    const octets = inviteOctets();
    assert.deepEqual(Buffer.from(serialiseSip(parseSip(octets))), Buffer.from(octets));
  });

  it('may use compact forms, folding, blanks before the colon and leading line ends', () => {
    const octets = lines(
      '',
      '',
      'OPTIONS sip:b.example SIP/2.0',
      'v: SIP/2.0/TCP [2001:db8::1]:5070;branch=z9hG4bK1',
      'f : <sip:a@a.example>;tag=2',
      't:<sip:b.example>',
      'i: x',
      'CSeq: 7',
      '\t OPTIONS',
      'k: timer,',
      '  100rel',
      'l: 0',
      '',
      '',
    );
    const message = parseSip(octets);
    checkMessage(message);
    assert.equal(message.headers.get('CSeq'), '7 OPTIONS');
    assert.deepEqual(message.headers.list('Supported'), ['timer', '100rel']);
    assert.deepEqual(message.headers.entries()[0]?.[0], 'Via');
  });

  it('keeps UTF-8 text and octets that are not UTF-8', () => {
    const subject = Buffer.concat([
      Buffer.from('Grüße €'),
      Buffer.of(0xff, 0xc3, 0x28, 0xed, 0xa0),
    ]);
    const octets = Buffer.concat([
      lines(
        'OPTIONS sip:b.example SIP/2.0',
        'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
        'From: "Zoë" <sip:a@a.example>;tag=2',
        'To: <sip:b.example>',
        'Call-ID: x',
        'CSeq: 7 OPTIONS',
        'X-Odd: ',
      ),
      subject,
      lines('', 'Content-Length: 0', '', ''),
    ]);
    const message = parseSip(octets);
    checkMessage(message);
    assert.ok(message.headers.get('From')?.startsWith('"Zoë"'));
    assert.deepEqual(Buffer.from(serialiseSip(message)), octets);
  });

  it('loses what stands behind Content-Length', () => {
    const octets = Buffer.concat([inviteOctets(), Buffer.from('INVITE sip:evil SIP/2.0\r\n')]);
    assert.equal(request(octets).body.length, request(inviteOctets()).body.length);
  });

  it('may be a response, with or without a reason', () => {
    const response = parseSip(lines('SIP/2.0 180 Ça sonne', 'Content-Length: 0', '', ''));
    assert.ok(response.kind === 'response' && response.status === 180);
    assert.equal(response.reason, 'Ça sonne');
    const bare = parseSip(lines('SIP/2.0 200', '', ''));
    assert.ok(bare.kind === 'response' && bare.reason === '');
  });
});

describe('sip/message: a malformed message is refused', () => {
  const cases: Record<string, Uint8Array> = {
    'nothing but line ends': lines('', '', ''),
    'no end of the header section': lines('OPTIONS sip:b SIP/2.0', 'To: x'),
    'two blanks in the request line': lines('OPTIONS  sip:b SIP/2.0', '', ''),
    'a Request-URI in brackets': lines('OPTIONS <sip:b> SIP/2.0', '', ''),
    'a Request-URI with a blank': lines('OPTIONS sip:b; lr SIP/2.0', '', ''),
    'a Request-URI without a scheme': lines('OPTIONS bob SIP/2.0', '', ''),
    'an unknown version': lines('OPTIONS sip:b SIP/3.0', '', ''),
    'a status of 99': lines('SIP/2.0 099 Odd', '', ''),
    'a status of four digits': lines('SIP/2.0 2000 OK', '', ''),
    'a method that is no token': lines('OPT{}ONS sip:b SIP/2.0', '', ''),
    'a header without a colon': lines('OPTIONS sip:b SIP/2.0', 'Via', '', ''),
    'a header name with a blank': lines('OPTIONS sip:b SIP/2.0', 'Ca ll: x', '', ''),
    'a bare LF in a header': lines('OPTIONS sip:b SIP/2.0', 'To: a\nVia: x', '', ''),
    'a bare CR in a header': lines('OPTIONS sip:b SIP/2.0', 'To: a\rVia: x', '', ''),
    'a NUL in a header': lines('OPTIONS sip:b SIP/2.0', 'To: a\0', '', ''),
    'a fold below the start line': lines('OPTIONS sip:b SIP/2.0', ' To: a', '', ''),
    'a negative Content-Length': inviteOctets({ 'Content-Length': '-1' }),
    'a Content-Length that is no number': inviteOctets({ 'Content-Length': '5 octets' }),
    'a Content-Length beyond the octets': inviteOctets({ 'Content-Length': '9999' }),
    'two Content-Lengths': inviteOctets({ l: '3' }),
    'two Call-IDs': inviteOctets({ i: 'other' }),
    'two From fields': inviteOctets({ f: '<sip:x@y>;tag=1' }),
  };
  for (const [name, octets] of Object.entries(cases)) {
    it(`with ${name}`, () => assert.throws(() => parseSip(octets), SYNTAX));
  }

  const fields: Record<string, Record<string, string | null>> = {
    'no Via': { Via: null },
    'a Via without transport': { Via: 'SIP/2.0 192.0.2.1;branch=z9hG4bKx' },
    'a Via with two ports': { Via: 'SIP/2.0/UDP h:1:2;branch=z9hG4bKx' },
    'a second Via that is broken': { Via: 'SIP/2.0/UDP h;branch=z9hG4bKx, nonsense' },
    'no From': { From: null },
    'a From without a tag': { From: '<sip:ann@a.example>' },
    'an unclosed quote in From': { From: '"Ann <sip:ann@a.example>;tag=1' },
    'text behind the address in To': { To: '<sip:bob@b.example> hello' },
    'an unclosed bracket in To': { To: '<sip:bob@b.example' },
    'an unbracketed URI with a question mark in To': { To: 'sip:bob@b.example?Route=x' },
    'no Call-ID': { 'Call-ID': null },
    'an empty Call-ID': { 'Call-ID': '' },
    'a Call-ID with a blank': { 'Call-ID': 'a b' },
    'a CSeq of another method': { CSeq: '1 OPTIONS' },
    'a CSeq beyond 2^31': { CSeq: '2147483648 INVITE' },
    'a CSeq that overflows 64 bits': { CSeq: '36893488147419103232 INVITE' },
    'a CSeq without method': { CSeq: '1' },
    'a Max-Forwards of 300': { 'Max-Forwards': '300' },
    'a body without type': { 'Content-Type': null },
    'a type without subtype': { 'Content-Type': 'application' },
  };
  for (const [name, change] of Object.entries(fields)) {
    it(`with ${name}`, () => {
      assert.throws(() => checkMessage(parseSip(inviteOctets(change))), SYNTAX);
    });
  }
});

describe('sip/message: limits', () => {
  const limits = DEFAULT_SIP_LIMITS;

  it('bound the message', () => {
    assert.throws(() => parseSip(inviteOctets(), { ...limits, messageOctets: 100 }), LARGE);
  });
  it('bound the header section', () => {
    assert.throws(() => parseSip(inviteOctets(), { ...limits, headOctets: 100 }), LARGE);
  });
  it('bound a header section that never ends', () => {
    assert.throws(() => parseSip(Buffer.alloc(limits.headOctets + 1, 'a')), LARGE);
  });
  it('bound one header, folded or not', () => {
    assert.throws(() => parseSip(inviteOctets({ 'X-Long': 'a'.repeat(9_000) })), LARGE);
    assert.throws(() => parseSip(inviteOctets({ X: '\r\n aaaaaaaaa'.repeat(1_000) })), LARGE);
  });
  it('bound the number of headers', () => {
    assert.throws(() => parseSip(inviteOctets(), { ...limits, headerCount: 8 }), LARGE);
  });
  it('bound the body, even one that is only announced', () => {
    assert.throws(() => parseSip(inviteOctets(), { ...limits, bodyOctets: 5 }), LARGE);
    assert.throws(() => parseSip(inviteOctets({ 'Content-Length': '300000' })), LARGE);
  });
});

describe('sip/message: what is sent', () => {
  it('cannot carry a header of the attacker in a value, a reason or a Request-URI', () => {
    const headers = new SipHeaders();
    assert.throws(() => headers.add('To', 'a\r\nX-SeGy-Session: 1'), { code: 'SEGY_E_ARGUMENT' });
    assert.throws(() => headers.set('X:Y', 'a'), { code: 'SEGY_E_ARGUMENT' });
    const invite = request(inviteOctets());
    assert.throws(() => serialiseSip({ ...invite, uri: 'sip:a SIP/2.0\r\nX: y' }));
    assert.throws(() => serialiseSip(createResponse(invite, 200, 'OK\r\nX: y')));
  });

  it('a response has the fields of its request, a tag, and the reason phrase', () => {
    const invite = request(inviteOctets({ 'Record-Route': '<sip:p;lr>', Timestamp: '4' }));
    const ringing = createResponse(invite, 180, undefined, { toTag: 'z' });
    assert.equal(ringing.reason, 'Ringing');
    assert.equal(ringing.headers.get('To'), '<sip:bob@b.example>;tag=z');
    assert.equal(ringing.headers.get('Record-Route'), '<sip:p;lr>');
    for (const name of ['Via', 'From', 'Call-ID', 'CSeq']) {
      assert.deepEqual(ringing.headers.getAll(name), invite.headers.getAll(name), name);
    }
    assert.equal(createResponse(invite, 100).headers.get('Timestamp'), '4');
    assert.equal(createResponse(invite, 488).headers.get('Record-Route'), undefined);
  });

  it('a tag that is there already stays', () => {
    const invite = request(inviteOctets({ To: '<sip:bob@b.example>;tag=old' }));
    assert.match(
      createResponse(invite, 200, undefined, { toTag: 'z' }).headers.get('To') ?? '',
      /old$/,
    );
  });
});

describe('sip/salvage: a broken message', () => {
  it('is answerable when its transaction can be told', () => {
    const found = salvageRequest(inviteOctets({ 'Max-Forwards': '-1', 'X-A': 'a\rb' }));
    assert.equal(found?.headers.get('CSeq'), '1 INVITE');
  });
  it('is not answerable when it is an ACK, a response, or lacks a needed field', () => {
    const ack = Buffer.from(Buffer.from(inviteOctets()).toString().replaceAll('INVITE', 'ACK'));
    assert.equal(salvageRequest(ack), undefined);
    assert.equal(salvageRequest(lines('SIP/2.0 999 X', '', '')), undefined);
    for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
      assert.equal(salvageRequest(inviteOctets({ [name]: null })), undefined, name);
    }
    assert.equal(salvageRequest(inviteOctets({ Via: 'nonsense' })), undefined);
  });
});
