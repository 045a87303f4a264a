import assert from 'node:assert/strict';
import type { ChannelFacts } from '../../src/pbx/driver.js';
import { ChannelTable, type Claim } from '../../src/pbx/table.js';

const facts = (id: string, more: Partial<ChannelFacts> = {}): ChannelFacts => ({
  id,
  name: `name-${id}`,
  callId: `call-${id}`,
  handedOver: false,
  ...more,
});

const claim = (gone: () => unknown): Claim => ({
  gone: () => void gone(),
  signal: () => undefined,
});

describe('pbx/table', () => {
  it('tells whoever holds a channel what is reported of it, and of the one that it is joined with', () => {
    const table = new ChannelTable(10);
    const heard: string[] = [];
    table.heard(facts('segy'));
    table.heard(facts('radio'));
    table.heard(facts('other'));
    const digit = (value: string) => ({ kind: 'digit', digit: value }) as const;
    table.claim('segy', {
      gone: () => undefined,
      signal: (signal) => heard.push(signal.kind === 'digit' ? signal.digit : ''),
    });
    table.joined('radio', 'segy');
    table.signalled('radio', digit('1'));
    table.signalled('segy', digit('2'));
    table.signalled('other', digit('3'));
    assert.deepEqual(heard, ['1', '2']);
    table.gone('radio');
    table.signalled('radio', digit('4'));
    table.joined('radio', 'segy');
    table.signalled('radio', digit('5'));
    assert.deepEqual(heard, ['1', '2']);
  });

  it('gives a channel to the next one when it is given back, but not for ever', () => {
    const table = new ChannelTable(10);
    let ended = 0;
    table.heard(facts('a'));
    for (let turn = 0; turn < 6; turn += 1) {
      assert.equal(
        table.claim(
          'a',
          claim(() => (ended += 1)),
        ),
        true,
      );
      assert.equal(table.find('call-a', false).length, 0);
      table.release('a');
    }
    assert.equal(table.isClaimed('a'), true);
    table.gone('a');
    assert.equal(ended, 1);
    table.release('a');
  });

  it('finds a channel by Call-ID, and by hand-over where that is asked', () => {
    const table = new ChannelTable(10);
    table.heard(facts('a'));
    assert.equal(table.find('call-a', false).length, 1);
    assert.equal(table.find('call-a', true).length, 0);
    table.heard(facts('a', { handedOver: true }));
    assert.equal(table.find('call-a', true).length, 1);
    table.released('a');
    assert.equal(table.find('call-a', true).length, 0);
  });

  it('learns a Call-ID late, follows a change of it, and does not forget it', () => {
    const table = new ChannelTable(10);
    table.heard(facts('a', { callId: '' }));
    table.heard(facts('a', { callId: 'first' }));
    table.heard(facts('a', { callId: 'second' }));
    table.heard(facts('a', { callId: '' }));
    assert.equal(table.find('first', false).length, 0);
    assert.equal(table.find('second', false).length, 1);
  });

  it('is not brought back to a channel that ended by news that came late', () => {
    const table = new ChannelTable(10);
    table.gone('a');
    table.heard(facts('a', { handedOver: true }));
    assert.deepEqual(table.find('call-a', true), []);
    assert.equal(
      table.claim(
        'a',
        claim(() => undefined),
      ),
      false,
    );
  });

  it('tells who claimed a channel of its end, once, and gives it to nobody else', () => {
    const table = new ChannelTable(10);
    let ends = 0;
    table.heard(facts('a'));
    assert.equal(
      table.claim(
        'a',
        claim(() => ends++),
      ),
      true,
    );
    assert.equal(
      table.claim(
        'a',
        claim(() => ends++),
      ),
      false,
    );
    assert.deepEqual(table.find('call-a', false), []);
    table.gone('a');
    table.gone('a');
    assert.equal(ends, 1);
  });

  it('tells who waits, until they stop, and nobody who waits for another call', () => {
    const table = new ChannelTable(10);
    const told: string[] = [];
    const stop = table.wait('call-a', true, ({ id }) => told.push(id));
    table.wait('call-b', false, ({ id }) => told.push(id));
    table.heard(facts('a'));
    table.heard(facts('a', { handedOver: true }));
    stop();
    table.heard(facts('a', { handedOver: true }));
    assert.deepEqual(told, ['a']);
  });

  it('takes a resync list for what lives: what is in neither list nor news is gone', () => {
    const table = new ChannelTable(10);
    table.heard(facts('unlisted'));
    table.beginResync();
    table.heard(facts('newborn'));
    table.heard(facts('shortlived'));
    table.gone('shortlived');
    const list = [facts('found'), facts('shortlived')];
    const live = table.endResync(list, new Set());
    assert.deepEqual([...live].sort(), ['found', 'newborn']);
  });

  it('takes the word on a claimed channel itself, in a resync, whether it is listed or not', () => {
    const table = new ChannelTable(10);
    const ended: string[] = [];
    for (const id of ['in both', 'only listed', 'only there', 'in neither']) {
      table.heard(facts(id));
      table.claim(
        id,
        claim(() => ended.push(id)),
      );
    }
    assert.equal(table.claimed().length, 4);
    table.beginResync();
    const list = [facts('in both'), facts('only listed')];
    const live = table.endResync(list, new Set(['in both', 'only there']));
    assert.deepEqual([...live].sort(), ['in both', 'only there']);
    assert.deepEqual(ended.sort(), ['in neither', 'only listed']);
    assert.deepEqual(table.claimed().sort(), ['in both', 'only there']);
  });

  it('takes an identifier anew after a resync, since a PBX that restarted may use it again', () => {
    const table = new ChannelTable(10);
    table.gone('a');
    table.beginResync();
    table.endResync([facts('a')], new Set());
    assert.equal(table.find('call-a', false).length, 1);
  });

  it('forgets the oldest unclaimed channel beyond its limit, never a claimed one', () => {
    const table = new ChannelTable(3);
    table.heard(facts('claimed'));
    table.claim(
      'claimed',
      claim(() => undefined),
    );
    for (const id of ['a', 'b', 'c', 'd']) table.heard(facts(id));
    assert.equal(table.size, 3);
    assert.equal(table.isClaimed('claimed'), true);
    assert.equal(table.find('call-b', false).length, 0);
    assert.equal(table.find('call-d', false).length, 1);
  });
});
