import assert from 'node:assert/strict';
import { documentPath, parseXcapPath } from '../../src/xcap/index.js';
import { parseNodeSelector, selectNode } from '../../src/xcap/node-selector.js';
import { parseSignedTree } from '../../src/xmldsig/index.js';

const AUID = 'org.openmobilealliance.groups';
const DOCUMENT = parseSignedTree('<g xmlns="urn:g"><e uri="a"/><e uri="b/c"><n>x</n></e></g>');

function selected(text: string): string | undefined {
  return selectNode(DOCUMENT, parseNodeSelector(text, new Map([['p', 'urn:g']]), 'urn:g'))?.text;
}

describe('XCAP URIs of RFC 4825', () => {
  it('name a document of the global tree, and a node of it', () => {
    const path = `${AUID}/global/byGroupID/sip:tg1@lmr.example`;
    const document = { auid: AUID, xui: null, path: ['byGroupID', 'sip:tg1@lmr.example'] };
    assert.deepEqual(parseXcapPath(path), { document, nodeSelector: null });
    assert.deepEqual(parseXcapPath(`${path}/~~/g/e%5b1%5d`), { document, nodeSelector: 'g/e[1]' });
    assert.equal(documentPath(document), path);
  });

  for (const path of [
    '',
    'a',
    'a/global',
    'a/users/x',
    'a/other/b',
    'a//b',
    'a/global/%ff',
    'a/global/%00',
  ]) {
    it(`name nothing as "${path}"`, () => assert.equal(parseXcapPath(path), undefined));
  }

  it('select one element by name, position or attribute, an attribute, and nothing otherwise', () => {
    assert.equal(selected('g/e[2]/n'), '<n xmlns="urn:g">x</n>');
    assert.equal(selected('p:g/*[@uri="b/c"]/@uri'), 'b/c');
    assert.equal(selected('g/namespace::*'), '<g xmlns="urn:g"/>');
    assert.deepEqual(
      [selected('g/e'), selected('g/e[3]'), selected('g/@no')],
      [undefined, undefined, undefined],
    );
    for (const bad of ['', '/', 'g//e', 'q:g', 'g[', 'g/@a/b']) {
      assert.throws(() => selected(bad), { code: 'SEGY_E_HTTP' });
    }
  });
});
