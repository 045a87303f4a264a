import assert from 'node:assert/strict';
import { DEFAULT_CODE_POINTS } from '../../../src/config/index.js';
import { groupOfEntry, writeDocumentDiff } from '../../../src/edge/messages/document-diff.js';
import { documentPath, parseXcapPath } from '../../../src/xcap/index.js';
import { parseXml } from '../../../src/xml/index.js';
import { xcapSchema } from '../../xcap/support.js';
import { needTool, runTool } from '../../xmldsig/support.js';

const ROOT = 'https://gms.lmr.example/xcap-root';
const AUID = 'org.openmobilealliance.groups';
const IDS = [
  'sip:tg1@lmr.example',
  'sip:a/b?c#d@lmr.example',
  'sip:50%25@lmr.example',
  'sip:größe&co@lmr.example',
  'tel:+4989;phone-context=lmr.example',
];

describe('edge: xcap-diff documents (RFC 5874)', () => {
  for (const id of IDS) {
    it(`name the document of ${id} by the URI under which it is served`, () => {
      const text = writeDocumentDiff(
        [{ group: id, before: '"e1"', after: '"e2"' }],
        ROOT,
        DEFAULT_CODE_POINTS,
      );
      const [{ attributes } = { attributes: [] }] = parseXml(text).children;
      const sel = attributes.find(({ localName }) => localName === 'sel')?.value ?? '';
      const document = { auid: AUID, xui: null, path: ['byGroupID', id] };
      assert.equal(sel, documentPath(document));
      const resolved = new URL(sel, `${ROOT}/`);
      assert.equal(resolved.search + resolved.hash, '');
      assert.deepEqual(parseXcapPath(resolved.pathname.slice('/xcap-root/'.length)), {
        document,
        nodeSelector: null,
      });
      assert.equal(groupOfEntry(sel, DEFAULT_CODE_POINTS), id);
      assert.equal(groupOfEntry(resolved.href, DEFAULT_CODE_POINTS), id);
    });
  }

  it('are valid by their schema, in libxml2', function () {
    needTool(this, 'xmllint');
    const changes = IDS.map((group, index) => ({
      group,
      before: index === 0 ? null : '"e1"',
      after: index === 1 ? null : '"e2"',
    }));
    const schema = ['--noout', '--nonet', '--schema', xcapSchema('xcap-diff.xsd'), '-'];
    runTool('xmllint', schema, writeDocumentDiff(changes, ROOT, DEFAULT_CODE_POINTS));
  });
});
