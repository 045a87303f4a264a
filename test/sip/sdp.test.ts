import assert from 'node:assert/strict';
import {
  connectionOf,
  DEFAULT_SDP_LIMITS,
  directionOf,
  formatSdp,
  originOf,
  parseSdp,
  reverseDirection,
  rtcpOf,
  setConnection,
  setDirection,
  setEveryConnection,
  setOrigin,
} from '../../src/sip/index.js';
import { lines } from './support/messages.js';

const SYNTAX = { code: 'SEGY_E_SIP_SYNTAX' };
const LARGE = { code: 'SEGY_E_SIP_TOO_LARGE' };

const OFFER = [
  'v=0',
  'o=- 18446744073709551615 1 IN IP4 192.0.2.10',
  's= ',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'y=odd session line',
  'a=recvonly',
  'm=audio 40000 RTP/AVP 97 101',
  'i=speech',
  'c=IN IP4 192.0.2.11/127',
  'a=rtpmap:97 AMR-WB/16000',
  'a=key-mgmt:mikey ARoFARaZJjgAA',
  'y=odd media line',
  'a=rtcp:40009 IN IP4 192.0.2.12',
  'a=sendonly',
  'm=application 40002/2 udp MCPTT',
  'a=fmtp:MCPTT mc_queueing;mc_priority=5',
  '',
];

function read(change: (text: string) => string = (text) => text) {
  return parseSdp(change(OFFER.join('\r\n')));
}

describe('sip/sdp', () => {
  it('keeps every line and its order, the unknown ones too', () => {
    assert.equal(Buffer.from(formatSdp(read())).toString(), OFFER.join('\r\n'));
    assert.equal(Buffer.from(formatSdp(parseSdp(OFFER.join('\n')))).toString(), OFFER.join('\r\n'));
  });

  it('keeps octets that are not UTF-8', () => {
    const octets = Buffer.concat([
      lines('v=0', 'o=- 1 1 IN IP6 ::1', 's='),
      Buffer.of(0xfc),
      lines('', 't=0 0', ''),
    ]);
    assert.deepEqual(Buffer.from(formatSdp(parseSdp(octets))), octets);
  });

  it('gives the parts of a media line', () => {
    const { media } = read();
    assert.deepEqual(
      media.map((one) => [one.media, one.port, one.portCount, one.protocol, one.formats]),
      [
        ['audio', 40000, undefined, 'RTP/AVP', ['97', '101']],
        ['application', 40002, 2, 'udp', ['MCPTT']],
      ],
    );
  });

  const bad: Record<string, (text: string) => string> = {
    'no v=': (text) => text.replace('v=0\r\n', ''),
    'another version': (text) => text.replace('v=0', 'v=1'),
    'no o=': (text) => text.replace(/o=.*\r\n/, ''),
    'a broken o=': (text) => text.replace('IN IP4 192.0.2.10', 'IN IP5 x'),
    'no t=': (text) => text.replace('t=0 0\r\n', ''),
    'a port beyond 65535': (text) => text.replace('40000', '65536'),
    'a port that is no number': (text) => text.replace('40000', '$'),
    'an m= line without formats': (text) => text.replace(' 97 101', ''),
    'a broken c=': (text) => text.replace('c=IN IP4 192.0.2.11/127', 'c=IN IP4'),
    'a line without type': (text) => text.replace('i=speech', 'speech'),
    'an empty line in the middle': (text) => text.replace('i=speech', ''),
    'a bare CR': (text) => text.replace('speech', 'spe\rech'),
    'a NUL': (text) => text.replace('speech', 'spe\0ech'),
  };
  for (const [name, change] of Object.entries(bad)) {
    it(`refuses ${name}`, () => assert.throws(() => read(change), SYNTAX));
  }

  it('bounds octets, lines, one line, and media sections', () => {
    for (const limit of ['octets', 'lines', 'lineOctets', 'media'] as const) {
      assert.throws(
        () => parseSdp(OFFER.join('\r\n'), { ...DEFAULT_SDP_LIMITS, [limit]: 1 }),
        LARGE,
        limit,
      );
    }
  });
});

describe('sip/sdp: changes', () => {
  it("the connection of a section is its own, else the session's", () => {
    const sdp = read();
    assert.equal(connectionOf(sdp, sdp.media[0])?.address, '192.0.2.11');
    assert.equal(connectionOf(sdp, sdp.media[1])?.address, '192.0.2.10');
  });

  it('one address replaces all, IPv6 with its own type', () => {
    const sdp = read();
    setEveryConnection(sdp, '2001:db8::5');
    setOrigin(sdp, { address: '2001:db8::5', version: '2' });
    const text = Buffer.from(formatSdp(sdp)).toString();
    assert.deepEqual(text.match(/^c=.*$/gm), ['c=IN IP6 2001:db8::5']);
    assert.equal(originOf(sdp).sessionId, '18446744073709551615');
    assert.match(text, /o=- 18446744073709551615 2 IN IP6 2001:db8::5\r\n/);
    assert.ok(!text.includes('192.0.2.10'));
  });

  it('a new c= line goes where the grammar has it', () => {
    const sdp = parseSdp(OFFER.join('\r\n').replace('c=IN IP4 192.0.2.10\r\n', ''));
    setConnection(sdp.session, '192.0.2.77');
    setConnection(sdp.media[1]!, '192.0.2.78');
    const types = (index: number) => sdp.media[index]!.lines.map((line) => line.type).join('');
    assert.equal(sdp.session.lines.map((line) => line.type).join(''), 'vosctya');
    assert.equal(types(1), 'ca');
  });

  it('attributes are found, added, set and removed by exact name', () => {
    const audio = read().media[0]!;
    assert.deepEqual(audio.attributes('key-mgmt'), ['mikey ARoFARaZJjgAA']);
    assert.ok(!audio.hasAttribute('key'));
    assert.equal(audio.removeAttributes('key-mgmt', 'rtcp'), 2);
    audio.addAttribute('key-mgmt', 'mikey AA', 'first');
    assert.equal(audio.lines.find((line) => line.type === 'a')?.value, 'key-mgmt:mikey AA');
    audio.setAttribute('key-mgmt', 'mikey BB');
    assert.deepEqual(audio.attributes('key-mgmt'), ['mikey BB']);
    audio.setAttribute('rtcp-mux');
    assert.equal(audio.lines.at(-1)?.value, 'rtcp-mux');
  });

  it('RTCP goes where a=rtcp says, else to the next port', () => {
    const [audio, floor] = read().media;
    assert.deepEqual(rtcpOf(audio!), { port: 40009, address: '192.0.2.12' });
    assert.deepEqual(rtcpOf(floor!), { port: 40003 });
    floor!.addAttribute('rtcp-mux');
    assert.deepEqual(rtcpOf(floor!), { port: 40002 });
  });

  it("the direction is the section's, else the session's, and can be turned round", () => {
    const sdp = read();
    const [audio, floor] = sdp.media;
    assert.equal(directionOf(sdp, audio!), 'sendonly');
    assert.equal(directionOf(sdp, floor!), 'recvonly');
    setDirection(audio!, reverseDirection('sendonly'));
    assert.equal(directionOf(sdp, audio!), 'recvonly');
    assert.equal(reverseDirection('inactive'), 'inactive');
  });

  it('a value with a line end is never written', () => {
    const sdp = read();
    sdp.session.set('s', 'x\r\na=key-mgmt:mikey AA');
    assert.throws(() => formatSdp(sdp));
  });
});
