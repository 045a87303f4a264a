/**
 * Documents as other writers lay them out: namespaces declared, declared anew and taken back, attributes
 * in namespaces and of xml:, references, CDATA, every line end, planes beyond the first, deep nesting.
 */
import fc from 'fast-check';

const PREFIXES = ['a', 'b', 'c', 'd'] as const;
// no "&", which libxml2 writes as it is; nothing relative or beyond ASCII, which it does not canonicalise
const URIS = ['urn:one', 'urn:two', 'urn:three', 'http://x.example/?a=1'];
const NAMES = ['e', 'f', '_g', 'h.1-2', '\u00e9l'];
const TEXTS = [
  ...['x', ' \n ', '\r\n', '\r', '\t', '>', '"\'', ']] >', ']]', '\u00e9\u{1f600}', '\u{10fffd}'],
  ...['&amp;&lt;&gt;&quot;&apos;', '&#13;', '&#xD;&#xa;&#9;', '&#x1F600;', '&#133;\u2028\u00a0'],
  ...['<![CDATA[<&>"\']]>', '<![CDATA[\r\n]] ]]>', '<![CDATA[]]>', '<![CDATA[&#13;\u{1f600}]]>'],
];
const VALUES = [
  ...['', 'v', '  v  ', '>', '\t', '\n', '\r\n', '\r', '\u00e9\u{1f600}', '&amp;&lt;&gt;'],
  ...['&quot;&apos;', '&#9;', '&#10;', '&#13;', '&#xD;&#xA;', '&#x1F600;', '&#32;\u2028'],
];
const SPACES = ['', ' ', '\n', '\r\n\t'];
const XML_ATTRIBUTES = [
  ...['xml:lang="en"', "xml:lang='de'", 'xml:lang=""', 'xml:space="preserve"'],
  ...['xml:base="http://x.example/a/"'],
];

const uri = fc.constantFrom(...URIS);
const space = fc.constantFrom(...SPACES);
const quote = fc.constantFrom('"', "'");

/** Declarations of one element; the default namespace may be taken back. */
const declarations: fc.Arbitrary<string[]> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(fc.constantFrom(...PREFIXES), uri, quote), {
      selector: ([prefix]) => prefix,
      maxLength: 3,
    }),
    fc.option(fc.constantFrom('', ...URIS), { freq: 2 }),
  )
  .map(([named, unnamed]) => [
    ...named.map(([prefix, name, q]) => `xmlns:${prefix}=${q}${name}${q}`),
    ...(unnamed === null ? [] : [`xmlns="${unnamed}"`]),
  ]);

const xmlAttributes = fc.uniqueArray(fc.constantFrom(...XML_ATTRIBUTES), {
  selector: (text) => text.replace(/=.*/, ''),
  maxLength: 2,
});

const attributes: fc.Arbitrary<string[]> = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom('', '', ...PREFIXES),
      fc.constantFrom('x', 'y', 'Z', '\u00e9'),
      fc.constantFrom(...VALUES),
      fc.tuple(space, space, quote),
    ),
    { selector: ([prefix, name]) => `${prefix}:${name}`, maxLength: 4 },
  )
  .map((all) =>
    all.map(
      ([prefix, name, value, [before, after, q]]) =>
        `${prefix === '' ? name : `${prefix}:${name}`}${before}=${after}${q}${value}${q}`,
    ),
  );

/** What stands in a start tag behind its name, in any order. */
const head: fc.Arbitrary<string> = fc
  .tuple(declarations, attributes, xmlAttributes)
  .chain(([declared, named, special]) => {
    const all = [...declared, ...named, ...special];
    return fc.tuple(
      fc.shuffledSubarray(all, { minLength: all.length }),
      fc.constantFrom(' ', '\n', '\r\n  '),
      space,
    );
  })
  .map(([all, between, end]) => all.map((each) => between + each).join('') + end);

const nested = fc.letrec<{ element: string; chain: string }>((tie) => ({
  element: fc
    .tuple(
      fc.constantFrom('', ...PREFIXES),
      fc.constantFrom(...NAMES),
      head,
      fc.array(
        fc.oneof({ depthSize: 'small' }, fc.constantFrom(...TEXTS), {
          arbitrary: tie('element'),
          weight: 2,
        }),
        { maxLength: 4 },
      ),
      space,
    )
    .map(([prefix, local, inside, content, end]) => {
      const name = prefix === '' ? local : `${prefix}:${local}`;
      return content.length === 0
        ? `<${name}${inside}/>`
        : `<${name}${inside}>${content.join('')}</${name}${end}>`;
    }),
  // one below the other, deeper than chance makes them
  chain: fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom('', ...PREFIXES), head), { minLength: 8, maxLength: 16 }),
      tie('element'),
    )
    .map(([levels, inner]) =>
      levels.reduce((content, [prefix, inside]) => {
        const name = prefix === '' ? 'n' : `${prefix}:n`;
        return `<${name}${inside}>${content}</${name}>`;
      }, inner),
    ),
}));

/** What declares every prefix that an element may use. */
export const ALL_DECLARED = PREFIXES.map((prefix) => ` xmlns:${prefix}="urn:${prefix}"`).join('');

/** One element and what is below it; its prefixes are declared somewhere above. */
export const elements: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: nested.element, weight: 4 },
  { arbitrary: nested.chain, weight: 1 },
);

/** What stands in the start tag of an ancestor. */
export const ancestors: fc.Arbitrary<string> = fc.tuple(declarations, xmlAttributes).map((parts) =>
  parts
    .flat()
    .map((each) => ` ${each}`)
    .join(''),
);

/** A PrefixList, with prefixes that are in scope and one that is not. */
export const prefixLists: fc.Arbitrary<string[]> = fc.subarray([...PREFIXES, '#default', 'none']);
