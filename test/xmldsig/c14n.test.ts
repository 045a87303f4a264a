import assert from 'node:assert/strict';
import { canonicalise, INCLUSIVE_C14N, parseSignedTree } from '../../src/xmldsig/index.js';

const EXCLUSIVE = { exclusive: true, inclusivePrefixes: [] };

const inclusive = (xml: string): string => canonicalise(parseSignedTree(xml), INCLUSIVE_C14N);
const exclusive = (xml: string): string => canonicalise(parseSignedTree(xml), EXCLUSIVE);

describe('canonical XML', () => {
  it('sorts declarations and attributes, expands empty elements and escapes by its own rules', () => {
    assert.equal(
      inclusive(
        `<a y='1' b:x="2" x='&quot;&#9;' xmlns:b="urn:b" xmlns="urn:d"><b:c/>&#13;&gt;</a>`,
      ),
      `<a xmlns="urn:d" xmlns:b="urn:b" x="&quot;&#x9;" y="1" b:x="2"><b:c></b:c>&#xD;&gt;</a>`,
    );
  });

  it('declares a namespace in the exclusive form where it is first used', () => {
    assert.equal(
      exclusive('<a xmlns:b="urn:b" xmlns:c="urn:c"><b:d/><b:d/></a>'),
      '<a><b:d xmlns:b="urn:b"></b:d><b:d xmlns:b="urn:b"></b:d></a>',
    );
  });

  it('gives a part of a document the namespaces and xml attributes of its ancestors', () => {
    const root = parseSignedTree('<r xmlns="urn:r" xmlns:b="urn:b" xml:lang="en"><p x="1"/></r>');
    const [part] = root.content;
    assert.ok(part !== undefined && typeof part !== 'string');
    assert.equal(
      canonicalise(part, INCLUSIVE_C14N),
      '<p xmlns="urn:r" xmlns:b="urn:b" x="1" xml:lang="en"></p>',
    );
    assert.equal(canonicalise(part, EXCLUSIVE), '<p xmlns="urn:r" x="1"></p>');
  });
});
