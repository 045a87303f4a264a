import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8 } from '../../../src/base/bytes.js';
import { SegyError } from '../../../src/base/errors.js';
import { readSdp } from '../../../src/edge/sdp/sdp-read.js';
import { checkInner, checkOuter, demandsKey } from '../../../src/edge/sdp/sdp-rules.js';
import { SdpSide } from '../../../src/edge/sdp/sdp-side.js';

const AT = { address: '198.51.100.7', rtpPort: 40000, rtcpPort: 40001 };

const OFFER = [
  'v=0',
  'o=ims-core 7001 1 IN IP4 10.1.2.3',
  's=secret-host.mc-a.example',
  'c=IN IP4 10.1.2.3',
  't=0 0',
  'a=ice-lite',
  'm=audio 41000 RTP/SAVP 97 101',
  'i=speech',
  'b=AS:41',
  'b=RS:400',
  'a=rtpmap:97 AMR-WB/16000',
  'a=fmtp:97 octet-align=1',
  'a=rtpmap:101 telephone-event/16000',
  'a=ptime:20',
  'a=rtcp:41999 IN IP4 10.9.9.9',
  'a=candidate:1 1 UDP 2130706431 10.1.2.3 41000 typ host',
  'a=ice-ufrag:abcd',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0',
  'a=ssrc:1 cname:ims-core@10.1.2.3',
  'a=key-mgmt:mikey AQID',
  'a=sendrecv',
  'm=application 41002 udp MCPTT',
  'a=fmtp:MCPTT mc_queueing;mc_priority=5',
  '',
].join('\r\n');

const lines = (text: string): string[] => text.trimEnd().split('\r\n');
const offer = (...changes: [string, string][]) =>
  readSdp(utf8(changes.reduce((text, [from, to]) => text.replace(from, to), OFFER)));

