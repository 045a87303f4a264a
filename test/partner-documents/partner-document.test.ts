import assert from 'node:assert/strict';
import { utf8 } from '../../src/base/bytes.js';
import { DEFAULT_GROUP_DOCUMENT_NAMES } from '../../src/config/index.js';
import { readPartnerDocument } from '../../src/partner-documents/partner-document.js';
import { groupDocumentText } from '../support/partner-idm.js';

const GROUP = 'sip:police@mc-a.example';

describe('a partner’s group document', () => {
  const read = (text: string, xmlComments = true) =>
    readPartnerDocument(utf8(text), GROUP, {
      documentNames: DEFAULT_GROUP_DOCUMENT_NAMES,
      xmlComments,
    });

  it('tells the members, and passes over what the gateway does not know', () => {
    const { members } = read(
      groupDocumentText(
        ['sip:alice@mc-a.example', 'sip:alice@mc-a.example', 'tel:+1'],
        '<o:unknown a="b"><o:deep/></o:unknown><g:owner>sip:x@y</g:owner>',
      ),
    );
    assert.deepEqual(members, ['sip:alice@mc-a.example', 'tel:+1']);
  });

  it('that says nothing of protection, or what is neither true nor false, is of a protected group', () => {
    for (const more of ['', '<g:protect-media/>', '<g:protect-media>perhaps</g:protect-media>']) {
      assert.equal(read(groupDocumentText([], more)).protectMedia, true);
    }
    const clear = '<g:protect-media>false</g:protect-media>';
    assert.equal(read(groupDocumentText([], clear)).protectMedia, false);
    const others = '<o:protect-media>false</o:protect-media>';
    assert.equal(read(groupDocumentText([], others)).protectMedia, true);
  });

  it('is read with comments in it, unless the profile refuses them', () => {
    const users = ['sip:alice@mc-a.example', 'sip:bob@mc-a.example'];
    const plain = groupDocumentText(users, '<g:protect-media>false</g:protect-media>');
    const text = `<!-- by hand -->${plain
      .replaceAll('><', '><!-- <entry uri="sip:eve@x"/> --><')
      .replace('>false<', '>fal<!-- - -->se<')}<!---->`;
    assert.deepEqual(read(text), read(plain));
    assert.throws(() => read(text, false), { code: 'SEGY_E_XML' });
  });

  it('of another group is refused', () => {
    const other = groupDocumentText([], '', 'sip:fire@mc-a.example');
    assert.throws(() => read(other), { code: 'SEGY_E_GROUP_DOCUMENT' });
  });

  it('with a name that would not be one is without that member', () => {
    const { members } = read(groupDocumentText(['', 'two words', `sip:${'x'.repeat(300)}@y`]));
    assert.deepEqual(members, []);
  });

  it('with a DOCTYPE, or more members than any group has, is refused', () => {
    assert.throws(() => read('<!DOCTYPE x><group/>'), { code: 'SEGY_E_XML' });
    const many = Array.from({ length: 10_001 }, (_, n) => `sip:${n}@x`);
    assert.throws(() => read(groupDocumentText(many)), { code: 'SEGY_E_GROUP_DOCUMENT' });
  });
});
