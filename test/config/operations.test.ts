import assert from 'node:assert/strict';
import { checkConfigText } from '../../src/config/index.js';

const config = (more: string): ReturnType<typeof checkConfigText> =>
  checkConfigText(`pbx: { type: asterisk, ari: { url: 'http://127.0.0.1:8088', username: segy, passwordFile: /x } }
outer: { mediaAddress: 192.0.2.1, listeners: [{ transport: udp, address: 192.0.2.1, port: 5060 }] }
${more}
`);
const paths = (more: string): string[] => {
  const result = config(more);
  return result.ok ? [] : result.findings.map(({ path, line }) => `${line} ${path}`);
};

describe('the settings of what an operator sees', () => {
  it('open no port and write no file unless they are set', () => {
    const result = config('');
    assert.ok(result.ok);
    const { admin, metrics, alarms, securityLog } = result.config;
    assert.deepEqual([admin, metrics, securityLog], [{}, {}, {}]);
    assert.equal(alarms.webhook, undefined);
  });

  it('let metrics listen on loopback only', () => {
    assert.deepEqual(paths('metrics: { listen: {} }'), []);
    assert.deepEqual(paths('metrics: { listen: { address: "::1", port: 9000 } }'), []);
    assert.deepEqual(paths('metrics: { listen: { address: 192.0.2.1 } }'), [
      '3 metrics.listen.address',
    ]);
    assert.deepEqual(paths('metrics: { listen: { address: localhost } }'), [
      '3 metrics.listen.address',
    ]);
  });

  it('let a webhook have its token over https only', () => {
    const hook = (url: string, more = ''): string[] =>
      paths(`alarms: { webhook: { url: '${url}'${more} } }`);
    assert.deepEqual(hook('http://ops.example/'), []);
    assert.deepEqual(hook('https://ops.example/', ', tokenFile: /t'), []);
    assert.deepEqual(hook('http://ops.example/', ', tokenFile: /t'), [
      '3 alarms.webhook.tokenFile',
    ]);
    assert.deepEqual(hook('ftp://ops.example/'), ['3 alarms.webhook.url']);
  });
});
