import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SegyError } from '../../src/base/errors.js';
import {
  attribute,
  childElements,
  escapeXml,
  firstChild,
  parseXml,
  parseXmlSequence,
} from '../../src/xml/index.js';

const refused = { code: 'SEGY_E_XML' };

describe('xml reader', () => {
  it('resolves namespaces of elements and prefixed attributes, and none for bare attributes', () => {
    const root = parseXml(
      '<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns="urn:a" xmlns:b="urn:b" x="1" b:x="2"><b:c/><d xmlns=""/></a>\n',
    );
    assert.equal(root.namespace, 'urn:a');
    assert.equal(attribute(root, 'x'), '1');
    assert.equal(attribute(root, 'x', 'urn:b'), '2');
    assert.deepEqual(
      root.children.map(({ namespace, localName }) => [namespace, localName]),
      [
        ['urn:b', 'c'],
        ['', 'd'],
      ],
    );
  });

  it('keeps values as strings, white space included', () => {
    const root = parseXml('<a><b> 0x10 </b><b>007</b><b>true</b></a>');
    assert.deepEqual(
      childElements(root, 'b').map((b) => b.text),
      [' 0x10 ', '007', 'true'],
    );
  });

  it('resolves the five predefined entities and character references, once', () => {
    const root = parseXml('<a b="&lt;&#34;&#x41;">&amp;lt; &apos;&gt;<c/>&#233;</a>');
    assert.equal(root.text, "&lt; '>é");
    assert.equal(attribute(root, 'b'), '<"A');
  });

  it('takes CDATA as text', () => {
    assert.equal(parseXml('<a>x<![CDATA[<b>&amp;]]>y</a>').text, 'x<b>&amp;y');
  });

  it('gives names that are properties of objects no power', () => {
    const root = parseXml('<a><toString hasOwnProperty="x">1</toString></a>');
    assert.equal(firstChild(root, 'toString')?.text, '1');
    assert.equal(attribute(firstChild(root, 'toString')!, 'hasOwnProperty'), 'x');
  });

  const attacks: readonly (readonly [string, string])[] = [
    ['external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['billion laughs', '<!DOCTYPE a [<!ENTITY l "ll"><!ENTITY m "&l;&l;">]><a>&m;</a>'],
    ['undeclared entity', '<a>&nbsp;</a>'],
    ['bare ampersand', '<a>a & b</a>'],
    ['comment that splits a value', '<a>admin<!-- -->x</a>'],
    ['processing instruction', '<a><?php x?></a>'],
    ['style sheet before the root', '<?xml-stylesheet href="x"?><a/>'],
    ['declaration after space', ' <?xml version="1.0"?><a/>'],
    ['two roots', '<a/><b/>'],
    ['text after the root', '<a/>x'],
    ['no root', ' \n'],
    ['duplicate attribute', '<a x="1" x="2"/>'],
    ['duplicate attribute by namespace', '<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>'],
    ['undeclared prefix', '<p:a/>'],
    ['undeclared attribute prefix', '<a p:x="1"/>'],
    ['prefix bound to nothing', '<a xmlns:p=""/>'],
    ['xmlns prefix bound', '<a xmlns:xmlns="u"/>'],
    ['crossed tags', '<a><b></a></b>'],
    ['open element', '<a><b></b>'],
    ['stray end tag', '<a/></b>'],
    ['attribute without quotes', '<a x=1/>'],
    ['attribute without value', '<a x/>'],
    ['less-than in attribute', '<a x="<"/>'],
    ['attributes without space', '<a x="1"y="2"/>'],
    ['CDATA end in text', '<a>]]></a>'],
    ['NUL', '<a>\u0000</a>'],
    ['reference to NUL', '<a>&#0;</a>'],
    ['reference to a surrogate', '<a>&#xD800;</a>'],
    ['prototype pollution', '<__proto__ x="1"/>'],
    ['prototype pollution by constructor', '<constructor><prototype/></constructor>'],
    ['UTF-16 declared', '<?xml version="1.0" encoding="UTF-16"?><a/>'],
    ['XML 1.1', '<?xml version="1.1"?><a/>'],
    ['name with two colons', '<a:b:c xmlns:a="u"/>'],
  ];
  for (const [name, xml] of attacks) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseXml(xml), refused);
    });
  }

  it('refuses octets that are not UTF-8', () => {
    assert.throws(() => parseXml(new Uint8Array([0x3c, 0x61, 0x3e, 0xff, 0x3c])), refused);
  });

  it('refuses too deep, too many, too large', () => {
    const limits = { maxBytes: 200, maxDepth: 4, maxElements: 6, maxAttributes: 2 };
    assert.ok(parseXml('<a><a><a><a/></a></a></a>', limits));
    assert.throws(() => parseXml('<a><a><a><a><a/></a></a></a></a>', limits), refused);
    assert.throws(() => parseXml(`<a>${'<b/>'.repeat(6)}</a>`, limits), refused);
    assert.throws(() => parseXml(`<a>${'x'.repeat(200)}</a>`, limits), refused);
    assert.throws(() => parseXml('<a x="" y="" z=""/>', limits), refused);
  });

  it('reads documents that stand one after the other only where asked to', () => {
    const text = '<?xml version="1.0"?><a/>\n<?xml version="1.0"?><b/>';
    assert.deepEqual(
      parseXmlSequence(text).map((root) => root.localName),
      ['a', 'b'],
    );
    assert.throws(() => parseXml(text), refused);
  });

  it('gives back any escaped text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const clean = text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');
        const root = parseXml(`<a b="${escapeXml(clean)}">${escapeXml(clean)}</a>`);
        return root.text === clean && attribute(root, 'b') === clean;
      }),
      { numRuns: 200 },
    );
  });

  it('answers any garbled document with a tree or SEGY_E_XML', () => {
    const piece = fc.constantFrom(
      '<a>', '</a>', '<b x="1">', '<c/>', '&amp;', '&', '<', '>', '"', "'", '<!--', '<![CDATA[',
      ']]>', '<?xml version="1.0"?>', 'xmlns', '=', ' ', 'text', '\u0000', '<x:y xmlns:x="u">', '</x:y>',
    ); // prettier-ignore
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        try {
          parseXml(pieces.join(''));
        } catch (error) {
          assert.ok(error instanceof SegyError && error.code === 'SEGY_E_XML', String(error));
        }
      }),
      { numRuns: 1500 },
    );
  });
});
