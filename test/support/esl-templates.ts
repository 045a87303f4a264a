/**
 * Events as a real FreeSWITCH 1.11.2 sent them, from the recordings in test/vectors/esl: the fake
 * server makes its own from them, so that it never sends what a real one would not.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './asterisk.js';

export interface TranscriptLine {
  readonly ms: number;
  readonly dir: 'client' | 'server';
  /** octets as latin1 */
  readonly data?: string;
  readonly closed?: boolean;
}

const FOLDER = join(PROJECT_ROOT, 'test/vectors/esl');

export function readTranscript(name: string): TranscriptLine[] {
  return readFileSync(join(FOLDER, `${name}.jsonl`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TranscriptLine);
}

/** One message of the event socket. */
export interface EslMessage {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Messages in `text` (latin1) from its beginning, as many as are whole. */
export function splitMessages(text: string): EslMessage[] {
  const messages: EslMessage[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\n\n');
    if (end < 0) return messages;
    const headers = new Map(
      rest
        .slice(0, end)
        .split('\n')
        .map((line): [string, string] => {
          const colon = line.indexOf(': ');
          return [line.slice(0, colon), line.slice(colon + 2)];
        }),
    );
    const length = Number(headers.get('Content-Length') ?? 0);
    if (rest.length < end + 2 + length) return messages;
    messages.push({ headers, body: rest.slice(end + 2, end + 2 + length) });
    rest = rest.slice(end + 2 + length);
  }
}

export type EventFields = Record<string, string>;

/** All that the server of a recording sent, in order. */
export function serverMessages(name: string): EslMessage[] {
  const data = readTranscript(name)
    .filter((line) => line.dir === 'server')
    .map((line) => line.data ?? '')
    .join('');
  return splitMessages(data);
}

const templates = new Map<string, EventFields>();
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl'))) {
  for (const { headers, body } of serverMessages(file.replace('.jsonl', ''))) {
    if (headers.get('Content-Type') !== 'text/event-json') continue;
    const event = JSON.parse(Buffer.from(body, 'latin1').toString('utf8')) as EventFields;
    const name = event['Event-Name'] ?? '';
    if (!templates.has(name)) templates.set(name, event);
  }
}

/** A recorded event of this name with its call's own values replaced by `fields`. */
export function eventLike(name: string, fields: Readonly<EventFields>): EventFields {
  const template = templates.get(name);
  if (template === undefined) throw new Error(`no recording has the event ${name}`);
  const kept = Object.entries(template).filter(
    ([key]) => !/^variable_sip_(call_id|h_|i_)|^Other-Leg/.test(key),
  );
  return { ...Object.fromEntries(kept), ...fields };
}
