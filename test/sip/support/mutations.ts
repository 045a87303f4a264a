import fc from 'fast-check';

/** Pieces that mean something to one of the parsers. */
const TOKENS = [
  '\r\n',
  '\r\n ',
  '\0',
  '"',
  '<',
  '>',
  ';',
  ',',
  '=',
  ':',
  '--b1',
  '\r\n\r\n',
  '\xff',
  '[',
  '%',
  'l: 5\r\n',
  ';tag=',
  'sip:',
  'm=',
  'a=',
];

export interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

const mutation = fc.record<Mutation>({
  at: fc.nat(2_000),
  remove: fc.oneof(fc.constant(0), fc.nat(40)),
  insert: fc.oneof(
    fc.constantFrom(...TOKENS).map((text) => Buffer.from(text, 'latin1')),
    fc.uint8Array({ maxLength: 8 }),
  ),
});

/** `octets` with these changes, one after the other. */
export function mutate(octets: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  let out = Buffer.from(octets);
  for (const { at, remove, insert } of mutations) {
    const place = at % (out.length + 1);
    out = Buffer.concat([out.subarray(0, place), insert, out.subarray(place + remove)]);
  }
  return out;
}

/** One to four changes at random places. */
export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
