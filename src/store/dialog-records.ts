/**
 * Dialog records of the edge in a space of the sealed store: what is needed to say BYE after a
 * restart, and no key.
 */
import { utf8 } from '../base/bytes.js';
import type { RecordSpace } from '../base/records.js';
import type { DialogRecord, DialogRecords } from '../edge/index.js';

/** A damaged record is left out: its call ends by the partner's own session timer. */
export function createDialogRecords(records: RecordSpace): DialogRecords {
  return {
    put: (record) => records.put(record.sessionId, utf8(JSON.stringify(record))),
    remove: (sessionId) => records.delete(sessionId),
    all: async () => {
      const listing = await records.all();
      return listing.records.map(
        ({ value }) => JSON.parse(Buffer.from(value).toString('utf8')) as DialogRecord,
      );
    },
  };
}
