/** The audit log as written and as read again: chain, files, rotation, the end noted in the store, search. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../src/base/environment.js';
import { anchorIn, AuditLog, showAudit, verifyAudit } from '../../src/audit/index.js';
import type { AuditLogOptions } from '../../src/audit/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions, withFolder } from '../store/support.js';

function auditOptions(folder: string, more: Partial<AuditLogOptions> = {}): AuditLogOptions {
  let now = Date.UTC(2026, 0, 2, 3, 4, 5);
  return { folder, clock: { now: () => (now += 1000) }, log: silentLog, ...more };
}

const FIRST_FILE = 'audit-000000000001.log';

async function writeRecords(folder: string, count: number): Promise<string> {
  const log = await AuditLog.open(auditOptions(folder));
  for (let i = 0; i < count; i += 1) {
    await log.record({ action: 'opened', keyType: 'PCK', keyId: `1000000${i}` });
  }
  await log.close();
  return join(folder, FIRST_FILE);
}

describe('audit log', () => {
  it('has a record on disk when its promise resolves, in a file only its owner may read', () =>
    withFolder(async (folder) => {
      const log = await AuditLog.open(auditOptions(folder));
      await log.record({ action: 'made', keyType: 'PCK', keyId: '1abcdef0', partner: 'mc-a' });
      const file = join(folder, FIRST_FILE);
      assert.match(readFileSync(file, 'utf8'), /"seq":1,.*"action":"made",.*"keyId":"1abcdef0"/);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      await log.close();
    }));

  it('goes on with the chain after it is opened again', () =>
    withFolder(async (folder) => {
      await writeRecords(folder, 3);
      await writeRecords(folder, 2);
      const verified = await verifyAudit(folder);
      assert.deepEqual(
        [verified.ok, verified.lines, verified.lastSeq, verified.fromStart],
        [true, 5, 5, true],
      );
    }));

  it('keeps the order of records made at once', () =>
    withFolder(async (folder) => {
      const log = await AuditLog.open(auditOptions(folder));
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => log.record({ action: 'opened', dialog: `d${i}` })),
      );
      await log.close();
      const dialogs: (string | undefined)[] = [];
      for await (const line of showAudit(folder, {})) dialogs.push(line.dialog);
      assert.deepEqual(
        dialogs,
        Array.from({ length: 500 }, (_, i) => `d${i}`),
      );
      assert.equal((await verifyAudit(folder)).ok, true);
    }));

  it('keeps text from outside within its own line', () =>
    withFolder(async (folder) => {
      const log = await AuditLog.open(auditOptions(folder));
      await log.record({ action: 'opened', initiator: 'sip:a@b\n{"seq":2}\u2028\ud800' });
      await log.close();
      assert.equal((await verifyAudit(folder)).lines, 1);
    }));

  it('takes over none of the fields that it does not know', () =>
    withFolder(async (folder) => {
      const log = await AuditLog.open(auditOptions(folder));
      await log.record({ action: 'opened', ...{ key: 'secret-octets' } });
      await log.close();
      assert.equal(readFileSync(join(folder, FIRST_FILE), 'utf8').includes('secret'), false);
    }));

  describe('tampering is found', () => {
    const attacks: Record<string, (lines: string[]) => string[]> = {
      'a changed line': (l) => [l[0]!, l[1]!.replace('10000001', '10000009'), l[2]!, l[3]!],
      'a removed line': (l) => [l[0]!, l[2]!, l[3]!],
      'two lines exchanged': (l) => [l[0]!, l[2]!, l[1]!, l[3]!],
      'a line added': (l) => [l[0]!, l[1]!, l[1]!, l[2]!, l[3]!],
      'a line that is no record': (l) => [l[0]!, 'x', l[2]!, l[3]!],
      'the first lines removed': (l) => [l[2]!, l[3]!],
    };
    for (const [name, attack] of Object.entries(attacks)) {
      it(name, () =>
        withFolder(async (folder) => {
          const file = await writeRecords(folder, 4);
          const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
          writeFileSync(file, `${attack(lines).join('\n')}\n`);
          const verified = await verifyAudit(folder);
          assert.equal(verified.ok, false);
          assert.match(verified.faults[0]!, /audit-000000000001\.log/);
        }),
      );
    }

    it('a file taken out of the middle', () =>
      withFolder(async (folder) => {
        const log = await AuditLog.open(auditOptions(folder));
        for (let i = 0; i < 2; i += 1) {
          await log.record({ action: 'opened' });
          await log.rotate();
        }
        await log.close();
        unlinkSync(join(folder, readdirSync(folder).sort()[1]!));
        assert.equal((await verifyAudit(folder)).ok, false);
      }));

    it('a broken last file stops the log from being opened', () =>
      withFolder(async (folder) => {
        const file = await writeRecords(folder, 3);
        writeFileSync(file, readFileSync(file, 'utf8').replace('10000000', '10000009'));
        await assert.rejects(AuditLog.open(auditOptions(folder)), { code: 'SEGY_E_AUDIT' });
      }));
  });

  it('cuts off a line that a crash tore, and says so', () =>
    withFolder(async (folder) => {
      const file = await writeRecords(folder, 2);
      appendFileSync(file, '{"seq":3,"at":"2026');
      assert.equal((await verifyAudit(folder)).ok, true);
      await writeRecords(folder, 1);
      const verified = await verifyAudit(folder);
      assert.deepEqual([verified.ok, verified.lines], [true, 4]);
      const lines: string[] = [];
      for await (const line of showAudit(folder, { action: 'log-recovered' })) {
        lines.push(line.detail!);
      }
      assert.deepEqual(lines, ['19 octets cut off']);
    }));

  for (const octets of [70_000, 200_000]) {
    it(`cuts nothing off where ${octets} octets of damage stand before whole records`, () =>
      withFolder(async (folder) => {
        const file = await writeRecords(folder, 4);
        const [first, ...others] = readFileSync(file, 'utf8').split('\n');
        const damaged = [first, '\0'.repeat(octets), ...others].join('\n');
        writeFileSync(file, damaged);
        assert.match((await verifyAudit(folder)).faults.join(), /a line longer than any/);
        await assert.rejects(AuditLog.open(auditOptions(folder)), { code: 'SEGY_E_AUDIT' });
        assert.equal(readFileSync(file, 'utf8'), damaged);
      }));
  }

  describe('with its end noted in the sealed store', () => {
    async function anchored(folder: string) {
      const anchor = anchorIn((await openStore(storeOptions(new MemoryBackend()))).space('audit'));
      return { anchor, open: () => AuditLog.open(auditOptions(folder, { anchor })) };
    }

    it('says so when its last records were cut off, and fails verification from then on', () =>
      withFolder(async (folder) => {
        const { open } = await anchored(folder);
        const log = await open();
        for (let i = 0; i < 4; i += 1) await log.record({ action: 'opened' });
        await log.close();
        const file = join(folder, FIRST_FILE);
        const lines = readFileSync(file, 'utf8').split('\n');
        writeFileSync(file, `${lines.slice(0, 2).join('\n')}\n`);
        assert.equal((await verifyAudit(folder)).ok, true);
        await (await open()).close();
        const { faults } = await verifyAudit(folder);
        assert.match(faults[0]!, /ended at record 2, the store remembers record 4/);
      }));

    it('fails verification at once where the end that was written is known', () =>
      withFolder(async (folder) => {
        const file = join(folder, FIRST_FILE);
        const audit = await AuditLog.open(auditOptions(folder));
        assert.equal(audit.end, null);
        for (const dialog of ['1', '2', '3']) await audit.record({ action: 'opened', dialog });
        const end = audit.end!;
        await audit.close();
        assert.deepEqual((await verifyAudit(folder, end)).faults, []);
        const [first, second] = readFileSync(file, 'utf8').split('\n');
        writeFileSync(file, `${first}\n${second}\n`);
        assert.match((await verifyAudit(folder, end)).faults.join(), /record 2; record 3 was/);
        assert.match((await verifyAudit(folder, { ...end, seq: 2 })).faults.join(), /another/);
        writeFileSync(file, '');
        assert.match((await verifyAudit(folder, end)).faults.join(), /record 0; record 3 was/);
      }));

    it('says so when all of it was taken away', () =>
      withFolder(async (folder) => {
        const { open } = await anchored(folder);
        const log = await open();
        await log.record({ action: 'opened' });
        await log.close();
        unlinkSync(join(folder, FIRST_FILE));
        await (await open()).close();
        assert.equal((await verifyAudit(folder)).ok, false);
      }));

    it('says so when a chain of other records stands in its place', () =>
      withFolder(async (folder) => {
        const { open } = await anchored(folder);
        const log = await open();
        await log.record({ action: 'opened' });
        await log.close();
        unlinkSync(join(folder, FIRST_FILE));
        await writeRecords(folder, 3);
        await (await open()).close();
        const { faults } = await verifyAudit(folder);
        assert.match(faults[0]!, /record 1 is another than the store remembers/);
      }));

    it('says nothing after an ordinary stop, a crash, or a rotation', () =>
      withFolder(async (folder) => {
        const { open } = await anchored(folder);
        const crashed: AuditLog[] = [];
        for (let i = 0; i < 3; i += 1) {
          const log = await open();
          for (let n = 0; n < 70; n += 1) await log.record({ action: 'opened' });
          await log.rotate();
          if (i === 1) crashed.push(log);
          else await log.close();
        }
        assert.deepEqual((await verifyAudit(folder)).faults, []);
        for (const log of crashed) await log.close();
      }));
  });

  it('can be read back when every field is as long as it may be', () =>
    withFolder(async (folder) => {
      const log = await AuditLog.open(auditOptions(folder));
      const long = '\u0001'.repeat(5000);
      await log.record({
        action: 'opened',
        initiator: long,
        responder: long,
        user: long,
        detail: long,
        dialog: long,
        message: long,
        group: long,
        kmsUri: long,
        partner: long,
        keyId: long,
        keyType: long,
        keyPeriodNo: long,
        fingerprint: long,
      });
      await log.close();
      assert.deepEqual(
        [(await verifyAudit(folder)).ok, (await verifyAudit(folder)).lines],
        [true, 1],
      );
    }));

  describe('rotation', () => {
    it('keeps the chain over files, also when the newest is still empty', () =>
      withFolder(async (folder) => {
        const log = await AuditLog.open(auditOptions(folder, { maxFileOctets: 500 }));
        for (let i = 0; i < 10; i += 1) await log.record({ action: 'opened' });
        await log.close();
        assert.ok(readdirSync(folder).length > 2);
        writeFileSync(join(folder, 'audit-000000000011.log'), '');
        await writeRecords(folder, 1);
        const verified = await verifyAudit(folder);
        assert.deepEqual([verified.ok, verified.lines], [true, 11]);
      }));

    it('lets the oldest files be taken away, and says that the chain begins later', () =>
      withFolder(async (folder) => {
        const log = await AuditLog.open(auditOptions(folder, { maxFileOctets: 500 }));
        for (let i = 0; i < 10; i += 1) await log.record({ action: 'opened' });
        await log.close();
        unlinkSync(join(folder, FIRST_FILE));
        const verified = await verifyAudit(folder);
        assert.deepEqual([verified.ok, verified.fromStart], [true, false]);
      }));
  });

  it('refuses every record while none can be written, then says so and goes on with the chain', () =>
    withFolder(async (folder) => {
      const log = await AuditLog.open(auditOptions(folder, { maxFileOctets: 1 }));
      await log.record({ action: 'opened' });
      const obstacle = join(folder, 'audit-000000000002.log');
      mkdirSync(obstacle);
      for (let i = 0; i < 2; i += 1) {
        await assert.rejects(log.record({ action: 'opened' }), { code: 'SEGY_E_AUDIT' });
        assert.match(log.fault!, /EISDIR/);
      }
      rmdirSync(obstacle);
      await log.record({ action: 'made' });
      assert.equal(log.fault, null);
      await log.close();
      await assert.rejects(log.record({ action: 'made' }), /closed/);
      const actions: string[] = [];
      for await (const { action, detail = '' } of showAudit(folder, {})) {
        actions.push(`${action} ${detail}`.slice(0, 34).trim());
      }
      assert.deepEqual(actions, ['opened', 'log-recovered records were refused', 'made']);
      assert.equal((await verifyAudit(folder)).ok, true);
    }));

  it('shows what matches a key identifier, a user or a time', () =>
    withFolder(async (folder) => {
      const log = await AuditLog.open(auditOptions(folder));
      await log.record({ action: 'opened', keyId: '1abcdef0', initiator: 'sip:a@x' });
      await log.record({ action: 'made', keyId: '1abcdef1', responder: 'sip:a@x' });
      await log.record({ action: 'made', keyId: '1abcdef2', responder: 'sip:b@x' });
      await log.close();
      const found = async (filter: Parameters<typeof showAudit>[1]): Promise<number[]> => {
        const numbers: number[] = [];
        for await (const line of showAudit(folder, filter)) numbers.push(line.seq);
        return numbers;
      };
      assert.deepEqual(await found({ keyId: '1ABCDEF1' }), [2]);
      assert.deepEqual(await found({ user: 'sip:a@x' }), [1, 2]);
      assert.deepEqual(await found({ action: 'made' }), [2, 3]);
      assert.deepEqual(await found({ since: new Date('2026-01-02T03:04:07Z') }), [2, 3]);
    }));
});
