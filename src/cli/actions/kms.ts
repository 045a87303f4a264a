/** The gateway's own security domain, and the certificates of partner domains. */
import { z } from 'zod';
import { toHex, wipe } from '../../base/bytes.js';
import { SegyError } from '../../base/errors.js';
import {
  fingerprintOf,
  periodAt,
  readKmsDocument,
  saveDomain,
  writeKmsCertificate,
} from '../../kms/index.js';
import type { KmsCertificate, SecurityDomain, TrustEntry } from '../../kms/index.js';
import { summaryOf } from '../kms-text.js';
import type { CertificateSummary } from '../kms-text.js';
import { action } from './action.js';
import type { ActionContext } from './action.js';

const time = z.number().int();
const kmsUri = z.strictObject({ kmsUri: z.string() });
const PARTNER_NAME = /^[A-Za-z0-9._-]{1,64}$/;

export interface TrustView extends CertificateSummary {
  readonly partner: string;
  readonly addedAt: string;
  readonly state: string;
  readonly next: CertificateSummary | null;
}

export const KMS_ACTIONS = {
  'kms/certificate': action({
    body: z.strictObject({}),
    changes: false,
    run: (context) => {
      const { published } = domainOf(context);
      return Promise.resolve({
        xml: writeKmsCertificate(published),
        summary: summaryOf(published, context.clock.now()),
      });
    },
  }),

  'kms/renew': action({
    body: z.strictObject({
      /** Unix milliseconds; now when absent */
      validFrom: time.optional(),
      validMs: z.number().int().positive(),
      domains: z.array(z.string()).optional(),
    }),
    changes: true,
    run: async (context, { validFrom, validMs, domains }) => {
      const { audit, store, clock, effects } = context;
      const now = clock.now();
      const from = validFrom ?? now;
      const renewed = domainOf(context).renew({
        validFrom: new Date(from),
        validTo: new Date(from + validMs),
        ...(domains && { domains }),
      });
      const summary = summaryOf(renewed.published, now);
      await audit.record({
        action: 'domain-renewed',
        kmsUri: summary.kmsUri,
        fingerprint: summary.fingerprint.hex,
      });
      await saveDomain(store.space('domain'), renewed, 'renew', context);
      effects.domain(renewed);
      renewed.wipe();
      return summary;
    },
  }),

  /** The one action whose result holds secret keys: those of a key set that the operator asked for. */
  'kms/issue': action({
    body: z.strictObject({
      uri: z.string(),
      /** decimal; the period of `at`, or of now, when absent */
      keyPeriodNo: z
        .string()
        .regex(/^\d{1,19}$/)
        .optional(),
      /** Unix milliseconds */
      at: time.optional(),
      /** names of the exchange keys that the document hands over, for the audit record */
      newTransportKey: z.string().optional(),
      newIntegrityKey: z.string().optional(),
    }),
    changes: true,
    run: async (context, { uri, keyPeriodNo, at, ...newKeys }) => {
      const { audit, clock, slow } = context;
      const domain = domainOf(context);
      const { certificate } = domain;
      const now = clock.now();
      const period =
        keyPeriodNo === undefined ? periodAt(certificate, at ?? now) : BigInt(keyPeriodNo);
      await audit.record({
        action: 'issued',
        kmsUri: certificate.kmsUri,
        user: uri,
        keyPeriodNo: String(period),
        ...newKeys,
      });
      const { userId: id, rsk, ssk, pvt } = await domain.issue(uri, period);
      try {
        if (!(await slow.validateRsk({ z: certificate.pubEncKey, id, rsk }))) {
          throw new SegyError('SEGY_E_INTERNAL', 'a minted RSK does not fit the certificate');
        }
        return {
          now,
          certificate: writeKmsCertificate(certificate),
          keyPeriodNo: String(period),
          keys: { rsk: toHex(rsk), ssk: toHex(ssk), pvt: toHex(pvt) },
        };
      } finally {
        wipe(rsk, ssk);
      }
    },
  }),

  /** Whether a certificate may be trusted at all, before anybody compares its fingerprint. */
  'kms/trust/check': action({
    body: z.strictObject({ xml: z.string() }),
    changes: false,
    run: ({ trust, domain }, { xml }) => {
      trust.check(certificateOf(xml), domain?.certificate.kmsUri);
      return Promise.resolve({});
    },
  }),

  'kms/trust/add': action({
    body: z.strictObject({
      /** one KmsCertificate */
      xml: z.string(),
      partner: z.string().regex(PARTNER_NAME),
      /** as the partner read it out */
      fingerprint: z.string(),
      replace: z.boolean(),
    }),
    changes: true,
    run: async ({ trust, domain, audit, effects }, { xml, partner, fingerprint, replace }) => {
      const certificate = certificateOf(xml);
      const isHeld = trust.find(certificate.kmsUri) !== undefined;
      await trust.add(certificate, {
        partner,
        fingerprint,
        replace,
        ...(domain && { ownKmsUri: domain.certificate.kmsUri }),
        announce: () =>
          audit.record({
            action: isHeld ? 'trust-replaced' : 'trust-added',
            kmsUri: certificate.kmsUri,
            partner,
            fingerprint: fingerprintOf(certificate).hex,
          }),
      });
      effects.trust();
      return {};
    },
  }),

  'kms/trust/list': action({
    body: z.strictObject({}),
    changes: false,
    run: ({ trust, clock, domain }) =>
      Promise.resolve({
        ownKmsUri: domain?.certificate.kmsUri ?? null,
        entries: trust.list().map((entry) => viewOf(entry, clock.now())),
        refused: trust.refused,
      }),
  }),

  'kms/trust/revoke': action({
    body: kmsUri,
    changes: true,
    run: (context, { kmsUri: uri }) => changeTrust(context, uri, 'revoke'),
  }),

  'kms/trust/remove': action({
    body: kmsUri,
    changes: true,
    run: (context, { kmsUri: uri }) => changeTrust(context, uri, 'remove'),
  }),
};

