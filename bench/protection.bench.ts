/**
 * What an SPK and EARs add to the setup of a private call: the INVITE of a partner verified, decrypted
 * and authenticated, and ours authenticated, encrypted and signed. A setup has one of the two.
 */
import { systemClock, systemRandom } from '../src/base/environment.js';
import type { PartnerConfig } from '../src/config/index.js';
import { protectionSchema } from '../src/config/protection-schema.js';
import { createInlineCrypto, EccsiVerifier } from '../src/crypto/index.js';
import { periodAt } from '../src/kms/index.js';
import { SignallingProtection } from '../src/protect/index.js';
import { makeMultipart, SipHeaders, type SipRequest } from '../src/sip/index.js';
import { makeDomain } from './domains.js';
import { Bench } from './harness.js';

/** What a setup may take longer than without protection, in milliseconds. */
const BOUND_MS = 5;
const ALICE = 'sip:alice@mc-a.example';
const RADIO = 'sip:radio1@lmr.example';
const now = systemClock.now();

const domain = makeDomain('kms.mc-a.example', 'mc-a.example', createInlineCrypto());
const keySet = await domain.issue(ALICE, periodAt(domain.certificate, now));

const protection = protectionSchema.parse({
  spks: [
    {
      id: '30010203',
      keyFile: 'spk',
      rand: '00'.repeat(16),
      validFrom: '2020-01-01T00:00:00Z',
      validTo: '2099-01-01T00:00:00Z',
    },
  ],
  ear: {
    receive: 'explicit',
    send: true,
    codePoints: {
      messageType: 0x91,
      requestIei: 0x70,
      requestIdIei: 0x21,
      requestExpiryIei: 0x22,
      roles: { user: 1, server: 2 },
      signature: 'appended',
    },
    sourceRole: 'user',
    targetRole: 'server',
    acceptRoles: ['user'],
    target: RADIO,
  },
});
const partner = { name: 'mc-a', gms: [] as string[], protection } as unknown as PartnerConfig;
const { certificate } = domain;
const signalling = new SignallingProtection({
  partners: [partner],
  readKeyFile: () => '00'.repeat(16),
  host: 'segy.example',
  clock: systemClock,
  random: systemRandom,
  verifier: new EccsiVerifier({ cacheSize: 8 }),
  replay: { enter: () => Promise.resolve() },
  keys: {
    certificateFor: () => certificate,
    signer: () => Promise.resolve({ certificate, keySet }),
  },
});

const identity = (name: string, uri: string): string =>
  `<${name} type="Normal"><mcpttURI>${uri}</mcpttURI></${name}>`;
const INFO =
  '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><session-type>private</session-type>' +
  identity('mcptt-request-uri', RADIO) +
  identity('mcptt-calling-user-id', ALICE) +
  '</mcptt-Params></mcpttinfo>';

function clearInvite(): SipRequest {
  const part = (type: string, text: string) => ({
    headers: new SipHeaders([['Content-Type', type]]),
    body: new Uint8Array(Buffer.from(text)),
  });
  const sdp = `v=0\r\na=key-mgmt:mikey ${'A'.repeat(1200)}\r\n`;
  const { contentType, body } = makeMultipart(
    [part('application/sdp', sdp), part('application/vnd.3gpp.mcptt-info+xml', INFO)],
    systemRandom,
  );
  const headers = new SipHeaders([
    ['From', '<sip:controlling@mc-a.example>;tag=1'],
    ['Content-Type', contentType],
  ]);
  return { kind: 'request', method: 'INVITE', uri: RADIO, headers, body };
}

async function make(): Promise<SipRequest> {
  const invite = clearInvite();
  await signalling.authenticate(partner, invite, ALICE);
  signalling.seal(partner, invite, invite);
  return invite;
}

const made = await make();
const facts = { caller: ALICE, targets: [RADIO], dialogKey: 'one' };

async function take(): Promise<void> {
  const invite = { ...made, headers: made.headers.clone() };
  const ear = signalling.open(partner, invite, invite);
  await signalling.admit(partner, ear, facts);
}

const bench = new Bench('Protected signalling: what it adds to a setup');
const notes = `bound ${BOUND_MS} ms`;
await bench.measure('take a protected INVITE with an EAR', take, { rounds: 100, notes });
await bench.measure('make a protected INVITE with an EAR', make, { rounds: 100, notes });
bench.print();
