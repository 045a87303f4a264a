import assert from 'node:assert/strict';
import { MetricsServer } from '../../src/admin/index.js';

describe('the address of the metrics', () => {
  let server: MetricsServer;
  let expose: () => string;

  before(async () => {
    server = await MetricsServer.open({ address: '127.0.0.1', port: 0, expose: () => expose() });
  });
  after(() => server.close());
  beforeEach(() => {
    expose = () => 'segy_info 1\n';
  });

  const ask = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method });

  it('gives the text to GET and its head to HEAD', async () => {
    const got = await ask('/metrics');
    assert.equal(got.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(await got.text(), 'segy_info 1\n');
    const head = await ask('/metrics', 'HEAD');
    assert.deepEqual([head.status, await head.text()], [200, '']);
  });

  it('says nothing else and takes nothing', async () => {
    assert.equal((await ask('/')).status, 404);
    assert.equal((await ask('/metrics?x=1')).status, 404);
    assert.equal((await ask('/metrics', 'POST')).status, 405);
  });

  it('answers 500 where a gauge cannot be read, and goes on', async () => {
    expose = () => {
      throw new Error('a view that fails');
    };
    assert.equal((await ask('/metrics')).status, 500);
    expose = () => 'segy_info 1\n';
    assert.equal((await ask('/metrics')).status, 200);
  });

  it('is not opened twice', async () => {
    const { port } = server;
    await assert.rejects(MetricsServer.open({ address: '127.0.0.1', port, expose: () => '' }), {
      code: 'SEGY_E_IO',
    });
  });
});
