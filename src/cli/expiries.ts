/** Everything with an end that an operator has to know of: keys, KMS and TLS certificates. */
import type { ExpiryView } from '../admin/index.js';
import { toHex } from '../base/bytes.js';
import type { SegyConfig } from '../config/index.js';
import { certificateFiles, factsOf } from './certificate-watch.js';
import { stateOf } from '../keys/index.js';
import type { KeyRing } from '../keys/index.js';
import { certificateFault } from '../kms/index.js';
import type { KmsCertificate } from '../kms/index.js';
import { requireDomain } from './state.js';
import type { State } from './state.js';

/** TLS files are read again so often: an operator may have replaced them. */
const TLS_AGE_MS = 60_000;

export interface ExpiryParts {
  readonly config: () => SegyConfig;
  readonly state: State;
  readonly ring: KeyRing;
  readonly now: () => number;
}

/** Those that end first in front, those without an end last. */
export function expiriesOf(parts: ExpiryParts): () => ExpiryView[] {
  const tls = cachedTls(parts);
  return () => {
    const now = parts.now();
    const { trust } = parts.state;
    const own = requireDomain(parts.state).certificate;
    const trusted = trust
      .list()
      .flatMap(({ certificate, partner, next, revokedAt }) =>
        revokedAt === undefined && next === undefined
          ? [certificateView(certificate, partner, now)]
          : [],
      );
    return [
      ...keyViews(parts.ring, now),
      certificateView(own, 'own', now),
      ...trusted,
      ...tls(now),
    ].sort((a, b) => (a.expiry ?? Infinity) - (b.expiry ?? Infinity));
  };
}

function keyViews(ring: KeyRing, now: number): ExpiryView[] {
  return ring
    .list()
    .filter(({ keyType }) => keyType !== 'PCK')
    .map((held) => ({
      kind: 'key',
      name: `${held.keyType} ${toHex(held.keyId)}`,
      owner: held.partner,
      activation: held.activation.getTime(),
      expiry: held.expiry?.getTime() ?? null,
      state: stateOf(held, now),
      groups: held.groups,
    }));
}

function certificateView(certificate: KmsCertificate, owner: string, now: number): ExpiryView {
  return {
    kind: 'certificate',
    name: certificate.kmsUri,
    owner,
    activation: certificate.validFrom?.getTime() ?? null,
    expiry: certificate.validTo?.getTime() ?? null,
    state: certificateFault(certificate, now) ?? 'in use',
    groups: [],
  };
}

function cachedTls({ config }: ExpiryParts): (now: number) => readonly ExpiryView[] {
  let readAt = -Infinity;
  let views: readonly ExpiryView[] = [];
  return (now) => {
    if (now - readAt >= TLS_AGE_MS) {
      readAt = now;
      views = certificateFiles(config()).map((file) => tlsView(file, now));
    }
    return views;
  };
}

function tlsView(file: string, now: number): ExpiryView {
  const view = { kind: 'tls', name: file, owner: 'own', groups: [] } as const;
  try {
    const facts = factsOf(file);
    const activation = Math.max(...facts.map(({ notBefore }) => notBefore));
    const expiry = Math.min(...facts.map(({ notAfter }) => notAfter));
    const state = now > expiry ? 'expired' : now < activation ? 'not yet valid' : 'in use';
    return { ...view, activation, expiry, state };
  } catch {
    return { ...view, activation: null, expiry: null, state: 'unreadable' };
  }
}
