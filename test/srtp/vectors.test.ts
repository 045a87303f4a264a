import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '../../src/base/bytes.js';
import {
  deriveSessionKeys,
  SrtpReceiver,
  SrtpSender,
  type SrtpKeyMaterial,
} from '../../src/srtp/index.js';

interface Vectors {
  libsrtp: Record<
    | 'masterKey'
    | 'masterSalt'
    | 'sessionKeyRtp'
    | 'sessionSaltRtp'
    | 'sessionKeyRtcp'
    | 'sessionSaltRtcp'
    | 'rtp'
    | 'srtp'
    | 'rtcp'
    | 'srtcp',
    string
  >;
  mcx: {
    gmk: Record<
      | 'masterKey'
      | 'masterSalt'
      | 'sessionKey'
      | 'sessionSalt'
      | 'rtp'
      | 'mki'
      | 'srtpWithMkiAndRoc',
      string
    >;
    csk: Record<'masterKey' | 'masterSalt' | 'srtcpSessionKey' | 'srtcpSessionSalt', string>;
  };
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/srtp-gcm.json', import.meta.url), 'utf8'),
) as Vectors;

const libsrtp: SrtpKeyMaterial = {
  suite: 'AEAD_AES_128_GCM',
  masterKey: fromHex(vectors.libsrtp.masterKey),
  masterSalt: fromHex(vectors.libsrtp.masterSalt),
  mki: new Uint8Array(0),
  rocRate: 0,
};
const gmk: SrtpKeyMaterial = {
  suite: 'AEAD_AES_128_GCM',
  masterKey: fromHex(vectors.mcx.gmk.masterKey),
  masterSalt: fromHex(vectors.mcx.gmk.masterSalt),
  mki: fromHex(vectors.mcx.gmk.mki),
  rocRate: 1,
};

/** RFC 3711 Appendix B.3: AES-CM key derivation. */
const rfc3711: SrtpKeyMaterial = {
  suite: 'AES_CM_128_HMAC_SHA1_80',
  masterKey: fromHex('E1F97A0D3E018BE0D64FA32C06DE4139'),
  masterSalt: fromHex('0EC675AD498AFEEBB6960B3AABE6'),
  mki: new Uint8Array(0),
  rocRate: 0,
};

describe('SRTP vectors', () => {
  it('derives the session keys of libsrtp for a salt of 12 octets', () => {
    const rtp = deriveSessionKeys(libsrtp, 'rtp');
    const rtcp = deriveSessionKeys(libsrtp, 'rtcp');
    assert.deepEqual([rtp.encryption, rtp.salt, rtcp.encryption, rtcp.salt].map(toHex), [
      vectors.libsrtp.sessionKeyRtp,
      vectors.libsrtp.sessionSaltRtp,
      vectors.libsrtp.sessionKeyRtcp,
      vectors.libsrtp.sessionSaltRtcp,
    ]);
  });

  it('derives the session keys of RFC 3711 Appendix B.3', () => {
    const keys = deriveSessionKeys(rfc3711, 'rtp');
    assert.equal(toHex(keys.encryption), 'c61e7a93744f39ee10734afe3ff7a087');
    assert.equal(toHex(keys.salt), '30cbbc08863d8c85d49db34a9ae1');
    assert.equal(toHex(keys.authentication), 'cebe321f6ff7716b6fd4ab49af256a156d38baa4');
  });

  it('derives the SRTCP keys of a CSK', () => {
    const keys = deriveSessionKeys(
      {
        ...libsrtp,
        masterKey: fromHex(vectors.mcx.csk.masterKey),
        masterSalt: fromHex(vectors.mcx.csk.masterSalt),
      },
      'rtcp',
    );
    assert.equal(toHex(keys.encryption), vectors.mcx.csk.srtcpSessionKey);
    assert.equal(toHex(keys.salt), vectors.mcx.csk.srtcpSessionSalt);
  });

  it('seals the RTP packet of libsrtp octet for octet', () => {
    const sender = new SrtpSender(libsrtp, { ssrc: 0xcafebabe });
    const sealed = sender.protect(fromHex(vectors.libsrtp.rtp), 0x1234);
    assert.equal(toHex(sealed), vectors.libsrtp.srtp);
  });

  it('opens the SRTP packet of libsrtp', () => {
    const receiver = new SrtpReceiver({ keys: [libsrtp] });
    const result = receiver.unprotect(fromHex(vectors.libsrtp.srtp));
    assert.ok(result.ok);
    assert.equal(toHex(result.packet), vectors.libsrtp.rtp);
  });

  it('opens the SRTCP packet of libsrtp', () => {
    const receiver = new SrtpReceiver({ keys: [libsrtp] });
    const result = receiver.unprotectRtcp(fromHex(vectors.libsrtp.srtcp));
    assert.ok(result.ok);
    assert.equal(toHex(result.packet), vectors.libsrtp.rtcp);
    assert.equal(result.index, 1);
  });

  it('seals the RTCP packet of libsrtp octet for octet at its index 1', () => {
    const sender = new SrtpSender(libsrtp, { ssrc: 0xcafebabe });
    sender.protectRtcp(fromHex(vectors.libsrtp.rtcp));
    const sealed = sender.protectRtcp(fromHex(vectors.libsrtp.rtcp));
    assert.equal(toHex(sealed), vectors.libsrtp.srtcp);
  });

  it('puts an MKI of 8 octets and then the ROC behind the tag', () => {
    const sender = new SrtpSender(gmk, { ssrc: 0xdeadbeef });
    const sealed = sender.protect(fromHex(vectors.mcx.gmk.rtp), 1);
    assert.equal(toHex(sealed), vectors.mcx.gmk.srtpWithMkiAndRoc);
  });

  it('opens a packet with an MKI of 8 octets and a ROC', () => {
    const receiver = new SrtpReceiver({ keys: [gmk] });
    const result = receiver.unprotect(fromHex(vectors.mcx.gmk.srtpWithMkiAndRoc));
    assert.ok(result.ok);
    assert.equal(toHex(result.packet), vectors.mcx.gmk.rtp);
  });
});
