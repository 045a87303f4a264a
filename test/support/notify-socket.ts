/** A NOTIFY_SOCKET as a service manager has it. Node has no unix datagram sockets: perl-base, which every Debian has, reads it. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { until } from './waiting.js';

const READER = `use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die; $| = 1;
while (defined recv($s, my $line, 4096, 0)) { print "$line\\n" }`;

/** Why there can be none here; null where there can. */
export function noNotifySocket(): string | null {
  for (const [command, option] of [
    ['systemd-notify', '--version'],
    ['perl', '-v'],
  ] as const) {
    if (spawnSync(command, [option]).status !== 0) return `there is no ${command}`;
  }
  return null;
}

export class NotifySocket {
  readonly #child: ChildProcess;
  #text = '';

  private constructor(path: string) {
    this.#child = spawn('perl', ['-e', READER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (octets: Buffer) => (this.#text += octets.toString()));
  }

  static async open(path: string): Promise<NotifySocket> {
    const socket = new NotifySocket(path);
    await until('the socket is there', () => existsSync(path));
    return socket;
  }

  /** What came so far, a line each, without the barriers of systemd-notify. */
  get lines(): string[] {
    return this.#text.split('\n').filter((line) => line !== '' && !line.startsWith('BARRIER'));
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
