/** Preconditions of RFC 9110 clause 13 over strong entity tags. */
import type { HttpRequest } from '../https/index.js';

/** One member of a list, which may be empty (RFC 9110 clause 5.6.1): an entity tag may have a comma. */
const MEMBER = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*"))?[ \t]*(?:,|$)/gy;

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

/** undefined for what is no list with at least one entity tag. */
function parseTags(field: string): Tags | undefined {
  if (field.trim() === '*') return '*';
  const tags: { weak: boolean; value: string }[] = [];
  let end = 0;
  for (const match of field.matchAll(MEMBER)) {
    const [whole, weak, value] = match;
    if (value !== undefined) tags.push({ weak: weak !== undefined, value });
    end = match.index + whole.length;
  }
  return end === field.length && tags.length > 0 ? tags : undefined;
}
