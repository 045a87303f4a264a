/**
 * The SIP stack that FreeSWITCH is built on, in the place of FreeSWITCH: compiles `sofia-tool.c` once and
 * commands it. The event socket beside it is the fake's.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FakeFreeSwitch, type FakeChannel } from './esl-fake.js';
import type { PbxInstance } from './pbx-instance.js';
import type { Peer } from './pcap.js';
import { freePort } from './ports.js';
import { within } from './waiting.js';

export interface SofiaEvent {
  readonly name: string;
  /** Call-ID */
  readonly id: string;
  readonly status: number;
  readonly detail: string;
}

interface Waiter {
  readonly fits: (event: SofiaEvent) => boolean;
  readonly found: (event: SofiaEvent) => void;
}

export class SofiaPbx implements PbxInstance {
  readonly version = 'sofia-sip';
  readonly isOwn = true;
  readonly password: string;
  readonly control: Peer;
  /** events that nobody took */
  readonly #events: SofiaEvent[] = [];
  readonly #waiting: Waiter[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #folder: string;

  private constructor(
    readonly fake: FakeFreeSwitch,
    readonly edge: Peer,
    readonly sip: Peer,
    readonly radio: Peer,
    folder: string,
  ) {
    this.password = fake.password;
    this.control = { address: '127.0.0.1', port: fake.port };
    this.#folder = folder;
    this.#child = spawn(join(folder, 'tool'), [sip.address, String(sip.port)]);
    let text = '';
    this.#child.stdout.on('data', (data: Buffer) => {
      const lines = (text + data.toString('utf8')).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) this.#heard(line);
    });
  }

  /** Where the tool is compiled, or why it is not. */
  static build(): { readonly folder: string } | { readonly missing: string } {
    const folder = mkdtempSync(join(tmpdir(), 'segy-sofia-'));
    const source = fileURLToPath(new URL('../../../test/support/sofia-tool.c', import.meta.url));
    const include = '-I/usr/include/sofia-sip-1.12';
    const result = spawnSync(
      'cc',
      ['-O1', '-o', join(folder, 'tool'), source, include, '-lsofia-sip-ua'],
      { encoding: 'utf8' },
    );
    if (result.status === 0) return { folder };
    rmSync(folder, { recursive: true, force: true });
    const reason = result.error?.message ?? result.stderr.split('\n')[0] ?? '';
    return { missing: `cc failed (apt-get install gcc libsofia-sip-ua-dev): ${reason}` };
  }

  static async start(folder: string, edge: Peer): Promise<SofiaPbx> {
    const sip = { address: '127.0.0.1', port: await freePort() };
    const radio = { address: '127.0.0.3', port: await freePort('127.0.0.3') };
    const pbx = new SofiaPbx(await FakeFreeSwitch.start(), edge, sip, radio, folder);
    await pbx.next('ready');
    return pbx;
  }

  get trunk(): Peer {
    return this.sip;
  }

  settings({ address, port }: Peer, passwordFile: string): Readonly<Record<string, unknown>> {
    return { type: 'freeswitch', esl: { host: address, port, passwordFile } };
  }

  command(...words: readonly string[]): void {
    this.#child.stdin.write(`${words.join(' ')}\n`);
  }

  /** The next event of that name, and of that call where one is named; also one that came before. */
  next(name: string, id?: string): Promise<SofiaEvent> {
    const fits = (event: SofiaEvent): boolean =>
      event.name === name && (id === undefined || event.id === id);
    const at = this.#events.findIndex(fits);
    if (at >= 0) return Promise.resolve(this.#events.splice(at, 1)[0]!);
    const coming = new Promise<SofiaEvent>((found) => this.#waiting.push({ fits, found }));
    return within(`sofia-sip tells of ${name}`, coming);
  }

  /** Events of that name that nobody took. */
  untaken(name: string): readonly SofiaEvent[] {
    return this.#events.filter((event) => event.name === name);
  }

  /** Parks the call of an `invite` event as the context from-segy does, and does `transferred` after it. */
  park({ id, detail }: SofiaEvent, transferred: () => void): FakeChannel {
    const [user = '', session = ''] = detail.split(' ');
    const channel = this.fake.addChannel({
      direction: 'inbound',
      name: 'sofia/segy/alice@127.0.0.2',
      callId: id,
      callState: 'RINGING',
      ended: () => this.command('bye', id),
      transferred,
    });
    channel.variables.set('sip_h_X-SeGy-Session', session);
    channel.variables.set('SEGY_TARGET', user);
    channel.variables.set('SEGY_CONTEXT', 'segy-checked');
    channel.variables.set('current_application', 'park');
    this.fake.emit('CHANNEL_PARK', channel);
    return channel;
  }

  /** Dials `user` at the gateway on a new channel, whose identifier is the Call-ID. */
  dial(from: string, user: string): FakeChannel {
    const channel = this.fake.addChannel({
      direction: 'outbound',
      name: `sofia/segy/${user}`,
      callId: '',
      callState: 'RINGING',
      ended: () => undefined,
    });
    Object.assign(channel, { callId: channel.uuid });
    this.fake.emit('CHANNEL_ORIGINATE', channel);
    this.command('invite', channel.uuid, this.uriOf(user), from);
    return channel;
  }

  uriOf(user: string): string {
    return `sip:${user}@${this.edge.address}:${this.edge.port}`;
  }

  channelCount(): Promise<number> {
    return Promise.resolve(this.fake.channels.size);
  }

  hangUpAll(): Promise<void> {
    for (const uuid of [...this.fake.channels.keys()]) this.fake.hangUp(uuid, 'NORMAL_CLEARING');
    return Promise.resolve();
  }

  log(): string {
    return this.#events.map(({ name, status, detail }) => `${name} ${status} ${detail}`).join('\n');
  }

  kill(): Promise<void> {
    return this.stop();
  }

  run(): Promise<void> {
    return Promise.reject(new Error('it is not started again'));
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.fake.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #heard(line: string): void {
    const [name = '', id = '', status = '', detail = ''] = line.split('\t');
    const event = { name, id, status: Number(status), detail };
    const at = this.#waiting.findIndex(({ fits }) => fits(event));
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.found(event);
    else this.#events.push(event);
  }
}
