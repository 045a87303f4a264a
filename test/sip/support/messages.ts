/** Messages to start from in the tests of src/sip. */

export function lines(...text: string[]): Uint8Array {
  return Buffer.from(text.join('\r\n'), 'utf8');
}

/** A proper INVITE with SDP; `change` replaces header lines by name or adds new ones. */
export function inviteOctets(change: Record<string, string | null> = {}): Uint8Array {
  const body = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 't=0 0', ''].join('\r\n');
  const fields = new Map<string, string | null>([
    ['Via', 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc'],
    ['Max-Forwards', '70'],
    ['From', '"Ann" <sip:ann@a.example>;tag=1'],
    ['To', '<sip:bob@b.example>'],
    ['Call-ID', 'c1@a.example'],
    ['CSeq', '1 INVITE'],
    ['Contact', '<sip:ann@192.0.2.1>'],
    ['Content-Type', 'application/sdp'],
    ['Content-Length', String(body.length)],
    ...Object.entries(change),
  ]);
  const head = [...fields].flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return lines('INVITE sip:bob@b.example SIP/2.0', ...head, '', body);
}
