/**
 * The HTTPS listener on the outer side: where it is, its TLS, and what one client may cost. It serves
 * the group documents and the IdM.
 */
import { z } from 'zod';
import { filePath, ipAddress } from './values.js';

const whole = (least: number, most: number) => z.number().int().min(least).max(most);
const seconds = z.number().min(0.1).max(600);

const rate = {
  requestsPerSecond: z.number().positive().max(100_000).default(20),
  burst: whole(1, 1_000_000).default(100),
  handshakesPerSecond: z.number().positive().max(10_000).default(5),
  /** at a time */
  connections: whole(1, 10_000).default(16),
};

export const httpsSchema = z
  .strictObject({
    address: ipAddress,
    port: whole(1, 65_535).default(8443),
    tls: z.strictObject({
      certFile: filePath,
      keyFile: filePath,
      /** authorities of client certificates */
      caFile: filePath.optional(),
      /** `required`: no request without a certificate that verifies under caFile */
      clientCertificates: z.enum(['none', 'optional', 'required']).default('optional'),
      minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
    }),
    /** of one client: an IPv4 address or an IPv6 /64 */
    rate: z.strictObject(rate).prefault({}),
    /** addresses behind which many users are, such as a partner's HTTP proxy */
    known: z
      .array(z.strictObject({ address: ipAddress, ...rate }))
      .max(1000)
      .default([]),
    limits: z
      .strictObject({
        /** of the request line and all header fields, in octets */
        headerOctets: whole(4096, 65_536).default(16_384),
        handshakeSeconds: seconds.default(5),
        headerSeconds: seconds.default(5),
        requestSeconds: seconds.default(20),
        idleSeconds: seconds.default(30),
        requestsPerConnection: whole(1, 1_000_000).default(1000),
        /** requests being answered at a time */
        parallel: whole(1, 10_000).default(64),
        /** of all clients that are not known, in a second */
        handshakesPerSecond: z.number().positive().max(10_000).default(50),
        /** of all clients together, at a time */
        connections: whole(1, 100_000).default(1000),
        /** clients whose rate is remembered */
        remembered: whole(100, 1_000_000).default(10_000),
      })
      .prefault({}),
  })
  .refine(({ tls }) => tls.clientCertificates !== 'required' || tls.caFile !== undefined, {
    message: 'required certificates need the authorities that sign them',
    path: ['tls', 'caFile'],
  })
  .refine(({ known }) => new Set(known.map(({ address }) => address)).size === known.length, {
    message: 'an address twice',
    path: ['known'],
  });

export type HttpsConfig = z.output<typeof httpsSchema>;

/** What `checkHttps` reads of the whole. */
interface WithHttps {
  readonly https?: HttpsConfig | undefined;
  readonly gms?:
    { readonly xcapRoot?: string | undefined; readonly rollRoot?: string | undefined } | undefined;
  readonly idm?: object | undefined;
}

/** The listener serves something, and what is served has what it needs. */
export function checkHttps({ https, gms, idm }: WithHttps, context: z.RefinementCtx): void {
  const wrong = (path: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [path], message });
  if (https === undefined) {
    if (idm !== undefined) wrong('idm', 'nobody reaches it: there is no https');
    return;
  }
  const serves = gms?.xcapRoot !== undefined;
  if (gms?.rollRoot !== undefined && liesBelow(gms.xcapRoot, gms.rollRoot)) {
    wrong('gms', 'rollRoot would hide the documents: xcapRoot lies below it');
  }
  if (serves && idm === undefined) {
    wrong('https', 'group documents are opened by access tokens: there is no idm that issues them');
  }
  if (!serves && idm === undefined) {
    wrong('https', 'it would serve nothing: there is neither an idm nor gms.xcapRoot');
  }
}

/** Whether requests to `inner` would be taken for requests to `outer`; malformed ones are refused elsewhere. */
function liesBelow(inner: string | undefined, outer: string): boolean {
  if (inner === undefined || !URL.canParse(inner) || !URL.canParse(outer)) return false;
  const pathOf = (url: string): string => `${new URL(url).pathname}/`.replace(/\/+$/, '/');
  return pathOf(inner).startsWith(pathOf(outer));
}
