/** The sealed store as a whole, and the audit log's files. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { fromHex, utf8, wipe } from '../../base/bytes.js';
import { backupStore, checkMaster, rekeyStore, verifyStore } from '../../store/index.js';
import type { MasterSecret } from '../../store/index.js';
import { action } from './action.js';

const BACKUP_CHUNK_OCTETS = 48 * 1024;

export const STORE_ACTIONS = {
  'store/verify': action({
    body: z.strictObject({}),
    changes: false,
    timeoutMs: null,
    run: ({ store }) => verifyStore(store),
  }),

  'store/rekey': action({
    body: z.strictObject({
      /** the new master secret; the present one stays when it is absent */
      key: z.string().length(64).optional(),
      passphrase: z.string().min(12).max(4096).optional(),
    }),
    changes: true,
    timeoutMs: null,
    run: async (context, body) => {
      const { store, audit, random, backend } = context;
      const fresh = secretOf(body);
      const master = fresh ?? (await context.master());
      if (fresh === undefined) await checkMaster(backend, master);
      await audit.record({
        action: 'store-rekeyed',
        detail: fresh ? 'new data key, new master key' : 'new data key',
      });
      try {
        await rekeyStore(store, { master, random });
      } finally {
        wipe(master.kind === 'key' ? master.key : master.passphrase);
      }
      return { newMasterKey: fresh !== undefined };
    },
  }),

  /** Sends the backup in base64, part by part. The store goes on while the parts are taken. */
  'store/backup': action({
    body: z.strictObject({
      /** where it goes, for the audit record */
      file: z.string(),
    }),
    changes: true,
    timeoutMs: null,
    run: async ({ store, backend, audit, folder }, { file }, request) => {
      await audit.record({ action: 'store-backed-up', detail: file });
      const draft = join(folder, `backup-${randomUUID()}`);
      try {
        const entries = await backupStore(store, backend, draft);
        const parts = createReadStream(draft, { highWaterMark: BACKUP_CHUNK_OCTETS });
        for await (const part of parts as AsyncIterable<Buffer>) {
          await request.event(part.toString('base64'));
        }
        return { entries };
      } finally {
        await rm(draft, { force: true });
      }
    },
  }),

  /** The last record that is in the log, so that a log cut off at its end is told from a whole one. */
  'audit/end': action({
    body: z.strictObject({}),
    changes: false,
    run: ({ audit }) => Promise.resolve({ end: audit.end }),
  }),

  'audit/rotate': action({
    body: z.strictObject({}),
    changes: true,
    run: async ({ audit }) => {
      await audit.rotate();
      return {};
    },
  }),
};

function secretOf(body: {
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
}): MasterSecret | undefined {
  if (body.key !== undefined) return { kind: 'key', key: fromHex(body.key) };
  if (body.passphrase === undefined) return undefined;
  return { kind: 'passphrase', passphrase: utf8(body.passphrase) };
}
