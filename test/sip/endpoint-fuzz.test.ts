import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { createResponse } from '../../src/sip/index.js';
import { Endpoints, finalOf, makeRequest } from './support/endpoints.js';
import { inviteOctets } from './support/messages.js';
import { mutate, mutations } from './support/mutations.js';
import { SEED } from '../support/seed.js';

const OPEN = new Endpoints();

describe('sip/endpoint: mutated datagrams', () => {
  afterEach(() => OPEN.closeAll());

  it('neither end the endpoint nor reach a handler that fails', async () => {
    const server = OPEN.make();
    const client = OPEN.make();
    server.onRequest = (tx) => tx.respond(createResponse(tx.request, 486));
    const { port } = await server.listen({ protocol: 'udp', address: '127.0.0.1', port: 0 });
    await client.listen({ protocol: 'udp', address: '127.0.0.1', port: 0 });
    const socket = createSocket('udp4');
    const methods = ['INVITE', 'ACK', 'CANCEL', 'BYE'];
    for (const [index, changes] of fc.sample(mutations, { numRuns: 600 }).entries()) {
      const via = 'SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKabc;rport';
      const text = Buffer.from(inviteOctets({ Via: via })).toString('latin1');
      const whole = Buffer.from(text.replaceAll('INVITE', methods[index % 4] ?? ''), 'latin1');
      await new Promise((resolve) =>
        socket.send(mutate(whole, changes), port, '127.0.0.1', resolve),
      );
    }
    const target = { protocol: 'udp', address: '127.0.0.1', port } as const;
    const answer = await finalOf(client.request(makeRequest('OPTIONS'), target));
    socket.close();
    assert.equal(answer.status, 486);
    assert.deepEqual(OPEN.problems.splice(0), [], `seed ${SEED}`);
  });
});
