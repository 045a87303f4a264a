/**
 * A note of how far the chain had come, kept where whoever can write the log's files cannot write:
 * in the sealed store. A log that ends before it has lost records; the chain alone cannot show that.
 */
import { utf8 } from '../base/bytes.js';
import type { RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';

const KEY = 'anchor';

export interface ChainMark {
  /** number of a record that is in the log */
  readonly seq: number;
  /** SHA-256 of its line */
  readonly hash: string;
}

export interface AuditAnchor {
  /** @throws SegyError SEGY_E_STORE when the note is damaged */
  load(): Promise<ChainMark | undefined>;
  save(mark: ChainMark): Promise<void>;
  /** for a log that begins anew, beside a restored store */
  forget(): Promise<void>;
}

export function anchorIn(records: RecordSpace): AuditAnchor {
  return {
    load: async () => {
      const octets = await records.get(KEY);
      if (octets === undefined) return undefined;
      const [, seq, hash] =
        /^(\d{1,15}) ([0-9a-f]{64})$/.exec(Buffer.from(octets).toString()) ?? [];
      if (seq === undefined || hash === undefined) {
        throw new SegyError('SEGY_E_STORE', 'the note about the audit log is malformed');
      }
      return { seq: Number(seq), hash };
    },
    save: ({ seq, hash }) => records.put(KEY, utf8(`${seq} ${hash}`)),
    forget: () => records.delete(KEY),
  };
}
