import assert from 'node:assert/strict';
import { utf8 } from '../../../src/base/bytes.js';
import {
  acceptedParameters,
  answeredParameters,
  floorLines,
} from '../../../src/edge/sdp/floor-sdp.js';
import { readSdp } from '../../../src/edge/sdp/sdp-read.js';
import { SdpSide } from '../../../src/edge/sdp/sdp-side.js';

const AT = { address: '198.51.100.7', rtpPort: 40000, rtcpPort: 40001 };
const AUDIO = ['m=audio 41000 RTP/AVP 0', 'a=sendrecv'];

const read = (...lines: string[]) =>
  readSdp(
    utf8(
      ['v=0', 'o=- 1 1 IN IP4 10.1.2.3', 's=-', 'c=IN IP4 10.1.2.3', 't=0 0', ...lines, ''].join(
        '\r\n',
      ),
    ),
  );
const line = (fmtp: string) => read(...AUDIO, 'm=application 41002 udp MCPTT', `a=fmtp:${fmtp}`);
const parameters = (fmtp: string) => line(fmtp).floor?.parameters;
const media = (text: string): string[] => text.split('\r\n').filter((l) => l.startsWith('m='));

const FULL = { queueing: true, priority: 5, granted: true, implicitRequest: true };
const NONE = { queueing: false, priority: null, granted: false, implicitRequest: false };

describe('edge/floor-sdp: the floor line', () => {
  it('is read with its port, its address and its parameters', () => {
    const { floor } = read(
      ...AUDIO,
      'm=application 41002 udp MCPTT',
      'c=IN IP4 10.1.2.9',
      'a=fmtp:MCPTT mc_queueing;mc_priority=5;mc_granted;mc_implicit_request',
    );
    assert.deepEqual(floor, { index: 1, address: '10.1.2.9', port: 41002, parameters: FULL });
  });

  it('is read whatever spaces, letters and unknown words its parameters have', () => {
    assert.deepEqual(
      parameters('mcptt mc_queueing; MC_Priority=5 ;mc_new=1;mc_granted;mc_implicit_request'),
      FULL,
    );
  });

  it('has no priority outside 1 to 255', () => {
    for (const text of ['0', '256', '-1', '5x', '']) {
      assert.equal(parameters(`MCPTT mc_priority=${text}`)?.priority, null, text);
    }
    assert.equal(parameters('MCPTT mc_priority=255')?.priority, 255);
  });

  it('is the first live one, and another application line is none', () => {
    const { floor } = read(
      ...AUDIO,
      'm=application 0 udp MCPTT',
      'm=application 41004 udp MCVideo',
      'm=application 41006 UDP mcptt',
    );
    assert.equal(floor?.index, 3);
    assert.equal(read(...AUDIO, 'm=application 9 TCP/MSRP *').floor, null);
  });

  it('is written with what is negotiated and nothing else', () => {
    assert.deepEqual(floorLines({ port: 40002, parameters: FULL }), [
      'm=application 40002 udp MCPTT',
      'a=fmtp:MCPTT mc_queueing;mc_priority=5;mc_granted;mc_implicit_request',
    ]);
    assert.deepEqual(floorLines({ port: 40002, parameters: NONE }), [
      'm=application 40002 udp MCPTT',
    ]);
  });

  it('is answered with no priority above the offered one, and never grants', () => {
    const own = { queueing: true, priority: 200 };
    assert.deepEqual(answeredParameters(FULL, own), { ...NONE, queueing: true, priority: 5 });
    assert.deepEqual(answeredParameters({ ...FULL, priority: 255 }, own), {
      ...NONE,
      queueing: true,
      priority: 200,
    });
    assert.deepEqual(answeredParameters(NONE, own), NONE);
  });

  it('holds nothing of an answer that was not offered', () => {
    const offered = { queueing: false, priority: 100, granted: true, implicitRequest: false };
    assert.deepEqual(acceptedParameters(FULL, offered), { ...NONE, priority: 5 });
    const asked = { ...offered, implicitRequest: true };
    assert.deepEqual(acceptedParameters(FULL, asked), {
      ...NONE,
      priority: 5,
      granted: true,
      implicitRequest: true,
    });
  });

  it('is added to our offer behind the audio, and stays in its place once answered', () => {
    const side = new SdpSide('1', AT);
    const { audio } = read(...AUDIO);
    assert.ok(audio);
    const floor = { port: 40002, parameters: NONE };
    const both = ['m=audio 40000 RTP/AVP 0', 'm=application 40002 udp MCPTT'];
    assert.deepEqual(media(side.offer(audio, null, floor)), both);
    assert.deepEqual(side.places, { audio: 0, floor: 1 });
    assert.deepEqual(media(side.offer(audio, null)), ['m=audio 40000 RTP/AVP 0']);
    side.offer(audio, null, floor);
    side.answered();
    assert.deepEqual(media(side.offer(audio, null)), [
      'm=audio 40000 RTP/AVP 0',
      'm=application 0 udp MCPTT',
    ]);
  });

  it('is answered in the place where it was offered', () => {
    const side = new SdpSide('1', AT);
    const model = read('m=application 41002 udp MCPTT', ...AUDIO);
    side.offered(model);
    const text = side.answer(model.audio, { port: 40002, parameters: NONE });
    assert.deepEqual(media(text), ['m=application 40002 udp MCPTT', 'm=audio 40000 RTP/AVP 0']);
  });
});
