import assert from 'node:assert/strict';
import { consoleSchema } from '../../src/config/console-schema.js';

describe('the settings of the console', () => {
  it('let nothing listen unless they say so', () => {
    assert.equal(consoleSchema.parse(undefined).listen, undefined);
    assert.deepEqual(consoleSchema.parse({ listen: {} }).listen, {
      address: '127.0.0.1',
      port: 9465,
    });
  });

  it('take addresses of loopback only', () => {
    const takes = (address: string): boolean =>
      consoleSchema.safeParse({ listen: { address } }).success;
    for (const address of ['127.0.0.1', '127.0.0.9', '::1']) assert.ok(takes(address), address);
    const others = ['0.0.0.0', '::', '192.0.2.1', '::ffff:127.0.0.1', 'localhost', '127.0.0', ''];
    for (const address of others) assert.ok(!takes(address), address);
  });

  it('know no name but their own', () => {
    assert.ok(!consoleSchema.safeParse({ token: 'a-secret-in-the-configuration' }).success);
  });
});
