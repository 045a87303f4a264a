/**
 * Header values that name a dialog by its Call-ID, put into the words of the other side. Each dialog
 * has other identifiers there, so a value that names none of ours is not passed at all.
 */

/** One dialog's identifiers on both sides: as the sender of the header knows it, and as the receiver does. */
export interface DialogNames {
  readonly near: { readonly localTag: string; readonly remoteTag: string };
  readonly far: {
    readonly callId: string;
    readonly localTag: string;
    readonly remoteTag: string;
  };
}

/** Finds calls by a Call-ID of the side a message came from. */
export interface CallIdMap {
  /** Call-ID of the same call on the other side */
  callId(callId: string): string | undefined;
  /** the dialog with these two tags, in either order */
  dialog(callId: string, tagA: string, tagB: string): DialogNames | undefined;
}

const PARAMETER = /^\s*([A-Za-z-]+)\s*(?:=\s*([^\s;="]+)\s*)?$/;

/**
 * `Replaces`, `Join` or `Target-Dialog` for the other side: Call-ID and both tags changed, other
 * parameters (`early-only`) kept.
 * @returns null when the value is malformed or names no dialog of this edge
 */
export function mapDialogReference(value: string, map: CallIdMap): string | null {
  const [callId, ...rest] = value.split(';');
  if (callId === undefined || rest.length > 8) return null;
  const parameters: { name: string; value: string | undefined }[] = [];
  for (const part of rest) {
    const match = PARAMETER.exec(part);
    if (match?.[1] === undefined) return null;
    parameters.push({ name: match[1].toLowerCase(), value: match[2] });
  }
  const tags = parameters.filter((p) => p.name.endsWith('-tag')).map((p) => p.value);
  const [tagA, tagB] = tags;
  if (tags.length !== 2 || tagA === undefined || tagB === undefined) return null;
  const names = map.dialog(callId.trim(), tagA, tagB);
  if (names === undefined) return null;
  const swap = (tag: string): string =>
    tag === names.near.localTag ? names.far.remoteTag : names.far.localTag;
  const written = parameters.map(({ name, value: text }) => {
    if (text === undefined) return name;
    return `${name}=${name.endsWith('-tag') ? swap(text) : text}`;
  });
  return [names.far.callId, ...written].join(';');
}

/** `In-Reply-To` for the other side: the Call-IDs that are known there; null when none is. */
export function mapInReplyTo(value: string, map: CallIdMap): string | null {
  const known = value
    .split(',')
    .map((callId) => map.callId(callId.trim()))
    .filter((callId) => callId !== undefined);
  return known.length === 0 ? null : known.join(', ');
}
