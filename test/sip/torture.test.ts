import assert from 'node:assert/strict';
import {
  checkMessage,
  parseContentType,
  parseNameAddr,
  parseSip,
  parseSipUri,
  parseVia,
  userText,
} from '../../src/sip/index.js';
import { assertCheap } from '../support/effort.js';
import { lines } from './support/messages.js';

/** Messages in the spirit of RFC 4475 and RFC 5118: odd but right, or plausible but wrong. */
describe('sip: torture', () => {
  it('an INVITE that bends every rule it may', () => {
    const message = parseSip(
      lines(
        'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
        'TO :',
        ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
        '  ;',
        '  tag = 98asjd8',
        'MaX-fOrWaRdS: 0068',
        'Call-ID: wsinv.ndaksdj@192.0.2.1',
        'cseq: 0009',
        '  INVITE',
        'Via  : SIP  /   2.0',
        ' /UDP',
        '    192.0.2.2;branch=390skdjuw',
        's :',
        'NewFangledHeader:   newfangled value',
        ' continued newfangled value',
        'UnknownHeaderWithUnusualValue: ;;,,;;,;',
        'Content-Type: application/sdp',
        'Route:',
        ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
        'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
        '  branch  =   z9hG4bK9ikj8  ,',
        ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
        ' z9hG4bK30239',
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam = newvalue ; q=0.33',
        'l: 4',
        '',
        'v=0\n',
      ),
    );
    checkMessage(message);
    const { headers } = message;
    assert.equal(parseNameAddr(headers.get('From') ?? '').display, 'J Rosenberg \\"');
    assert.deepEqual(
      headers.list('Via').map((text) => parseVia(text).host),
      ['192.0.2.2', 'spindle.example.com', '192.168.255.111'],
    );
    assert.equal(headers.get('Subject'), '');
    assert.equal(headers.get('NewFangledHeader'), 'newfangled value continued newfangled value');
  });

  it('a method and names made of every token character', () => {
    const method = "!interesting-Method0123456789_*+`.%indeed'~";
    const message = parseSip(
      lines(
        `${method} sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0`,
        `Via: SIP/2.0/!interesting-Method0123456789_*+\`.%indeed'~ host1.example.com;branch=z9hG4bK-.!%66*_+\`'~`,
        'To: "BEL:\x07 NUL:\\\x01 DEL:\x7f" <sip:a@example.com>',
        "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"работающий\";tag=_token~1'+`*%!-.",
        'Call-ID: intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
        `CSeq: 139122385 ${method}`,
        `extensionHeader-!.%*+_\`'~: \ufeff大停電`,
        'Content-Length: 0',
        '',
        '',
      ),
    );
    checkMessage(message);
    assert.ok(message.kind === 'request' && message.method === method);
    assert.equal(parseSipUri(message.uri).host, 'example.com');
  });

  it('an escaped NUL and escaped line end in a user part stay escaped until asked for', () => {
    const uri = parseSipUri('sip:null-%00-null%0D%0AX:y@example.com');
    assert.equal(uri.user, 'null-%00-null%0D%0AX:y'.split(':')[0]);
    assert.equal(userText(parseSipUri('sip:a%0D%0Ab@example.com')), 'a\r\nb');
  });

  it('percent signs in a header name and a method are plain characters', () => {
    const message = parseSip(lines('RE%47IST%45R sip:b SIP/2.0', '%56ia: x', '', ''));
    assert.ok(message.kind === 'request' && message.method === 'RE%47IST%45R');
    assert.equal(message.headers.get('Via'), undefined);
  });

  it('a request with eighty Vias, each on its own line', () => {
    const vias = Array.from(
      { length: 80 },
      (_unused, index) => `Via: SIP/2.0/UDP h${index};branch=z9hG4bK${index}`,
    );
    const message = parseSip(lines('OPTIONS sip:b SIP/2.0', ...vias, '', ''));
    assert.equal(message.headers.list('Via').length, 80);
  });

  it('an IPv6 reference without closing bracket, or none at all, is no host', () => {
    for (const text of [
      'sip:2001:db8::10',
      'sip:[2001:db8::10',
      'sip:[2001:db8:::10]',
      'sip:[192.0.2.1]',
    ]) {
      assert.throws(() => parseSipUri(text), { code: 'SEGY_E_SIP_SYNTAX' }, text);
    }
    assert.equal(parseSipUri('sip:user@[::ffff:192.0.2.1]').host, '::ffff:192.0.2.1');
    // seven groups and a port, or eight groups: the brackets decide
    assert.equal(parseSipUri('sip:[2001:db8::10:5070]').port, undefined);
  });

  it('an unbalanced escape in a quoted display name is refused', () => {
    for (const text of ['"a\\" <sip:a@b>;tag=1', '"a" b" <sip:a@b>', '"a"b <sip:a@b>']) {
      assert.throws(() => parseNameAddr(text), { code: 'SEGY_E_SIP_SYNTAX' }, text);
    }
  });

  it('a multipart type keeps its boundary as written', () => {
    const type = parseContentType('Multipart / Mixed ; Boundary = "7a9c bbec02ceef655"');
    assert.equal(type.type, 'multipart/mixed');
    assert.equal(type.params.get('boundary'), '"7a9c bbec02ceef655"');
  });

  const hostile: Record<string, string> = {
    'a display name of quotes': `From: ${'"'.repeat(8_000)}`,
    'a display name of backslashes': `From: "${'\\'.repeat(8_000)}`,
    'a From of brackets': `From: ${'<'.repeat(8_000)}`,
    'a From of blanks': `From: a${' '.repeat(8_000)}b <sip:x>`,
    'a Via of blanks': `Via: SIP/2.0/UDP h${' '.repeat(8_000)}:x`,
    'a Via of parameters': `Via: SIP/2.0/UDP h${';a'.repeat(4_000)}`,
    'a host of dots': `Via: SIP/2.0/UDP ${'a.'.repeat(4_000)}!`,
    'a CSeq of digits': `CSeq: ${'1'.repeat(8_000)} OPTIONS`,
    'a Call-ID of blanks': `Call-ID: ${' x'.repeat(4_000)}`,
  };
  for (const [name, field] of Object.entries(hostile)) {
    it(`${name} costs no time`, () => {
      const rest = [
        'Via: SIP/2.0/UDP h',
        'From: <sip:a>;tag=1',
        'To: <sip:b>',
        'Call-ID: x',
        'CSeq: 1 OPTIONS',
      ];
      const others = rest.filter((line) => !field.startsWith(line.split(':', 1)[0] ?? ''));
      const octets = lines('OPTIONS sip:b SIP/2.0', field, ...others, '', '');
      assertCheap('its refusal', 20, () =>
        assert.throws(() => checkMessage(parseSip(octets)), { code: 'SEGY_E_SIP_SYNTAX' }),
      );
    });
  }

  it('a tel URI of separators costs no time', () => {
    const uri = `tel:+${'0'.repeat(100_000)}!`;
    assertCheap('its refusal', 20, () =>
      assert.throws(() => parseSipUri(uri), { code: 'SEGY_E_SIP_SYNTAX' }),
    );
  });
});
