import assert from 'node:assert/strict';
import { SegyError } from '../../../src/base/errors.js';
import {
  readReportState,
  reduceSipfrag,
  Referrals,
  writeEvent,
} from '../../../src/edge/calls/referrals.js';
import { utf8 } from '../../../src/base/bytes.js';

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof SegyError ? error.code : String(error);
  }
  return 'nothing was refused';
};

describe('edge/referrals', () => {
  let now = 0;
  const clock = { now: () => now };
  beforeEach(() => (now = 1_000_000));

  it('finds a transfer by the CSeq of its REFER, and the oldest one without an id', () => {
    const referrals = new Referrals(clock);
    const first = referrals.open('outer', 7, 4);
    const second = referrals.open('outer', 8, 4);
    assert.equal(referrals.find('outer', 'refer;id=8'), second);
    assert.equal(referrals.find('outer', 'Refer'), first);
    assert.equal(
      codeOf(() => referrals.find('inner', 'refer')),
      'SEGY_E_SIP_NO_DIALOG',
    );
    assert.equal(writeEvent(second, 'refer;id=8;x=10.0.0.1'), 'refer;id=8');
    assert.equal(writeEvent(first, 'refer'), 'refer');
  });

  it('forgets a transfer nobody reports on after three minutes, and makes room for another', () => {
    const referrals = new Referrals(clock);
    referrals.open('outer', 7, 1);
    assert.equal(
      codeOf(() => referrals.open('outer', 8, 1)),
      'SEGY_E_BUSY',
    );
    now += 180_000;
    assert.equal(
      codeOf(() => referrals.find('outer', 'refer')),
      'SEGY_E_SIP_NO_DIALOG',
    );
    referrals.open('outer', 8, 1);
  });

  it('keeps one as long as its last report says, and never longer than an hour', () => {
    const referrals = new Referrals(clock);
    const referral = referrals.open('inner', 3, 1);
    referrals.reported(referral, readReportState('active;expires=4000000000'));
    now += 3_599_000;
    assert.equal(referrals.find('inner', 'refer;id=3'), referral);
    referrals.reported(referral, readReportState('active;expires=1'));
    now += 1_000;
    assert.equal(
      codeOf(() => referrals.find('inner', 'refer;id=3')),
      'SEGY_E_SIP_NO_DIALOG',
    );
  });

  for (const [text, written] of [
    ['active;expires=60', 'active;expires=60'],
    ['Pending', 'pending'],
    ['terminated;reason=noresource;retry-after=3', 'terminated;reason=noresource'],
    ['terminated;reason="at 10.0.0.1"', 'terminated'],
    ['active;expires=60;host=10.0.0.1', 'active;expires=60'],
  ] as const) {
    it(`passes Subscription-State ${text} as ${written}`, () => {
      assert.equal(readReportState(text).text, written);
    });
  }

  it('refuses a Subscription-State that is none', () => {
    for (const text of ['', 'up', 'active;expires', 'x y']) {
      const code = codeOf(() => readReportState(text));
      assert.ok(text === 'active;expires' || code === 'SEGY_E_SIP_SYNTAX', `${text}: ${code}`);
    }
  });

  it('leaves of a sipfrag its status and the registered reason', () => {
    for (const [text, status] of [
      ['SIP/2.0 486 Busy at desk 10.0.0.1\r\nVia: x', '486 Busy Here'],
      ['SIP/2.0 200', '200 OK'],
      ['SIP/2.0 100 Trying', '100 Trying'],
    ] as const) {
      assert.equal(reduceSipfrag(utf8(text)), `SIP/2.0 ${status}\r\n`);
    }
    for (const text of ['', 'SIP/2.0 99', 'SIP/2.0 2000 x', 'SIP/3.0 200 OK', ' SIP/2.0 200 OK']) {
      assert.equal(
        codeOf(() => reduceSipfrag(utf8(text))),
        'SEGY_E_SIP_BODY',
        text,
      );
    }
  });
});
