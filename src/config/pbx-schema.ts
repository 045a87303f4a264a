/** The PBX: its control link, and where it takes the gateway's SIP. */
import { z } from 'zod';
import { filePath, host, ipAddress, port } from './values.js';

/** Where the PBX takes the gateway's SIP. */
const pbxSipSchema = z
  .strictObject({
    address: ipAddress.default('127.0.0.1'),
    port: port.default(5070),
    transport: z.enum(['udp', 'tcp']).default('udp'),
  })
  .prefault({});

const asteriskSchema = z.strictObject({
  type: z.literal('asterisk'),
  ari: z.strictObject({
    url: z.url({ protocol: /^https?$/ }),
    username: z.string().min(1),
    passwordFile: filePath,
    app: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .default('segy'),
  }),
  sip: pbxSipSchema,
});

const freeswitchSchema = z.strictObject({
  type: z.literal('freeswitch'),
  esl: z.strictObject({
    host: host.default('127.0.0.1'),
    port: port.default(8021),
    passwordFile: filePath,
  }),
  sip: pbxSipSchema,
});

export const pbxSchema = z.discriminatedUnion('type', [asteriskSchema, freeswitchSchema]);
