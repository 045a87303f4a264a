import assert from 'node:assert/strict';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { once } from 'node:events';
import { type EslListener, openEsl } from '../../../src/pbx/esl/library.js';
import { readEvent } from '../../../src/pbx/esl/events.js';
import type { PbxEvent } from '../../../src/pbx/driver.js';
import { serverMessages } from '../../support/esl-templates.js';
import { FakeFreeSwitch } from '../../support/esl-fake.js';
import { until } from '../conformance.js';

const TYPES = ['CHANNEL_PARK'];
const NOBODY: EslListener = { event: () => undefined, closed: () => undefined };
const never = (): AbortSignal => new AbortController().signal;

/** A server that answers log-in and subscription, then says `words`. */
async function speaker(words: (write: (text: string) => void) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    let subscriptions = 0;
    socket.write('Content-Type: auth/request\n\n');
    socket.on('data', (data) => {
      for (const command of data.toString('latin1').split('\n\n').filter(Boolean)) {
        const reply = command.startsWith('auth') ? '+OK accepted' : '+OK event listener';
        socket.write(`Content-Type: command/reply\nReply-Text: ${reply}\n\n`);
        if (command.startsWith('event') && ++subscriptions === 2) {
          words((text) => socket.write(Buffer.from(text, 'latin1')));
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const addressOf = (server: Server): { host: string; port: number; password: string } => ({
  host: '127.0.0.1',
  port: (server.address() as AddressInfo).port,
  password: 'ClueCon',
});

/** What ends a connection to a server that says `words`. */
async function endOf(words: string): Promise<string> {
  const server = await speaker((write) => write(words));
  try {
    return await new Promise((resolve, reject) => {
      openEsl(addressOf(server), TYPES, { ...NOBODY, closed: resolve }, never()).catch(reject);
    });
  } finally {
    server.close();
  }
}

describe('pbx/esl/library', () => {
  it('ends the link, not the process, at a reply header with a bare percent sign', async () => {
    const why = await endOf('Content-Type: command/reply\nReply-Text: -ERR 100%\n\n');
    assert.match(why, /cannot be read/);
  });

  it('ends the link at an event that is no JSON', async () => {
    const why = await endOf('Content-Length: 3\nContent-Type: text/event-json\n\n{"a');
    assert.match(why, /event socket/);
  });

  it('rejects with the reason when the password is refused', async () => {
    const fake = await FakeFreeSwitch.start();
    const address = { host: '127.0.0.1', port: fake.port, password: 'wrong' };
    await assert.rejects(openEsl(address, TYPES, NOBODY, never()), {
      code: 'SEGY_E_PBX_DOWN',
      message: /password/,
    });
    await fake.stop();
  });

  it('rejects with the reason when the address is refused', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(
        'Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n',
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await assert.rejects(openEsl(addressOf(server), TYPES, NOBODY, never()), {
      code: 'SEGY_E_PBX_DOWN',
      message: /apply-inbound-acl/,
    });
    server.close();
  });

  it('rejects when nobody listens', async () => {
    const fake = await FakeFreeSwitch.start();
    const address = { host: '127.0.0.1', port: fake.port, password: fake.password };
    await fake.stop();
    await assert.rejects(openEsl(address, TYPES, NOBODY, never()), { code: 'SEGY_E_PBX_DOWN' });
  });

  it('refuses a command with a line break, which would be two', async () => {
    const fake = await FakeFreeSwitch.start();
    const address = { host: '127.0.0.1', port: fake.port, password: fake.password };
    const connection = await openEsl(address, TYPES, NOBODY, never());
    await assert.rejects(connection.api('status\n\napi shutdown'), { code: 'SEGY_E_ARGUMENT' });
    assert.ok(!fake.commands.some((command) => command.includes('shutdown')));
    connection.close();
    await fake.stop();
  });

  it('ends at once on a signal', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const abort = new AbortController();
    const opening = openEsl(addressOf(server), TYPES, NOBODY, abort.signal);
    setTimeout(() => abort.abort(), 20);
    await assert.rejects(opening, { code: 'SEGY_E_PBX_DOWN' });
    server.close();
  });

  describe('reads what a real FreeSWITCH sent', () => {
    /** The recorded events as they travelled, cut into pieces of `size` octets. */
    async function replay(recording: string, size: number): Promise<PbxEvent[]> {
      const octets = serverMessages(recording)
        .filter(({ headers }) => headers.get('Content-Type') === 'text/event-json')
        .map(({ headers, body }) => {
          const lines = [...headers].map(([name, value]) => `${name}: ${value}\n`);
          return `${lines.join('')}\n${body}`;
        })
        .join('');
      const server = await speaker((write) => {
        for (let at = 0; at < octets.length; at += size) write(octets.slice(at, at + size));
      });
      const events: PbxEvent[] = [];
      const listener: EslListener = {
        ...NOBODY,
        event: (event) => {
          const news = readEvent(event);
          if (news !== null) events.push(news);
        },
      };
      const connection = await openEsl(addressOf(server), TYPES, listener, never());
      await until('the call has ended', () => events.some(({ kind }) => kind === 'gone'));
      await new Promise((resolve) => setTimeout(resolve, 30));
      connection.close();
      server.close();
      return events;
    }

    for (const size of [7, 1460, 1_000_000]) {
      it(`in pieces of ${size} octets: a parked call with its Call-ID, then its end`, async () => {
        const events = await replay('inbound-call', size);
        const id = '38982e99-a196-477a-8841-7969b6b342d0';
        assert.deepEqual(events[0], {
          kind: 'channel',
          channel: {
            id,
            name: 'sofia/mc/alice@127.0.0.10',
            callId: 'f9642de715',
            // Recorded without the dialplan of this project, which would mark it.
            handedOver: false,
          },
        });
        assert.deepEqual(events.at(-1), { kind: 'gone', id });
      });
    }

    it('a call that it dials: by its identifier first, by its Call-ID when that is known', async () => {
      const events = await replay('originate', 500);
      const callIds = events.flatMap((news) =>
        news.kind === 'channel' ? [news.channel.callId] : [],
      );
      assert.deepEqual(callIds, [
        '4a9b5487-6cf3-465c-9049-b714e2ed242f',
        '1d66d925-61fc-1240-a181-52107c6b0068',
      ]);
    });

    it('a refused call: its end comes with CHANNEL_HANGUP, before all else is wound up', async () => {
      const events = await replay('kill-parked-call', 100);
      const kinds = events.map(({ kind }) => kind);
      assert.deepEqual(kinds, ['channel', 'gone', 'released', 'gone', 'gone']);
    });
  });
});
