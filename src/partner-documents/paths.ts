/** Where a partner's documents are, and which of them a notice means (RFC 4825 clause 6, RFC 5874). */

/** `template` below the root, with {group} and {user} filled in, as a request line carries it. */
export function documentUrl(
  xcapRoot: string,
  template: string,
  names: { readonly group: string; readonly user: string },
): string {
  const path = template.replace(/\{(group|user)\}/g, (_whole, name: 'group' | 'user') =>
    segment(names[name]),
  );
  return `${xcapRoot}/${path}`;
}

/** A URI as one segment of a path: what separates is encoded, what MC service IDs are made of is not. */
function segment(uri: string): string {
  return encodeURI(uri).replace(/[/?#]/g, encodeURIComponent);
}

/**
 * The path below the root that `selector` names, decoded, so that two spellings of it are equal; null
 * for one elsewhere or one that cannot be decoded. A node within a document means the document.
 */
export function documentPath(selector: string, xcapRoot: string): string | null {
  const [document = ''] = selector.split('/~~');
  let path = document;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(document)) {
    if (!document.startsWith(`${xcapRoot}/`)) return null;
    path = document.slice(xcapRoot.length + 1);
  } else {
    const { pathname } = new URL(xcapRoot);
    const base = pathname === '/' ? '/' : `${pathname}/`;
    path = document.startsWith(base) ? document.slice(base.length) : document.replace(/^\/+/, '');
  }
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
