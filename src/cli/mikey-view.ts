/** How an opened message is shown: the JSON of `segy mikey open --json` and its lines of text. */
import { toHex, wipe } from '../base/bytes.js';
import { csIdsOf, mkiOf, type OpenedKey, srtpKeys } from '../mikey/index.js';

interface SrtpView {
  readonly csId: number;
  readonly masterKey?: string;
  readonly masterSalt?: string;
  readonly mki: string;
}

interface IdentityView {
  readonly uri: string | null;
  readonly uid: string;
}

export interface OpenedView {
  readonly ok: true;
  readonly keyType: string;
  readonly keyId: string;
  readonly csbId: string;
  readonly rand: string;
  readonly timestamp: string;
  readonly initiator: IdentityView;
  readonly responder: IdentityView;
  readonly initiatorKms: string;
  readonly responderKms: string;
  readonly key?: string;
  readonly srtp: readonly SrtpView[];
  readonly keyParameters: {
    readonly status: number;
    readonly revoked: boolean;
    readonly sharedWithGateway: boolean;
    readonly activation: string | null;
    readonly expiry: string | null;
    readonly text: string;
    readonly groups: readonly string[];
  } | null;
}

/** RFC 3339 in UTC, with a fraction only where there is one. */
function formatTime(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}

function srtpView(opened: OpenedKey, reveal: boolean): SrtpView[] {
  const { key, csbId, rand, policy } = opened;
  const mki = toHex(mkiOf(opened.keyType, opened.keyId, csbId));
  return csIdsOf(opened.keyType).map((csId) => {
    if (!reveal) return { csId, mki };
    const { keyLength, saltLength } = policy;
    const derived = srtpKeys({ key, csbId, rand, csId, keyLength, saltLength });
    const view = {
      csId,
      masterKey: toHex(derived.masterKey),
      masterSalt: toHex(derived.masterSalt),
      mki,
    };
    wipe(derived.masterKey, derived.masterSalt);
    return view;
  });
}

/** @param reveal whether the operator asked for key octets */
export function viewOpened(opened: OpenedKey, reveal: boolean): OpenedView {
  const { keyParameters } = opened;
  return {
    ok: true,
    keyType: opened.keyType,
    keyId: toHex(opened.keyId),
    csbId: toHex(opened.csbId),
    rand: toHex(opened.rand),
    timestamp: formatTime(opened.timestamp),
    initiator: { uri: opened.initiator.uri, uid: toHex(opened.initiator.uid) },
    responder: { uri: opened.responder.uri, uid: toHex(opened.responder.uid) },
    initiatorKms: opened.initiatorKms,
    responderKms: opened.responderKms,
    ...(reveal ? { key: toHex(opened.key) } : {}),
    srtp: srtpView(opened, reveal),
    keyParameters:
      keyParameters === null
        ? null
        : {
            status: keyParameters.status,
            revoked: keyParameters.revoked,
            sharedWithGateway: keyParameters.sharedWithGateway,
            activation:
              keyParameters.activation === null ? null : formatTime(keyParameters.activation),
            expiry: keyParameters.expiry === null ? null : formatTime(keyParameters.expiry),
            text: keyParameters.text,
            groups: keyParameters.groups,
          },
  };
}

/** The same for people. */
export function describeOpened(view: OpenedView): string[] {
  const parameters = view.keyParameters;
  return [
    `${view.keyType} ${view.keyId} (CSB ID ${view.csbId})`,
    `from      ${view.initiator.uri ?? '(hidden identity)'}  UID ${view.initiator.uid}`,
    `          KMS ${view.initiatorKms}`,
    `to        ${view.responder.uri ?? ''}  UID ${view.responder.uid}`,
    `          KMS ${view.responderKms}`,
    `time      ${view.timestamp}`,
    `RAND      ${view.rand}`,
    ...(view.key === undefined ? [] : [`key       ${view.key}`]),
    ...view.srtp.map(
      (srtp) =>
        `SRTP      CS ID ${srtp.csId} MKI ${srtp.mki}` +
        (srtp.masterKey === undefined
          ? ''
          : ` master key ${srtp.masterKey} salt ${srtp.masterSalt ?? ''}`),
    ),
    ...(parameters === null
      ? ['no key parameters']
      : [
          `status    ${parameters.revoked ? 'revoked' : 'valid'}` +
            (parameters.sharedWithGateway ? ', shared with a security gateway' : ''),
          `active    from ${parameters.activation ?? 'the time of the message'}` +
            ` to ${parameters.expiry ?? 'no end'}`,
          ...(parameters.text === '' ? [] : [`text      ${parameters.text}`]),
          ...parameters.groups.map((group) => `group     ${group}`),
        ]),
  ];
}
