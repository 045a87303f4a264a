import assert from 'node:assert/strict';
import { createEslPort } from '../../../src/pbx/index.js';
import { quietEnvironment } from '../../support/quiet-environment.js';
import { FakeFreeSwitch, type FakeChannel } from '../../support/esl-fake.js';
import { until } from '../conformance.js';
import type { PbxPort } from '../../../src/edge/ports/pbx-port.js';

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

  it('finds a channel that it dialled by its identifier where its event is missing, list or no list', async () => {
    fake.disorder = { random: () => 0.5, listLagMs: 60_000 };
    await up();
    const callId = '4a9b5487-6cf3-465c-9049-b714e2ed242f';
    const leg = { name: 'sofia/segy/alice', callId, callState: 'RINGING' } as const;
    const ended = (): void => undefined;
    fake.addChannel({ ...leg, uuid: callId, direction: 'outbound', ended });
    const channel = await port.outboundChannel({ callId, timeoutMs: 500 });
    assert.deepEqual([channel.id, channel.name], [callId, 'sofia/segy/alice']);
    assert.ok(fake.commands.filter((command) => command.startsWith('api show')).length <= 1);
  });

  it('takes no channel that came in for one that it dialled, and no Call-ID into a command that is no identifier', async () => {
    await up();
    const callId = '4a9b5487-6cf3-465c-9049-b714e2ed2430';
    const leg = { name: 'sofia/x/alice', callId, callState: 'RINGING' } as const;
    fake.addChannel({ ...leg, uuid: callId, direction: 'inbound', ended: () => undefined });
    const before = fake.commands.length;
    for (const id of [callId, 'a b', '../x', `${callId}x`]) {
      await assert.rejects(port.outboundChannel({ callId: id, timeoutMs: 200 }), {
        code: 'SEGY_E_PBX_NO_CHANNEL',
      });
    }
    const asked = fake.commands.slice(before).filter((command) => !command.includes('status'));
    assert.ok(asked.length > 0 && asked.every((command) => command.includes(callId)));
    assert.equal(
      asked.some((command) => command.includes(`${callId}x`)),
      false,
    );
  });

  it('finds a parked call that the channel list does not yet show as ringing', async () => {
    parked('late', 'DOWN');
    await up();
    const channel = await port.inboundChannel({ callId: 'late', sessionId: 's', timeoutMs: 500 });
    assert.notEqual(channel.id, '');
  });
});
