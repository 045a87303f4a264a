import assert from 'node:assert/strict';
import { DEFAULT_XML_LIMITS, parseXml } from '../../src/xml/index.js';

const LIMITS = { ...DEFAULT_XML_LIMITS, comments: 'passed over' } as const;

describe('comments that are passed over (XML 1.0 clause 2.5)', () => {
  it('are as if they were not there', () => {
    const text = '<!-- a --><?xml version="1.0"?>';
    assert.throws(() => parseXml(`x${text}<a/>`, LIMITS), { code: 'SEGY_E_XML' });
    const commented = '<a b="1"><!-- <c> & ]]> -->x<!-- - -->y<d/><!----></a><!-- end -->';
    assert.deepEqual(parseXml(commented, LIMITS), parseXml('<a b="1">xy<d/></a>'));
  });

  it('are none within CDATA sections', () => {
    assert.equal(parseXml('<a><![CDATA[<!-- x -->]]></a>', LIMITS).text, '<!-- x -->');
  });

  const malformed: readonly (readonly [string, string])[] = [
    ['two hyphens within', '<a><!-- a -- b --></a>'],
    ['three hyphens at the end', '<a><!-- a ---></a>'],
    ['no end', '<a><!-- a </a>'],
    ['the shortest that is none', '<a><!--></a>'],
    ['a comment in a tag', '<a <!-- x --> b="1"/>'],
    ['a comment in an attribute value', '<a b="<!-- x -->"/>'],
    ['a comment that would join a tag', '<<!-- x -->a/>'],
    ['a comment that would join a reference', '<a>&am<!-- -->p;</a>'],
    ['a comment that would join a CDATA section', '<a><!<!-- x -->[CDATA[x]]></a>'],
    ['a comment that would join a DOCTYPE', '<!<!-- x -->DOCTYPE a><a/>'],
    ['a CDATA section without an end', '<a><![CDATA[ <!-- x --> </a>'],
  ];
  for (const [what, text] of malformed) {
    it(`are refused with ${what}`, () => {
      assert.throws(() => parseXml(text, LIMITS), { code: 'SEGY_E_XML' });
    });
  }

  it('are refused by whoever did not ask to pass them over', () => {
    assert.throws(() => parseXml('<a><!-- x --></a>'), { code: 'SEGY_E_XML' });
  });

  it('cost a walk through the document, whatever they hold', () => {
    const many = `<a>${'<!-- x -->'.repeat(25_000)}</a>`;
    const begun = performance.now();
    assert.equal(parseXml(many, LIMITS).text, '');
    assert.ok(performance.now() - begun < 2000);
  });
});