async function changeTrust(
  { trust, audit, effects }: ActionContext,
  uri: string,
  verb: 'revoke' | 'remove',
): Promise<{ kmsUri: string }> {
  const partner = trust.find(uri)?.partner;
  await (verb === 'revoke' ? trust.revoke(uri) : trust.remove(uri));
  effects.trust();
  const name = verb === 'revoke' ? 'trust-revoked' : 'trust-removed';
  await audit.record({ action: name, kmsUri: uri, ...(partner !== undefined && { partner }) });
  return { kmsUri: uri };
}

function domainOf({ domain }: ActionContext): SecurityDomain {
  if (domain === undefined) {
    throw new SegyError('SEGY_E_NOT_FOUND', 'no security domain was made yet: segy kms init');
  }
  return domain;
}

/** The one certificate of a document. @throws SegyError SEGY_E_XML, SEGY_E_KMS_DOCUMENT */
function certificateOf(xml: string): KmsCertificate {
  const { certificates } = readKmsDocument(xml);
  const [certificate] = certificates;
  if (certificate === undefined || certificates.length > 1) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', 'the document does not hold one certificate');
  }
  return certificate;
}

function viewOf(entry: TrustEntry, now: number): TrustView {
  return {
    ...summaryOf(entry.certificate, now),
    partner: entry.partner,
    addedAt: entry.addedAt.toISOString(),
    state: stateOf(entry, now),
    next: entry.next === undefined ? null : summaryOf(entry.next, now),
  };
}

function stateOf(entry: TrustEntry, now: number): string {
  const { validFrom, validTo } = entry.certificate;
  if (entry.revokedAt !== undefined) return `revoked ${entry.revokedAt.toISOString()}`;
  if (validTo !== undefined && now > validTo.getTime()) return 'expired';
  if (validFrom !== undefined && now < validFrom.getTime()) return 'not yet valid';
  return 'in use';
}
