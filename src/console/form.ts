/** The body of a log-in: one small form. */
import type { IncomingMessage } from 'node:http';

const FORM = 'application/x-www-form-urlencoded';

/** @returns the value of `field`; null when the body is too large, no form, or has no such field once */
export async function formField(
  request: IncomingMessage,
  field: string,
  maxOctets: number,
): Promise<string | null> {
  if (request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== FORM) return null;
  const chunks: Buffer[] = [];
  let octets = 0;
  // A stream that is left early is otherwise destroyed, and the answer with it.
  const arriving = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of arriving) {
    octets += chunk.length;
    if (octets > maxOctets) return null;
    chunks.push(chunk);
  }
  const values = new URLSearchParams(Buffer.concat(chunks).toString('utf8')).getAll(field);
  return values.length === 1 ? (values[0] ?? null) : null;
}
