import assert from 'node:assert/strict';
import { DEFAULT_GROUP_DOCUMENT_NAMES } from '../../src/config/index.js';
import { checkGroup, groupDocument, GroupDocuments } from '../../src/gms/index.js';
import type { Group } from '../../src/gms/index.js';
import { ALICE, member, newGroup } from './support.js';

const NAMES = DEFAULT_GROUP_DOCUMENT_NAMES;

/** Its document is of some 5 MB. */
function largeGroup(id: string): Group {
  const displayName = 'x'.repeat(100);
  const members = Array.from({ length: 10_000 }, (_, index) =>
    member(`sip:${'u'.repeat(200)}${index}@mc-a.example`, { displayName }),
  );
  return checkGroup(newGroup({ id, members }));
}

describe('the documents of groups that are kept', () => {
  it('are made once for a version of a group, and anew for the next', () => {
    const documents = new GroupDocuments(NAMES);
    const first = checkGroup(newGroup());
    const next = { ...first, members: [member(ALICE)], version: 2 };
    assert.deepEqual(documents.of(first), groupDocument(first, NAMES));
    assert.equal(documents.of(first), documents.of(first));
    assert.deepEqual(documents.of(next), groupDocument(next, NAMES));
    assert.notEqual(documents.of(next).etag, documents.of(first).etag);
  });

  it('take no more than their share of memory: the one that nobody asks for goes first', function () {
    this.timeout(20_000);
    const documents = new GroupDocuments(NAMES);
    const groups = ['1', '2', '3', '4', '5'].map((n) => largeGroup(`sip:tg${n}@lmr.example`));
    const [one, two] = groups as [Group, Group];
    const kept = new Map([one, two].map((group) => [group, documents.of(group)]));
    for (const group of groups) {
      documents.of(group);
      assert.equal(documents.of(one), kept.get(one), 'what is asked for stays');
    }
    assert.notEqual(documents.of(two), kept.get(two), 'what is not was let go');
  });
});
