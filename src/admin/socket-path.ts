/** The place of the command socket in the file system, and who may stand behind it. */
import { lstat, unlink } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { SegyError } from '../base/errors.js';

/** Name of the socket in the state folder, where the configuration names no other place. */
const SOCKET_NAME = 'segy.sock';
/** sun_path holds 108 octets, one of them the end. */
const MAX_PATH_OCTETS = 107;
const GROUP_AND_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

export function defaultSocketPath(stateDir: string): string {
  return join(stateDir, SOCKET_NAME);
}

/** @throws SegyError SEGY_E_IO when the system cannot name a socket so */
export function checkPathLength(path: string): void {
  if (Buffer.byteLength(path) > MAX_PATH_OCTETS) {
    throw new SegyError(
      'SEGY_E_IO',
      `${path} is longer than the ${MAX_PATH_OCTETS} octets of a socket's name; set admin.socket to a shorter one`,
    );
  }
}

/**
 * A folder in which only its owner can put a socket.
 * @throws SegyError SEGY_E_IO
 */
export async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const found = await statOf(folder);
  if (found?.isDirectory() !== true) throw new SegyError('SEGY_E_IO', `${folder} is no folder`);
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new SegyError('SEGY_E_IO', `${folder} can be written by others than its owner`);
  }
}

/**
 * A socket of the one who asks, of root, or of the owner of its folder, closed to everybody else:
 * so that no command is told to a stranger.
 * @returns false when there is none
 * @throws SegyError SEGY_E_IO
 */
export async function isSafeSocket(path: string): Promise<boolean> {
  const found = await statOf(path);
  if (found === undefined) return false;
  const folder = await statOf(dirname(path));
  const owners = [0, process.geteuid?.(), folder?.uid];
  if (!found.isSocket() || !owners.includes(found.uid) || (found.mode & GROUP_AND_OTHERS) !== 0) {
    throw new SegyError('SEGY_E_IO', `${path} is no socket that only its owner can use`);
  }
  return true;
}

/**
 * Removes a socket that a gateway left when it crashed.
 * @throws SegyError SEGY_E_IO when somebody listens there, or it is no socket
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await statOf(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new SegyError('SEGY_E_IO', `${path} is there and is no socket`);
  if (await somebodyListens(path)) {
    throw new SegyError('SEGY_E_IO', `another process listens at ${path}`);
  }
  await unlink(path);
}

function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (listens: boolean): void => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', () => end(true));
    // Anything but a refusal leaves it open whether somebody is there.
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code !== 'ECONNREFUSED'));
  });
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SegyError('SEGY_E_IO', `cannot look at ${path}`, { cause });
  }
}
