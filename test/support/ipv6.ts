/** Machines without IPv6, as many containers are. */
import { networkInterfaces } from 'node:os';
import type { Context } from 'mocha';
import { skipBecause } from './skip.js';

/** Whether ::1 is an address of this machine. */
export const isIpv6There = (): boolean =>
  Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** Skips a test on a machine without IPv6. */
export function needsIpv6(context: Context): void {
  if (!isIpv6There()) skipBecause(context, 'needs IPv6: this machine has no address ::1');
}
