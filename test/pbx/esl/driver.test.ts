import assert from 'node:assert/strict';
import { createEslPort } from '../../../src/pbx/index.js';
import { quietEnvironment } from '../../support/asterisk-rig.js';
import { FakeFreeSwitch, type FakeChannel } from '../../support/esl-fake.js';
import { until } from '../conformance.js';
import type { PbxPort } from '../../../src/edge/ports.js';

describe('pbx/esl/driver', () => {
  let fake: FakeFreeSwitch;
  let port: PbxPort;

  beforeEach(async () => {
    fake = await FakeFreeSwitch.start();
    const address = { host: '127.0.0.1', port: fake.port, password: fake.password };
    port = createEslPort(address, quietEnvironment);
  });
  afterEach(async () => {
    await port.stop();
    await fake.stop();
  });

  const up = async (): Promise<void> => {
    await port.start();
    await until('the link is up', () => port.linked);
  };

  const parked = (callId: string, callState: FakeChannel['callState']): FakeChannel => {
    const channel = fake.addChannel({
      direction: 'inbound',
      name: 'sofia/segy/alice@127.0.0.2',
      callId,
      callState,
      ended: () => undefined,
    });
    channel.variables
      .set('sip_h_X-SeGy-Session', 's')
      .set('SEGY_CONTEXT', 'segy-checked')
      .set('current_application', 'park');
    return channel;
  };

  it('sets all variables of a call by one command', async () => {
    await up();
    const { variables } = parked('one', 'RINGING');
    fake.emit('CHANNEL_PARK', [...fake.channels.values()][0]!);
    const channel = await port.inboundChannel({ callId: 'one', sessionId: 's', timeoutMs: 500 });
    variables.set('SEGY_CODE', 'old');
    const before = fake.commands.length;
    await channel.setVariables({
      SEGY_STATUS: 'SECURE',
      SEGY_CALLER: 'sip:a@mc.example',
      SEGY_CODE: '',
    });
    assert.equal(fake.commands.length, before + 1);
    assert.equal(variables.get('SEGY_STATUS'), 'SECURE');
    assert.equal(variables.get('SEGY_CALLER'), 'sip:a@mc.example');
    assert.equal(variables.has('SEGY_CODE'), false);
  });

  it('finds a parked call that the channel list does not yet show as ringing', async () => {
    parked('late', 'DOWN');
    await up();
    const channel = await port.inboundChannel({ callId: 'late', sessionId: 's', timeoutMs: 500 });
    assert.notEqual(channel.id, '');
  });
});
