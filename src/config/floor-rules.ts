/** Rules of a partner's floor section that need more than the section. */
import type { z } from 'zod';
import { isLoopback } from '../base/address.js';
import type { FloorConfig } from './floor-schema.js';
import type { ProtectionConfig } from './protection-schema.js';

interface Surroundings {
  readonly inner: { readonly allowNonLoopback: boolean };
  readonly partners: readonly {
    readonly floor?: FloorConfig | undefined;
    readonly protection?: ProtectionConfig | undefined;
    readonly media: { readonly policy: string };
  }[];
}

/** Adds what is wrong with the floor section of partner `index` to the findings. */
export function checkFloor(config: Surroundings, index: number, context: z.RefinementCtx): void {
  const { floor, protection, media } = config.partners[index] ?? {};
  if (floor === undefined) return;
  const refuse = (name: string, message: string): void =>
    context.addIssue({ code: 'custom', path: ['partners', index, 'floor', name], message });
  if (floor.protection === 'spk' && (protection?.spks.length ?? 0) === 0) {
    refuse('protection', 'floor control under an SPK, and protection.spks names none');
  }
  if (floor.protection === 'spk' && protection?.spkOctets === 32) {
    refuse('protection', 'SRTCP keys come from an SPK of 16 octets');
  }
  if (floor.protection === 'csk' && floor.csks.length === 0) {
    refuse('csks', 'floor control under a CSK, and none is named');
  }
  if (floor.protection === 'none' && media?.policy !== 'allow-clear') {
    refuse('protection', 'clear floor control needs media.policy allow-clear');
  }
  const { forwardTo } = floor;
  const local = forwardTo === undefined || isLoopback(forwardTo.address);
  if (!local && !config.inner.allowNonLoopback) {
    refuse('forwardTo', 'clear floor control would leave the host');
  }
}
