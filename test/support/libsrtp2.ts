/**
 * libsrtp2 as a second opinion: compiles `libsrtp2-tool.c` once and runs packets through it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromHex, toHex } from '../../src/base/bytes.js';
import type { SrtpKeyMaterial } from '../../src/srtp/index.js';

export interface ToolPacket {
  readonly kind: 'rtp' | 'rtcp';
  readonly packet: Uint8Array;
}

export class Libsrtp2 {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** The tool, or why there is none. */
  static build(): Libsrtp2 | { readonly missing: string } {
    const folder = mkdtempSync(join(tmpdir(), 'segy-libsrtp2-'));
    const source = fileURLToPath(new URL('../../../test/support/libsrtp2-tool.c', import.meta.url));
    const result = spawnSync('cc', ['-O1', '-o', join(folder, 'tool'), source, '-lsrtp2'], {
      encoding: 'utf8',
    });
    if (result.status === 0) return new Libsrtp2(folder);
    rmSync(folder, { recursive: true, force: true });
    const reason = result.error?.message ?? result.stderr.split('\n')[0] ?? '';
    return { missing: `cc -lsrtp2 failed (apt-get install gcc libsrtp2-dev): ${reason}` };
  }

  /** What libsrtp2 makes of each packet; null where it refuses. */
  run(
    action: 'protect' | 'unprotect',
    key: SrtpKeyMaterial,
    packets: readonly ToolPacket[],
  ): (Uint8Array | null)[] {
    const suite = key.suite === 'AEAD_AES_128_GCM' ? 'gcm' : 'cm';
    const keyHex = toHex(key.masterKey) + toHex(key.masterSalt);
    const mki = key.mki.length > 0 ? toHex(key.mki) : '-';
    const input = packets.map(({ kind, packet }) => `${kind} ${toHex(packet)}\n`).join('');
    const result = spawnSync(join(this.#folder, 'tool'), [action, suite, keyHex, mki], {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (result.status !== 0) throw new Error(`libsrtp2 tool failed: ${result.stderr}`);
    return result.stdout
      .trim()
      .split('\n')
      .map((line) => (line.startsWith('ok ') ? fromHex(line.slice(3)) : null));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