describe('edge/sdp', () => {
  it('rewrites an offer into clear RTP/AVP at our address and nothing of the other side', () => {
    const model = offer();
    assert.ok(model.audio);
    const inner = new SdpSide('77', { address: '127.0.0.2', rtpPort: 30000, rtcpPort: 30001 });
    assert.deepEqual(lines(inner.offer(model.audio, null)), [
      'v=0',
      'o=- 77 1 IN IP4 127.0.0.2',
      's=-',
      'c=IN IP4 127.0.0.2',
      't=0 0',
      'm=audio 30000 RTP/AVP 97 101',
      'i=speech',
      'b=AS:41',
      'a=rtpmap:97 AMR-WB/16000',
      'a=fmtp:97 octet-align=1',
      'a=rtpmap:101 telephone-event/16000',
      'a=ptime:20',
      'a=sendrecv',
    ]);
  });

  it('passes a codec that nobody here knows, as frames of a radio are that it encrypted itself', () => {
    const model = offer(
      ['RTP/SAVP 97 101', 'RTP/SAVP 113'],
      ['a=rtpmap:97 AMR-WB/16000', 'a=rtpmap:113 X-E2EE-RADIO/8000'],
      ['a=fmtp:97 octet-align=1', 'a=fmtp:113 key-stream=7;frames=2'],
      ['a=rtpmap:101 telephone-event/16000\r\n', ''],
    );
    assert.ok(model.audio);
    const inner = new SdpSide('77', { address: '127.0.0.2', rtpPort: 30000, rtcpPort: 30001 });
    const written = lines(inner.offer(model.audio, null));
    for (const line of [
      'm=audio 30000 RTP/AVP 113',
      'a=rtpmap:113 X-E2EE-RADIO/8000',
      'a=fmtp:113 key-stream=7;frames=2',
    ]) {
      assert.ok(written.includes(line), line);
    }
  });

  it('answers with the same lines in the same order, the floor line declined', () => {
    const outer = new SdpSide('88', AT);
    outer.offered(offer());
    const answer = readSdp(
      utf8(
        'v=0\r\no=root 1 1 IN IP4 127.0.0.1\r\ns=Asterisk\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n' +
          'm=audio 12000 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\na=recvonly\r\n',
      ),
    );
    assert.deepEqual(lines(outer.answer(answer.audio)), [
      'v=0',
      'o=- 88 1 IN IP4 198.51.100.7',
      's=-',
      'c=IN IP4 198.51.100.7',
      't=0 0',
      'm=audio 40000 RTP/SAVP 97',
      'a=rtpmap:97 AMR-WB/16000',
      'a=recvonly',
      'm=application 0 udp MCPTT',
    ]);
  });

  it('keeps the number and order of m= lines in our later offers to that side', () => {
    const outer = new SdpSide('88', AT);
    const model = offer();
    assert.ok(model.audio);
    outer.offered(model);
    outer.answer(model.audio);
    const media = lines(outer.offer(model.audio, null)).filter((line) => line.startsWith('m='));
    assert.deepEqual(media, ['m=audio 40000 RTP/AVP 97 101', 'm=application 0 udp MCPTT']);
  });

  it('forgets the lines of an offer that was never answered', () => {
    const outer = new SdpSide('88', AT);
    const model = offer();
    assert.ok(model.audio);
    outer.offered(model);
    const media = lines(outer.offer(model.audio, null)).filter((line) => line.startsWith('m='));
    assert.deepEqual(media, ['m=audio 40000 RTP/AVP 97 101']);
  });

  it('raises the version of o= only when the description changes', () => {
    const side = new SdpSide('1', AT);
    const model = offer();
    assert.ok(model.audio);
    const first = side.offer(model.audio, null);
    assert.equal(side.offer(model.audio, null), first);
    const held = side.offer({ ...model.audio, direction: 'sendonly' }, null);
    assert.match(held, /^o=- 1 2 IN IP4/m);
  });

  for (const level of ['media', 'session'] as const) {
    it(`puts the I_MESSAGE at the ${level} level`, () => {
      const model = offer();
      assert.ok(model.audio);
      const text = new SdpSide('1', AT).offer(model.audio, {
        level,
        message: Uint8Array.of(1, 2, 3),
      });
      const at = text.indexOf('a=key-mgmt:mikey AQID\r\n');
      assert.ok(at > 0);
      assert.equal(at > text.indexOf('m=audio'), level === 'media');
    });
  }

  it('reads the I_MESSAGE at either level, the media level first', () => {
    const session = ['a=ice-lite', 'a=key-mgmt:mikey BAUG'] as [string, string];
    assert.deepEqual(offer(session).keyMessage, Uint8Array.of(1, 2, 3));
    assert.deepEqual(
      offer(session, ['a=key-mgmt:mikey AQID\r\n', '']).keyMessage,
      Uint8Array.of(4, 5, 6),
    );
    assert.equal(offer(['a=key-mgmt:mikey AQID\r\n', '']).keyMessage, null);
    assert.throws(() => offer(['mikey AQID', 'mikey !!!']), { code: 'SEGY_E_MIKEY_SYNTAX' });
  });

  it('reads hold by an address of zeros as a direction', () => {
    const held = offer(['c=IN IP4 10.1.2.3', 'c=IN IP4 0.0.0.0']);
    assert.equal(held.audio?.address, null);
    assert.equal(held.audio.direction, 'sendonly');
  });

  it('expects RTCP on the next port of a peer whose a=rtcp-mux is not accepted', () => {
    const mux = offer(['a=rtcp:41999 IN IP4 10.9.9.9', 'a=rtcp-mux']);
    assert.equal(mux.audio?.rtcpPort, 41001);
    const named = offer([
      'a=rtcp:41999 IN IP4 10.9.9.9',
      'a=rtcp-mux\r\na=rtcp:41000 IN IP4 10.1.2.3',
    ]);
    assert.equal(named.audio?.rtcpPort, 41001);
  });

  it('writes a=rtcp only when the port is not the next one', () => {
    const model = offer();
    assert.ok(model.audio);
    assert.equal(model.audio.rtcpPort, 41999);
    const odd = new SdpSide('1', { ...AT, rtcpPort: 45000 });
    assert.match(odd.offer(model.audio, null), /^a=rtcp:45000$/m);
  });

  it('declines everything in a description of capabilities', () => {
    const text = new SdpSide('1', AT).capabilities(offer());
    assert.deepEqual(
      lines(text).filter((line) => line.startsWith('m=')),
      ['m=audio 0 RTP/SAVP 97 101', 'm=application 0 udp MCPTT'],
    );
    assert.ok(!text.includes('10.1.2.3'));
  });

  it('refuses direct media: an inner address outside the allowed ones', () => {
    const clear = offer(['RTP/SAVP', 'RTP/AVP'], ['a=crypto', 'a=x-crypto']);
    assert.throws(() => checkInner(clear, new Set(['127.0.0.1'])), {
      code: 'SEGY_E_MEDIA_ADDRESS',
    });
    checkInner(clear, new Set(['10.1.2.3']));
    assert.throws(() => checkInner(offer(), new Set(['10.1.2.3'])), { code: 'SEGY_E_MEDIA' });
  });

  it('refuses a media address that is a name, multicast or of the other IP version', () => {
    const at = (address: string) => ['c=IN IP4 10.1.2.3', `c=IN ${address}`] as [string, string];
    assert.throws(() => offer(at('IP4 evil.example')), { code: 'SEGY_E_MEDIA' });
    assert.throws(() => checkOuter(offer(at('IP4 239.1.1.1')), null), { code: 'SEGY_E_MEDIA' });
    assert.throws(() => checkOuter(offer(at('IP6 2001:db8::1')), '192.0.2.1'), {
      code: 'SEGY_E_MEDIA',
    });
    checkOuter(offer(), '192.0.2.1');
  });

  it('knows a description that only a key can serve', () => {
    assert.equal(demandsKey(offer()), true);
    assert.equal(demandsKey(offer(['RTP/SAVP', 'RTP/AVP'], ['a=crypto', 'a=x'])), false);
  });

  it('lets nothing of the other side through, whatever else is in the description', () => {
    const secret = 'hidden.mc-a.example';
    fc.assert(
      fc.property(
        fc.constantFrom(
          'tool',
          'cname',
          'ssrc:7 cname',
          'msid',
          'remote-candidates',
          'x-host',
          'rtcp',
        ),
        fc.constantFrom('a=ice-lite', 'a=ptime:20', 'a=sendrecv'),
        (name, before) => {
          const model = offer([before, `a=${name}:${secret}\r\n${before}`]);
          assert.ok(model.audio);
          assert.ok(!new SdpSide('1', AT).offer(model.audio, null).includes(secret));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends every damaged description in a SegyError', () => {
    fc.assert(
      fc.property(fc.nat(OFFER.length), fc.nat(30), fc.string({ maxLength: 8 }), (at, cut, put) => {
        try {
          readSdp(utf8(OFFER.slice(0, at) + put + OFFER.slice(at + cut)));
        } catch (error) {
          assert.ok(error instanceof SegyError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
