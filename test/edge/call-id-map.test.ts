import assert from 'node:assert/strict';
import {
  mapDialogReference,
  mapInReplyTo,
  mapReferTo,
  type CallIdMap,
} from '../../src/edge/call-id-map.js';

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

  it('gives Refer-To our host and maps the Replaces inside it', () => {
    assert.equal(
      mapReferTo(
        '<sip:bob@10.0.0.1?Replaces=near%40pbx%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs>',
        'gw',
        MAP,
      ),
      '<sip:bob@gw?Replaces=far%3Bto-tag%3Dtheir-far%3Bfrom-tag%3Dour-far>',
    );
    assert.equal(mapReferTo('<sip:bob@10.0.0.1;x=y>', 'gw', MAP), '<sip:bob@gw>');
    assert.equal(mapReferTo('<sip:b@h?Replaces=unknown>', 'gw', MAP), null);
  });
});
