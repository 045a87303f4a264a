import assert from 'node:assert/strict';
import { decrementMaxForwards, SipHeaders } from '../../src/sip/index.js';

describe('sip/hops', () => {
  it('takes one hop, and begins with 70', () => {
    const headers = new SipHeaders([['Max-Forwards', '1']]);
    decrementMaxForwards(headers);
    assert.equal(headers.get('Max-Forwards'), '0');
    const none = new SipHeaders();
    decrementMaxForwards(none);
    assert.equal(none.get('Max-Forwards'), '70');
  });

  it('refuses a request whose hops are used up, with 483', () => {
    const headers = new SipHeaders([['Max-Forwards', '0']]);
    assert.throws(() => decrementMaxForwards(headers), {
      code: 'SEGY_E_SIP_TOO_MANY_HOPS',
      sipStatus: 483,
    });
  });
});
