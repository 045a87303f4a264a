/** The KMS Redirect Response that goes with a refusal, where the partner's profile has one. */
import { utf8 } from '../base/bytes.js';
import type { Clock } from '../base/environment.js';
import type { SegyError } from '../base/errors.js';
import type { RedirectBody } from '../edge/index.js';
import { REDIRECT_CONTENT_TYPE, writeRedirect } from '../kms/index.js';
import type { RedirectPurpose } from '../kms/index.js';

/** @param ownKmsUri the KMS that partners have to use for the users represented here */
export function redirectBodies(ownKmsUri: string, clock: Clock): RedirectBody {
  return (error, { redirectResponse: { enabled, elements } }) => {
    const purpose = purposeOf(error, ownKmsUri);
    if (!enabled || purpose === null) return null;
    const xml = writeRedirect(
      {
        purpose,
        time: new Date(clock.now()),
        userUri: null,
        refusedKmsUri: error.details.kmsUri ?? null,
        kmsUri: purpose === 'initiator-kms-not-allowed' ? null : ownKmsUri,
      },
      elements,
    );
    return xml === null ? null : { contentType: REDIRECT_CONTENT_TYPE, body: utf8(xml) };
  };
}

/** By the KMS that the refusal is about (TS 33.180 5.2.8); null where it does not say. */
function purposeOf({ details }: SegyError, ownKmsUri: string): RedirectPurpose | null {
  const { role, kmsUri } = details;
  if (role === 'IDRkmsi') return 'initiator-kms-not-allowed';
  if (role !== 'IDRkmsr') return null;
  return kmsUri === ownKmsUri ? 'responder-kms-not-allowed' : 'responder-kms-wrong';
}
