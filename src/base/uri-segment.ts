/** Segments of URI paths (RFC 3986 clause 3.3), written alike by all who name the same thing. */

/** A segment with the characters of `pchar` as they are and every other percent-encoded. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(/%(3A|40|24|26|2B|2C|3B|3D)/g, (code) =>
    decodeURIComponent(code),
  );
}
