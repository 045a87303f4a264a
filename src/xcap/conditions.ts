/** Preconditions of RFC 9110 clause 13 over strong entity tags. */
import type { HttpRequest } from '../https/index.js';

const TAG = /^(W\/)?("[\x21\x23-\x7e\x80-\xff]*")$/;

/** Whether the request may go on: `proceed`, or the status to answer with. */
export function checkConditions(
  request: Pick<HttpRequest, 'method' | 'header'>,
  etag: string | null,
): 'proceed' | 304 | 400 | 412 {
  const ifMatch = request.header('if-match');
  if (ifMatch !== undefined) {
    const tags = parseTags(ifMatch);
    if (tags === undefined) return 400;
    // strong comparison: a weak tag never matches
    const matches =
      tags === '*' ? etag !== null : tags.some((tag) => !tag.weak && tag.value === etag);
    if (!matches) return 412;
  }
  const ifNoneMatch = request.header('if-none-match');
  if (ifNoneMatch !== undefined) {
    const tags = parseTags(ifNoneMatch);
    if (tags === undefined) return 400;
    const matches = tags === '*' ? etag !== null : tags.some((tag) => tag.value === etag);
    if (matches) return request.method === 'GET' || request.method === 'HEAD' ? 304 : 412;
  }
  return 'proceed';
}

type Tags = '*' | readonly { readonly weak: boolean; readonly value: string }[];

function parseTags(field: string): Tags | undefined {
  if (field.trim() === '*') return '*';
  const tags = field
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => TAG.exec(each));
  if (tags.length === 0 || tags.length > 64) return undefined;
  const parsed = tags.flatMap((match) =>
    match === null ? [] : [{ weak: match[1] !== undefined, value: match[2] ?? '' }],
  );
  return parsed.length === tags.length ? parsed : undefined;
}
