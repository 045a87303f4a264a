import assert from 'node:assert/strict';
import { NamespaceScope, XML_NAMESPACE } from '../../src/xml/index.js';

const declare = (...pairs: [string, string][]): ReadonlyMap<string, string> => new Map(pairs);

describe('namespaces in scope', () => {
  const outer = NamespaceScope.outermost.inside(declare(['', 'urn:a'], ['p', 'urn:p']));

  it('holds xml alone outside the root', () => {
    assert.deepEqual(NamespaceScope.outermost.bindings(), [['xml', XML_NAMESPACE]]);
    assert.equal(NamespaceScope.outermost.get(''), '');
    assert.equal(NamespaceScope.outermost.get('p'), undefined);
  });

  it('takes the innermost declaration of a prefix and counts the prefix once', () => {
    const inner = outer.inside(declare(['p', 'urn:q'], ['r', 'urn:r']));
    assert.equal(inner.get('p'), 'urn:q');
    assert.equal(outer.get('p'), 'urn:p');
    assert.equal(inner.size, 4);
  });

  it('has no default namespace where it was taken back', () => {
    const inner = outer.inside(declare(['', '']));
    assert.equal(inner.get(''), '');
    assert.deepEqual(new Map(inner.bindings()), declare(['xml', XML_NAMESPACE], ['p', 'urn:p']));
  });

  it('is the same for an element that declares nothing', () => {
    assert.equal(outer.inside(declare()), outer);
  });
});
