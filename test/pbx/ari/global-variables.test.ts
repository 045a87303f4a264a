import assert from 'node:assert/strict';
import { GlobalVariables } from '../../../src/pbx/ari/global-variables.js';

describe('pbx/ari/global-variables', () => {
  const globals = new Map<string, string>();
  let between: () => void;
  const set = async (variable: string, value: string | null): Promise<void> => {
    await Promise.resolve();
    between();
    if (value === null) globals.delete(variable);
    else globals.set(variable, value);
  };
  beforeEach(() => {
    globals.clear();
    between = () => undefined;
  });

  it('keep the talker of each channel under its identifier, and nothing else that is told', async () => {
    const variables = new GlobalVariables(set);
    await variables.set('1.2', { SEGY_TALKER: 'sip:a@x', SEGY_SESSION: 's' });
    await variables.set('1.3', { SEGY_TALKER: 'sip:b@x' });
    assert.deepEqual(
      [...globals],
      [
        ['SEGY_TALKER_1.2', 'sip:a@x'],
        ['SEGY_TALKER_1.3', 'sip:b@x'],
      ],
    );
  });

  it('end with the channel, also with one that ends while they are being set', async () => {
    const variables = new GlobalVariables(set);
    await variables.set('1.2', { SEGY_TALKER: 'sip:a@x' });
    await variables.forget('1.2');
    assert.equal(globals.size, 0);
    between = () => {
      between = () => undefined;
      void variables.forget('1.4');
    };
    await variables.set('1.4', { SEGY_TALKER: 'sip:a@x' });
    assert.equal(globals.size, 0);
  });

  it('are no error when the link is lost before they can be removed', async () => {
    let lost = false;
    const variables = new GlobalVariables(() =>
      lost ? Promise.reject(new Error('lost')) : Promise.resolve(),
    );
    await variables.set('1.2', { SEGY_TALKER: 'sip:a@x' });
    lost = true;
    await variables.forget('1.2');
  });
});
