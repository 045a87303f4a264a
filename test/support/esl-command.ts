/** One `api` command on an event socket, with no part of the product in it. */
import { connect } from 'node:net';
import type { Peer } from './pcap.js';

const ANSWER_MS = 5000;

/** Logs in, sends `api <command>` and ends the connection. @returns the body of the answer */
export function eslCommand(at: Peer, password: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: at.address, port: at.port });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new Error(`event socket, ${command}: ${why}`));
    };
    let pending = Buffer.alloc(0);
    socket.setTimeout(ANSWER_MS, () => fail('no answer in time'));
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('closed before the answer'));
    socket.on('data', (data) => {
      pending = Buffer.concat([pending, data]);
      for (let end = pending.indexOf('\n\n'); end >= 0; end = pending.indexOf('\n\n')) {
        const head = pending.toString('latin1', 0, end);
        const length = Number(/^Content-Length: (\d+)$/m.exec(head)?.[1] ?? 0);
        if (pending.length < end + 2 + length) return;
        const body = pending.toString('utf8', end + 2, end + 2 + length);
        pending = pending.subarray(end + 2 + length);
        if (head.includes('auth/request')) socket.write(`auth ${password}\n\n`);
        else if (head.includes('Reply-Text: +OK')) socket.write(`api ${command}\n\n`);
        else if (head.includes('api/response')) {
          socket.destroy();
          resolve(body);
        } else if (head.includes('rude-rejection')) fail('refused by its apply-inbound-acl');
        else if (head.includes('-ERR invalid')) fail('-ERR invalid: the password is another one');
        else fail(head.replaceAll('\n', ', '));
      }
    });
  });
}
