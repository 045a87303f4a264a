/** Keys of homed groups on their way to a partner's GMS and to its members, from the running gateway. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '../../src/base/bytes.js';
import { gukId, parseIMessage } from '../../src/mikey/index.js';
import { SimAgent, SimSubscription } from '../../src/sim/index.js';
import type { CallMedia } from '../../src/sim/index.js';
import {
  createResponse,
  decodedContent,
  leafParts,
  parseBody,
  type ServerTransaction,
  type SipRequest,
} from '../../src/sip/index.js';
import { runSegyBeside } from '../support/cli.js';
import type { CliResult } from '../support/cli.js';
import { FakePbx } from '../support/fake-pbx.js';
import type { Peer } from '../support/pcap.js';
import { freePort } from '../support/ports.js';
import { RADIO_1, Scene, sceneEnvironment } from '../support/scene.js';
import { hasSecondOpener, openElsewhere } from '../support/second-opener.js';
import { skipBecause } from '../support/skip.js';
import { until } from '../support/waiting.js';

const GMS = 'sip:gms@lmr.example';
const THEIR_GMS = 'sip:gms@mc-a.example';
const TALKGROUP = 'sip:tg1@lmr.example';
const SMALL = 'sip:tg2@lmr.example';
const UMA = 'sip:uma@mc-u.example';
const MEMBERS = Array.from({ length: 40 }, (_, i) => `sip:m${i}@mc-a.example`);
const BATCH = 16;
const REDIRECT =
  '<KmsRedirectResponse xmlns="urn:3gpp:ns:mcsecKMSKRR:1.0"><Purpose>wrong</Purpose>' +
  '<Refused>kms.mc-a.example</Refused><Use>kms.new.mc-a.example</Use></KmsRedirectResponse>';

interface Status {
  readonly keys: readonly {
    readonly keyId: string;
    readonly keyType: string;
    readonly deliveries: { readonly delivered: number };
  }[];
  readonly problems: readonly {
    readonly member: string;
    readonly status: number;
    readonly redirect: { readonly purpose: string; readonly kmsUri: string } | null;
  }[];
}

describe('keys of homed groups for a partner', function () {
  this.timeout(60_000);
  let scene: Scene;
  let udp: Peer;
  let uma: SimAgent<CallMedia>;
  const requests: SipRequest[] = [];
  const toUma: ServerTransaction[] = [];
  /** refuses what comes, as a GMS does that knows another KMS */
  let redirects = false;

  before(async () => {
    udp = { address: '127.0.2.3', port: await freePort('127.0.2.3') };
    scene = await Scene.start({
      pbx: await FakePbx.start(),
      config: {
        gms: {
          uri: GMS,
          xcapRoot: 'https://gms.lmr.example/xcap-root',
          keys: { activationSeconds: 1, overlapSeconds: 1, tellRevoked: false },
        },
      },
      partner: {
        gms: [THEIR_GMS],
        distribution: { to: 'gms', form: 'gktp', batch: BATCH },
        redirectResponse: {
          enabled: true,
          elements: {
            purpose: 'Purpose',
            refusedKmsUri: 'Refused',
            kmsUri: 'Use',
            'purpose.responder-kms-wrong': 'wrong',
          },
        },
      },
      more: [{ name: 'mc-u', users: [UMA], sip: udp, protocol: 'udp', profile: {} }],
    });
    scene.mc.agent.onOther = (transaction) => {
      const { request } = transaction;
      if (request.method !== 'OPTIONS') requests.push(request);
      const response = createResponse(request, redirects ? 488 : 200);
      if (redirects) {
        response.headers.set('Content-Type', 'application/vnd.3gpp.kmsredirectresponse+xml');
        response.body = utf8(REDIRECT);
      }
      transaction.respond(response);
    };
    uma = new SimAgent({ name: 'uma', ...udp, protocol: 'udp', large: true }, sceneEnvironment);
    uma.onOther = (transaction) => {
      if (transaction.request.method === 'MESSAGE') toUma.push(transaction);
      transaction.respond(createResponse(transaction.request, 200));
    };
    await uma.open();
  });
  after(async () => {
    await uma.close();
    await scene.stop();
  });

  const run = (...args: readonly string[]): Promise<CliResult> =>
    runSegyBeside([...args, '--config', join(scene.folder, 'segy.yaml')]);
  async function segy(...args: readonly string[]): Promise<Record<string, unknown>> {
    const { status, stdout, stderr } = await run(...args, '--json');
    assert.equal(status, 0, stderr + stdout);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  }
  const status = async (): Promise<Status> =>
    (await segy('group', 'status', 'tg1')) as unknown as Status;

  const partsOf = ({ headers, body }: SipRequest) =>
    leafParts(parseBody(headers.get('Content-Type') ?? '', body)).map((part) => ({
      type: part.contentType.type,
      octets: decodedContent(part),
    }));
  /** I_MESSAGEs in the key transport XML of a request, which libxml2 has to read. */
  function keysIn(request: SipRequest): { list: string; message: Uint8Array }[] {
    return partsOf(request)
      .filter(({ type }) => type.includes('gktp'))
      .flatMap(({ octets }) => {
        const { status: code, stderr } = spawnSync('xmllint', ['--noout', '-'], { input: octets });
        assert.equal(code, 0, stderr.toString());
        const text = Buffer.from(octets).toString();
        const list = /<([A-Z]+-GKTPs) xmlns="urn:3gpp:ns:mcpttGKTP:1.0">/.exec(text)?.[1] ?? '';
        return [...text.matchAll(/<GKTP id="sip:tg1@lmr\.example">([^<]+)<\/GKTP>/g)].map(
          ([, base64]) => ({ list, message: Buffer.from(base64 ?? '', 'base64') }),
        );
      });
  }

  it('go to its GMS in MESSAGEs of sixteen, each member’s under its own GUK-ID', async function () {
    if (!hasSecondOpener())
      skipBecause(this, 'messages are opened by python3: it is not installed');
    const file = join(scene.folder, 'members');
    writeFileSync(file, MEMBERS.join('\n'));
    await segy('group', 'create', TALKGROUP, '--speaker', RADIO_1.uri, '--members-file', file);
    await until('all are sent', () => requests.flatMap(keysIn).length === MEMBERS.length);
    for (const request of requests) {
      assert.deepEqual([request.method, request.uri], ['MESSAGE', THEIR_GMS]);
      assert.ok(keysIn(request).length <= BATCH);
    }
    assert.ok(requests.length < MEMBERS.length / 4, `${requests.length} requests`);
    const messages = new Map(
      requests.flatMap(keysIn).map(({ message }) => [responderOf(message), message]),
    );
    assert.deepEqual([...messages.keys()].sort(), [...MEMBERS].sort());

    const { domain } = scene;
    const opened = await openElsewhere(
      await Promise.all(
        [MEMBERS[0]!, MEMBERS[39]!].map(async (member) => ({
          message: messages.get(member)!,
          member,
          rsk: (await domain.keySet(member)).rsk,
          theirs: domain.certificate,
          initiator: GMS,
          ours: domain.find('kms.lmr.example')!,
        })),
      ),
    );
    const [{ key, keyId }] = opened as [(typeof opened)[0]];
    assert.equal(keyId, (await status()).keys[0]?.keyId);
    for (const [member, message] of messages) {
      const own = gukId(Buffer.from(key, 'hex'), Buffer.from(keyId, 'hex'), member);
      assert.equal(toHex(parseIMessage(message).header.csbId), toHex(own));
    }
  });

  it('that a KMS Redirect Response refuses wait, and segy group status says why', async () => {
    requests.length = 0;
    redirects = true;
    await segy('group', 'rekey', 'tg1', '--no-wait');
    await until('a batch is refused', async () => (await status()).problems.length >= BATCH);
    const [problem] = (await status()).problems;
    assert.equal(problem?.status, 488);
    assert.equal(problem.redirect?.purpose, 'responder-kms-wrong');
    assert.equal(problem.redirect.kmsUri, 'kms.new.mc-a.example');
    const { stdout } = await run('group', 'status', 'tg1');
    assert.match(stdout, /sip:m\d+@mc-a\.example .*488.*KMS redirect: .*kms\.new\.mc-a\.example/);

    redirects = false;
    await segy('group', 'retry', 'tg1');
    await until(
      'all have it',
      async () => (await status()).keys.at(-1)?.deliveries.delivered === MEMBERS.length,
      20_000,
    );
    assert.deepEqual((await status()).problems, []);
  });

  it('come whole to its GMS that subscribes, also where they are more than one NOTIFY takes', async () => {
    requests.length = 0;
    const subscription = new SimSubscription(scene.mc.agent, {
      target: { ...scene.outer, protocol: 'tcp' },
      requestUri: GMS,
      from: 'sip:gms@127.0.2.1',
      user: THEIR_GMS,
      groups: [TALKGROUP],
    });
    await subscription.start();
    const current = (await status()).keys.at(-1)!.keyId;
    const notified = (): SipRequest[] => requests.filter(({ method }) => method === 'NOTIFY');
    await until('every key has come', () => notified().flatMap(keysIn).length >= MEMBERS.length);
    const [first, second] = notified();
    assert.ok(keysIn(first!).length <= 32 && keysIn(first!).length > 0);
    assert.equal(partsOf(first!)[0]?.type, 'application/xcap-diff+xml');
    assert.ok(keysIn(second!).length > 0);
    assert.ok(!partsOf(second!).some(({ type }) => type.includes('xcap-diff')));
    const to = new Set(
      notified()
        .flatMap(keysIn)
        .map(({ message }) => responderOf(message)),
    );
    assert.deepEqual([...to].sort(), [...MEMBERS].sort());

    requests.length = 0;
    await segy('group', 'rekey', 'tg1', '--no-wait');
    await until('a new key came', () => requests.flatMap(keysIn).length >= MEMBERS.length);
    assert.ok(
      requests.every(({ method }) => method === 'NOTIFY'),
      'and no MESSAGE beside it',
    );
    assert.notEqual((await status()).keys.at(-1)!.keyId, current);
    const ending = subscription.end();
    await until('the last SUBSCRIBE is answered', () =>
      requests.some(({ headers }) =>
        (headers.get('Subscription-State') ?? '').includes('terminated'),
      ),
    );
    subscription.notified(requests.at(-1)!);
    await ending;
  });

  it('are an MKFC beside the GMK where floor control is multicast, rolled together', async () => {
    requests.length = 0;
    await segy(
      'group',
      'create',
      SMALL,
      '--multicast-floor',
      '--member',
      MEMBERS[0]!,
      '--member',
      UMA,
    );
    const listed = (): string[] =>
      requests.flatMap((request) =>
        partsOf(request).flatMap(
          ({ type, octets }) =>
            (type.includes('gktp')
              ? /<([A-Z]+)-GKTPs/.exec(Buffer.from(octets).toString())
              : null)?.[1] ?? [],
        ),
      );
    await until('both have come', () => listed().length >= 2 && toUma.length >= 1);
    assert.deepEqual(listed().sort(), ['GMK', 'MKFC']);
    requests.length = 0;
    const { keys } = await segy('group', 'rekey', 'tg2', '--no-wait');
    assert.equal((keys as string[]).length, 2);
    assert.deepEqual((keys as string[]).map((id) => id[0]).sort(), ['0', '4'], 'purpose tags');
    await until('both have come anew', () => listed().length >= 2);
    assert.deepEqual(listed().sort(), ['GMK', 'MKFC']);
  });

  it('go over TCP where the partner is on UDP and they are too large for a datagram', async () => {
    await until('they have come', () => toUma.length > 0);
    for (const { request, source } of toUma) {
      assert.equal(source.protocol, 'tcp');
      assert.equal(request.uri, UMA);
      assert.ok(partsOf(request).some(({ type }) => type === 'application/mikey'));
    }
  });
});

/** IDRr of the message. */
function responderOf(message: Uint8Array): string {
  for (const payload of parseIMessage(message).payloads) {
    if (payload.name === 'IDR' && payload.role === 2) return Buffer.from(payload.data).toString();
  }
  throw new Error('no IDRr');
}
