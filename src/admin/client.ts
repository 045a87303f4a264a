/** The other end of the command socket: how a `segy` command reaches the running gateway. */
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { ERROR_CODES, SegyError } from '../base/errors.js';
import type { SegyErrorCode } from '../base/errors.js';
import { checkPathLength, isSafeSocket } from './socket-path.js';

const NOBODY = new Set(['ENOENT', 'ECONNREFUSED']);

/**
 * Runs one command in the gateway that listens at `socketPath`.
 * @param command its name, such as `user/add`
 * @param body a JSON value
 * @param onEvent is called with each value that the command sends ahead of its result
 * @returns the result, a JSON value
 * @throws SegyError SEGY_E_NOT_RUNNING when nobody listens there, SEGY_E_IO, SEGY_E_CANCELLED, and
 *   whatever the command threw
 */
export async function adminCall(
  socketPath: string,
  command: string,
  body: unknown,
  onEvent?: (value: unknown) => void,
  signal?: AbortSignal,
): Promise<unknown> {
  checkPathLength(socketPath);
  if (!(await isSafeSocket(socketPath))) throw notRunning(socketPath);
  const response = await send(socketPath, command, JSON.stringify(body ?? null), signal);
  try {
    if (response.headers['content-type'] !== 'application/x-ndjson') {
      const value = parse(await textOf(response));
      if (response.statusCode === 200) return value;
      throw errorOf(value);
    }
    for await (const line of linesOf(response)) {
      const value = parse(line);
      if (!isObject(value)) break;
      if ('event' in value) onEvent?.(value.event);
      else if ('error' in value) throw errorOf(value.error);
      else if ('result' in value) return value.result;
    }
  } catch (cause) {
    if (cause instanceof SegyError) throw cause;
    throw signal?.aborted === true
      ? new SegyError('SEGY_E_CANCELLED', 'the command was given up')
      : new SegyError('SEGY_E_IO', 'the gateway ended in the middle of its answer', { cause });
  } finally {
    response.destroy();
  }
  throw new SegyError('SEGY_E_IO', 'the gateway ended in the middle of its answer');
}

function send(
  socketPath: string,
  command: string,
  body: string,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath,
      method: 'POST',
      path: `/v1/${command}`,
      headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
      agent: false,
      ...(signal && { signal }),
    });
    sent.once('response', resolve);
    sent.on('error', (cause: NodeJS.ErrnoException) => {
      if (NOBODY.has(cause.code ?? '')) reject(notRunning(socketPath));
      else if (signal?.aborted === true) {
        reject(new SegyError('SEGY_E_CANCELLED', 'the command was given up'));
      } else {
        reject(new SegyError('SEGY_E_IO', `cannot reach the gateway at ${socketPath}`, { cause }));
      }
    });
    sent.end(body);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', 'the answer of the gateway is no JSON', { cause });
  }
}

function errorOf(value: unknown): SegyError {
  const { code, message } = isObject(value) ? value : {};
  const known = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
  return new SegyError(
    known ? (code as SegyErrorCode) : 'SEGY_E_INTERNAL',
    typeof message === 'string' ? message : 'the gateway refused without a reason',
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function notRunning(socketPath: string): SegyError {
  return new SegyError('SEGY_E_NOT_RUNNING', `no gateway listens at ${socketPath}`);
}
