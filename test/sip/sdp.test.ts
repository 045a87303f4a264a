import assert from 'node:assert/strict';
import {
  connectionOf,
  decodeText,
  DEFAULT_SDP_LIMITS,
  directionOf,
  parseSdp,
  reverseDirection,
  rtcpOf,
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
    const expected = OFFER.filter((line) => line !== '' && !line.startsWith('m='));
    for (const sdp of [read(), parseSdp(OFFER.join('\n'))]) {
      const all = [sdp.session, ...sdp.media].flatMap((section) => section.lines);
      assert.deepEqual(
        all.map(({ type, value }) => `${type}=${value}`),
        expected,
      );
    }
  });

  it('keeps octets that are not UTF-8', () => {
    const octets = Buffer.concat([
      lines('v=0', 'o=- 1 1 IN IP6 ::1', 's='),
      Buffer.of(0xfc),
      lines('', 't=0 0', ''),
    ]);
    assert.equal(parseSdp(octets).session.first('s'), decodeText(Buffer.of(0xfc)));
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

describe('sip/sdp-facts', () => {
  it("the connection of a section is its own, else the session's", () => {
    const sdp = read();
    assert.equal(connectionOf(sdp, sdp.media[0])?.address, '192.0.2.11');
    assert.equal(connectionOf(sdp, sdp.media[1])?.address, '192.0.2.10');
  });

  it('attributes are found by exact name', () => {
    const audio = read().media[0]!;
    assert.deepEqual(audio.attributes('key-mgmt'), ['mikey ARoFARaZJjgAA']);
    assert.ok(!audio.hasAttribute('key'));
  });

  it('RTCP goes where a=rtcp says, else to the next port', () => {
    const [audio, floor] = read().media;
    assert.deepEqual(rtcpOf(audio!), { port: 40009, address: '192.0.2.12' });
    assert.deepEqual(rtcpOf(floor!), { port: 40003 });
    floor!.lines.push({ type: 'a', value: 'rtcp-mux' });
    assert.deepEqual(rtcpOf(floor!), { port: 40002 });
  });

  it("the direction is the section's, else the session's, turned round for an answer", () => {
    const sdp = read();
    const [audio, floor] = sdp.media;
    assert.equal(directionOf(sdp, audio!), 'sendonly');
    assert.equal(directionOf(sdp, floor!), 'recvonly');
    assert.equal(reverseDirection('sendonly'), 'recvonly');
    assert.equal(reverseDirection('inactive'), 'inactive');
  });
});
