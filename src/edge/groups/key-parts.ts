/**
 * Bodies that carry group keys out: I_MESSAGEs as parts of their own or in group key transport XML
 * (TS 24.481), as the partner's profile says. The names that are not confirmed come from its code
 * points.
 */
import { utf8 } from '../../base/bytes.js';
import type { PartnerConfig } from '../../config/index.js';
import { SipHeaders } from '../../sip/index.js';
import { escapeXml } from '../../xml/index.js';
import type { OutgoingKey } from '../ports/home-groups-port.js';

export interface OutgoingPart {
  readonly headers: SipHeaders;
  readonly body: Uint8Array;
}

export function outgoingPart(type: string, body: Uint8Array | string): OutgoingPart {
  const octets = typeof body === 'string' ? utf8(body) : body;
  return { headers: new SipHeaders([['Content-Type', type]]), body: octets };
}

/** The parts that carry `keys`; none for no key. */
export function keyParts(keys: readonly OutgoingKey[], partner: PartnerConfig): OutgoingPart[] {
  const { codePoints, distribution } = partner;
  if (distribution.form === 'mikey') {
    return keys.map(({ message }) => outgoingPart(codePoints.mikeyType, message));
  }
  const lists = [
    [codePoints.gktpGmkList, keys.filter(({ keyType }) => keyType !== 'MKFC')],
    [codePoints.gktpMkfcList, keys.filter(({ keyType }) => keyType === 'MKFC')],
  ] as const;
  return lists
    .filter(([, listed]) => listed.length > 0)
    .map(([name, listed]) => outgoingPart(codePoints.gktpType, keyList(name, listed, partner)));
}

function keyList(
  name: string,
  keys: readonly OutgoingKey[],
  { codePoints }: PartnerConfig,
): string {
  const { gktpNamespace, gktpEntry, gktpGroupAttribute } = codePoints;
  const entries = keys.map(
    ({ delivery, message }) =>
      `<${gktpEntry} ${gktpGroupAttribute}="${escapeXml(delivery.group)}">` +
      `${Buffer.from(message).toString('base64')}</${gktpEntry}>`,
  );
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    `<${name} xmlns="${escapeXml(gktpNamespace)}">${entries.join('')}</${name}>\r\n`
  );
}
