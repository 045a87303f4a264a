import assert from 'node:assert/strict';
import {
  mapDialogReference,
  mapInReplyTo,
  type CallIdMap,
} from '../../../src/edge/messages/call-id-map.js';

const MAP: CallIdMap = {
  callId: (callId) => (callId === 'near@pbx' ? 'far' : undefined),
  dialog: (callId, a, b) =>
    callId === 'near@pbx' && new Set([a, b, 'ours', 'theirs']).size === 2
      ? {
          near: { localTag: 'ours', remoteTag: 'theirs' },
          far: { callId: 'far', localTag: 'our-far', remoteTag: 'their-far' },
        }
      : undefined,
};

describe('edge/call-id-map', () => {
  it('names the same dialog in Replaces as the other side knows it', () => {
    assert.equal(
      mapDialogReference('near@pbx;to-tag=ours;from-tag=theirs;early-only', MAP),
      'far;to-tag=their-far;from-tag=our-far;early-only',
    );
  });

  it('maps Target-Dialog by its two tags', () => {
    assert.equal(
      mapDialogReference('near@pbx ;local-tag=theirs ;remote-tag=ours', MAP),
      'far;local-tag=our-far;remote-tag=their-far',
    );
  });

  for (const value of [
    'other@pbx;to-tag=ours;from-tag=theirs',
    'near@pbx;to-tag=ours',
    'near@pbx;to-tag=x;from-tag=y',
    'near@pbx;to-tag=ours;from-tag="theirs"; bad param',
    '',
  ]) {
    it(`does not pass ${JSON.stringify(value)}`, () => {
      assert.equal(mapDialogReference(value, MAP), null);
    });
  }

  it('keeps only known Call-IDs in In-Reply-To', () => {
    assert.equal(mapInReplyTo('near@pbx, other@pbx', MAP), 'far');
    assert.equal(mapInReplyTo('other@pbx', MAP), null);
  });
});
