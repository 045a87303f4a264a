/** A DNS server on loopback that answers what a test says; what it does not know has no such name. */
import { createSocket, type Socket } from 'node:dgram';
import { decode, encode, type NaptrAnswer, type SrvAnswer, type StringAnswer } from 'dns-packet';

type Record = (StringAnswer & { type: 'A' | 'AAAA' }) | SrvAnswer | NaptrAnswer;

export class DnsServer {
  readonly #socket: Socket;
  /** what is known now; a test changes it at will */
  records: readonly Record[] = [];
  /** false: nothing is answered */
  answers = true;
  /** questions as `TYPE name` */
  readonly asked: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (octets, { address, port }) => {
      const { id = 0, questions = [] } = decode(octets);
      for (const { type, name } of questions) this.asked.push(`${type} ${name}`);
      if (!this.answers) return;
      const names = questions.map(({ name }) => name.toLowerCase());
      const known = this.records.filter((record) => names.includes(record.name.toLowerCase()));
      const found = known.filter(({ type }) =>
        questions.some((question) => question.type === type),
      );
      const NXDOMAIN = 3;
      const reply = encode({
        type: 'response',
        id,
        flags: known.length > 0 ? 0 : NXDOMAIN,
        questions,
        answers: [...found],
      });
      socket.send(reply, port, address);
    });
  }

  static async open(): Promise<DnsServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new DnsServer(socket);
  }

  /** for the setting `dns.servers` */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }
}

export const a = (name: string, data: string): Record => ({ type: 'A', name, data, ttl: 5 });
export const aaaa = (name: string, data: string): Record => ({ type: 'AAAA', name, data, ttl: 5 });
export const srv = (
  name: string,
  target: string,
  port: number,
  priority = 0,
  weight = 0,
): Record => ({ type: 'SRV', name, ttl: 5, data: { target, port, priority, weight } });
export const naptr = (
  name: string,
  services: string,
  replacement: string,
  order = 10,
  preference = 10,
): Record => ({
  type: 'NAPTR',
  name,
  ttl: 5,
  data: { order, preference, flags: 's', services, regexp: '', replacement },
});
