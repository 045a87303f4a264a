/**
 * The one file that touches modesl, and the place where its defects are contained. Inbound mode and JSON
 * events only. All of them could be contained from outside, so there is no client of our own beside it:
 *
 * - It throws out of its socket listener on a `%` in a reply header. So its listener is called from ours,
 *   which ends the link instead of the process.
 * - It has no reconnect, and `connected()` stays true after a reset. So the socket's own `close` decides,
 *   and each connection is used for one link.
 * - Its `error` events end the process when nobody listens. A listener is there from the first moment.
 * - A wrong password gives only an event; here it is a rejection.
 * - It writes values into commands as they are. So a command with a control character is refused here.
 * - Callbacks that wait when the connection ends are never called: the port's deadlines end those waits.
 * - It writes a command in two pieces, so that Nagle's algorithm holds each back for 40 ms. It is off.
 * - It subscribes to every executed application of the PBX. Its list is replaced by ours.
 */
import type { Socket } from 'node:net';
import modesl, { type Connection, type Event } from 'modesl';
import { SegyError } from '../../base/errors.js';

/** Where the event socket is, and its password. */
export interface EslAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

export interface EslListener {
  event(event: Event): void;
  closed(reason: string): void;
}

/** One logged-in connection. */
export interface EslConnection {
  /** Sends one `api` command. @returns the body of its answer; never settles when the connection ends */
  api(command: string): Promise<string>;
  close(): void;
}

/** Octets of one message that has not come to its end; beyond it something is wrong with the peer. */
const BUFFER_LIMIT = 32 * 1024 * 1024;

const silence = (): void => undefined;
const down = (message: string): SegyError => new SegyError('SEGY_E_PBX_DOWN', message);

/** Connects, logs in and subscribes. @throws SegyError SEGY_E_PBX_DOWN */
export function openEsl(
  address: EslAddress,
  eventTypes: readonly string[],
  listener: EslListener,
  signal: AbortSignal,
): Promise<EslConnection> {
  return new Promise((resolve, reject) => {
    const connection = new modesl.Connection(address.host, address.port, address.password);
    const { socket } = connection;
    if (socket === null) {
      reject(down('the event socket gave no socket'));
      return;
    }
    socket.setNoDelay(true);
    let reason = 'the event socket was closed';
    let isOpen = false;
    const fail = (why: string): void => {
      reason = why;
      socket.destroy();
    };
    const abort = (): void => fail('stopped');
    signal.addEventListener('abort', abort, { once: true });
    connection.reqEvents = [...eventTypes];
    connection.on('error', (error) => fail(`event socket: ${error.message}`));
    connection.on('esl::connect', () => guardParser(connection, socket, fail));
    connection.on('esl::event::auth::fail', () => fail('the event socket refuses the password'));
    connection.on('esl::event::**', (event) => {
      if (isOpen) listener.event(event);
      else if (event.getHeader('Content-Type') === 'text/rude-rejection') {
        fail('the event socket refuses this address, by its apply-inbound-acl');
      }
    });
    connection.on('esl::ready', () =>
      connection.events('json', eventTypes, (reply) => {
        if (reply.getHeader('Reply-Text')?.startsWith('+OK') !== true) {
          fail('the event socket refuses the subscription');
          return;
        }
        isOpen = true;
        resolve({ api: (command) => api(connection, command), close: () => socket.destroy() });
      }),
    );
    socket.on('close', () => {
      signal.removeEventListener('abort', abort);
      connection.removeAllListeners();
      connection.on('error', silence);
      socket.removeAllListeners();
      socket.on('error', silence);
      if (isOpen) listener.closed(reason);
      else reject(down(reason));
    });
    if (signal.aborted) abort();
  });
}

/** Puts a guard between the socket and the library's parser, whose listener is the only one for data. */
function guardParser(connection: Connection, socket: Socket, fail: (why: string) => void): void {
  const parsers = socket.listeners('data');
  socket.removeAllListeners('data');
  socket.on('data', (chunk) => {
    try {
      for (const parse of parsers) parse.call(socket, chunk);
    } catch {
      fail('the event socket sent what cannot be read');
    }
    if ((connection.parser?.buffer.length ?? 0) > BUFFER_LIMIT) {
      fail('the event socket sent a message without end');
    }
  });
}

function api(connection: Connection, command: string): Promise<string> {
  // A line break would begin another command.
  if (!/^[\x20-\x7e]+$/.test(command)) {
    return Promise.reject(new SegyError('SEGY_E_ARGUMENT', 'a command holds a control character'));
  }
  return new Promise((resolve) => {
    connection.api(command, (event) => resolve(event.getBody() ?? ''));
  });
}
