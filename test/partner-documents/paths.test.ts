import assert from 'node:assert/strict';
import { documentPath, documentUrl } from '../../src/partner-documents/paths.js';

const ROOT = 'https://gms.mc-a.example/xcap';
const GROUP_PATH = 'org.openmobilealliance.groups/global/byGroupID/sip:police@mc-a.example';

describe('where a partner’s documents are', () => {
  const names = { group: 'sip:police@mc-a.example', user: 'sip:radio1@lmr.example' };

  it('is the template below the root with group and user in their places', () => {
    assert.equal(
      documentUrl(ROOT, 'keys/users/{user}/{group}', names),
      `${ROOT}/keys/users/sip:radio1@lmr.example/sip:police@mc-a.example`,
    );
  });

  it('is not left by a group whose name is made of what separates', () => {
    const url = documentUrl(ROOT, 'g/{group}', { ...names, group: 'sip:a/../../b?c#d%2e@x' });
    assert.equal(url, `${ROOT}/g/sip:a%2F..%2F..%2Fb%3Fc%23d%252e@x`);
    assert.equal(new URL(url).pathname.startsWith('/xcap/g/sip:a'), true);
  });

  const same: readonly string[] = [
    GROUP_PATH,
    `/${GROUP_PATH}`,
    `/xcap/${GROUP_PATH}`,
    `${ROOT}/${GROUP_PATH}`,
    GROUP_PATH.replaceAll(':', '%3A').replaceAll('@', '%40'),
    `${GROUP_PATH}/~~/group/list-service%5b1%5d`,
  ];
  for (const selector of same) {
    it(`is meant by ${selector}`, () => {
      assert.equal(documentPath(selector, ROOT), GROUP_PATH);
    });
  }

  for (const selector of [
    `https://evil.example/xcap/${GROUP_PATH}`,
    `https://gms.mc-a.example.evil/xcap/${GROUP_PATH}`,
    `https://gms.mc-a.example/xcap-two/${GROUP_PATH}`,
    `http://gms.mc-a.example/xcap/${GROUP_PATH}`,
    `//evil.example/${GROUP_PATH}`,
    `../${GROUP_PATH}`,
    '%',
    '',
  ]) {
    it(`is not meant by ${JSON.stringify(selector)}`, () => {
      assert.notEqual(documentPath(selector, ROOT), GROUP_PATH);
    });
  }
});
