/** The gateway's two sides: SIP and media towards the PBX, and towards the partners. */
import { z } from 'zod';
import { dscpSchema } from './network-schema.js';
import { filePath, host, ipAddress, listenerName, port, transport } from './values.js';

const portRange = z
  .tuple([z.number().int().min(1024).max(65534), z.number().int().min(1025).max(65535)])
  .refine(([low, high]) => high - low >= 3, 'a port range holds at least two RTP/RTCP pairs');

/** Clear SIP and RTP, on loopback. */
export const innerSchema = z
  .strictObject({
    address: ipAddress.default('127.0.0.2'),
    sipPort: port.default(5062),
    transports: z
      .array(z.enum(['udp', 'tcp']))
      .min(1)
      .default(['udp', 'tcp']),
    mediaPorts: portRange.default([30000, 39999]),
    allowedMediaAddresses: z.array(ipAddress).min(1).default(['127.0.0.1']),
    allowNonLoopback: z.boolean().default(false),
    /** clear MC bodies beside the SDP of INVITEs to the PBX, for an IWF behind it */
    mcBodies: z.boolean().default(false),
  })
  .prefault({});

const tlsSchema = z.strictObject({
  certFile: filePath,
  keyFile: filePath,
  caFile: filePath.optional(),
  /** mutual TLS: a peer without a certificate that verifies does not come in */
  requestClientCert: z.boolean().default(true),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
});

/** Where partners come in, and what they are told of it. */
export const outerSchema = z.strictObject({
  listeners: z
    .array(
      z.strictObject({
        /** by which partners name it in `sip.listeners` */
        name: listenerName.optional(),
        transport,
        address: ipAddress,
        port,
        tls: tlsSchema.optional(),
        /** host that Via and Contact name on this listener; default that of all */
        advertised: host.optional(),
        /** media of calls over this listener; default that of all */
        mediaAddress: ipAddress.optional(),
        mediaAdvertised: ipAddress.optional(),
      }),
    )
    .min(1),
  dscp: dscpSchema.optional(),
  advertised: host.optional(),
  mediaAddress: ipAddress,
  mediaAdvertised: ipAddress.optional(),
  mediaPorts: portRange.default([40000, 49999]),
});
