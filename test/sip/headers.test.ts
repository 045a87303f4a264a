import assert from 'node:assert/strict';
import { SipHeaders } from '../../src/sip/index.js';

describe('sip/headers', () => {
  const make = (): SipHeaders =>
    new SipHeaders([
      ['v', 'one'],
      ['Route', '<sip:a;lr>, <sip:b,c@d;lr>'],
      ['VIA', 'two, three'],
      ['Subject', 'a, b'],
    ]);

  it('are found in any case and in the compact form', () => {
    assert.equal(make().get('Via'), 'one');
    assert.equal(make().get('V'), 'one');
    assert.deepEqual(make().getAll('via'), ['one', 'two, three']);
    assert.equal(make().get('Constructor'), undefined);
  });

  it('split lists over all fields, but not inside brackets or quotes', () => {
    assert.deepEqual(make().list('Via'), ['one', 'two', 'three']);
    assert.deepEqual(make().list('Route'), ['<sip:a;lr>', '<sip:b,c@d;lr>']);
    const quoted = new SipHeaders([['Contact', '"a, \\"b" <sip:a>, <sip:b>']]);
    assert.equal(quoted.list('Contact').length, 2);
  });

  it('set replaces every field at the place of the first', () => {
    const headers = make();
    headers.set('via', ['x', 'y']);
    assert.deepEqual(
      headers.entries().map(([, value]) => value),
      ['x', 'y', '<sip:a;lr>, <sip:b,c@d;lr>', 'a, b'],
    );
    headers.set('New', 'z');
    assert.equal(headers.entries().at(-1)?.[1], 'z');
    headers.set('Route', []);
    assert.ok(!headers.has('Route'));
  });

  it('prepend, replaceFirst and remove work on the top of a list', () => {
    const headers = make();
    headers.prepend('Via', 'zero');
    headers.replaceFirst('Via', 'ZERO');
    assert.deepEqual(headers.list('Via'), ['ZERO', 'one', 'two', 'three']);
    assert.ok(headers.remove('Via'));
    assert.ok(!headers.remove('Via'));
  });

  it('a clone does not share its fields', () => {
    const headers = make();
    headers.clone().remove('Subject');
    assert.ok(headers.has('Subject'));
  });
});
