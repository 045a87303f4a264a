import assert from 'node:assert/strict';
import type { Nodes, XcapServer } from '../../src/xcap/index.js';
import { CAPABILITIES_PATH, TreeNodes, XCAP_ERROR_TYPE } from '../../src/xcap/index.js';
import { needTool, runTool } from '../xmldsig/support.js';
import { ask, AUID, DOCUMENT, MemoryUsage, serverOver, tagOf, textOf } from './support.js';
import { NAMESPACE, TYPE, xcapSchema, type Asked, type Caller } from './support.js';

const PATH = `${AUID}/global/byGroupID/sip:tg1@lmr.example`;
const OTHER = `${AUID}/global/byGroupID/sip:tg2@lmr.example`;
const TAG = tagOf(DOCUMENT);
const XML = { 'Content-Type': TYPE };

describe('the XCAP server of RFC 4825', () => {
  let usage: MemoryUsage;
  let server: XcapServer<Caller>;
  beforeEach(() => {
    usage = new MemoryUsage();
    usage.documents.set(PATH, DOCUMENT);
    server = serverOver(usage);
  });
  const status = async (asked: Asked): Promise<number> => (await ask(server, asked)).status;
  const put = (more: Partial<Asked> = {}): Asked => ({
    ...{ method: 'PUT', path: PATH, headers: XML, body: '<g/>' },
    ...more,
  });

  describe('reading', () => {
    for (const method of ['GET', 'HEAD']) {
      it(`gives a document with its type and its strong entity tag to ${method}`, async () => {
        const answer = await ask(server, { method, path: PATH });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers?.['Content-Type'], TYPE);
        assert.equal(answer.headers.ETag, TAG);
        assert.equal(textOf(answer), DOCUMENT);
      });
    }

    it('takes a path however it is percent-encoded', async () => {
      const encoded = PATH.replace('sip:tg1@', 'sip%3Atg1%40');
      assert.equal(await status({ path: encoded }), 200);
    });

    it('finds nothing under another name, tree or usage', async () => {
      for (const path of [OTHER, `${AUID}/users/x/doc`, 'resource-lists/global/index', '']) {
        assert.equal(await status({ path }), 404, path);
      }
    });

    const nodes: readonly [string, string, string][] = [
      ['g/e%5b2%5d/n', 'application/xcap-el+xml', '>x &amp; y</n>'],
      ['g/e%5b@uri=%22b%22%5d/n', 'application/xcap-el+xml', '>x &amp; y</n>'],
      ['g/e%5b1%5d/@uri', 'application/xcap-att+xml', 'a'],
      ['g/namespace::*', 'application/xcap-ns+xml', '<g xmlns='],
    ];
    for (const [selector, type, expected] of nodes) {
      it(`gives the node ${decodeURIComponent(selector)} as ${type}`, async () => {
        const answer = await ask(server, { path: `${PATH}/~~/${selector}` });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers?.['Content-Type'], type);
        assert.ok(textOf(answer).includes(expected), textOf(answer));
        assert.equal(answer.headers.ETag, TAG, 'the tag of a node is that of its document');
      });
    }

    it('takes the separator percent-encoded, and prefixes bound in the query', async () => {
      assert.equal(await status({ path: `${PATH}/%7E%7e/g/e%5b1%5d` }), 200);
      const bound = { path: `${PATH}/~~/p:g`, query: 'xmlns(p=urn:oma:xml:poc:list-service)' };
      assert.equal(await status(bound), 200);
    });

    it('has 404 for a node that is not there and for one of several, 400 for what is no selector', async () => {
      for (const [selector, expected] of [
        ['g/x', 404],
        ['g/e', 404],
        ['p:g', 400],
        ['g/e%5b', 400],
        ['g/e%5b@uri=%22&bad;%22%5d', 400],
      ] as const) {
        assert.equal(await status({ path: `${PATH}/~~/${selector}` }), expected, selector);
      }
    });

    it('has the nodes of large documents read and changed elsewhere', async () => {
      const asked: string[] = [];
      const inner = new TreeNodes();
      const large: Nodes = {
        select: (document, selector) => {
          asked.push(`select ${document.etag}`);
          return inner.select(document, selector);
        },
        put: (document, selector, body) => {
          asked.push(`put ${body}`);
          return inner.put(document, selector, body);
        },
        delete: (document, selector) => {
          asked.push('delete');
          return inner.delete(document, selector);
        },
      };
      server = serverOver(usage, undefined, large);
      const element = { 'Content-Type': 'application/xcap-el+xml' };
      assert.equal(await status({ path: `${PATH}/~~/g/e%5b1%5d` }), 200);
      assert.deepEqual(asked, []);
      const text = `<g xmlns="${NAMESPACE}"><e uri="a"/>${' '.repeat(300_000)}<e uri="b"/></g>`;
      usage.documents.set(PATH, text);
      assert.equal(await status({ path: `${PATH}/~~/g/e%5b@uri=%22b%22%5d` }), 200);
      assert.equal(await status({ path: `${PATH}/~~/g/e%5b3%5d` }), 404);
      const entry = { path: `${PATH}/~~/g/e%5b@uri=%22c%22%5d`, headers: element };
      assert.equal(await status({ ...entry, method: 'PUT', body: '<e uri="c"/>' }), 201);
      assert.equal(await status({ ...entry, method: 'DELETE' }), 200);
      assert.deepEqual(asked, [
        `select ${tagOf(text)}`,
        `select ${tagOf(text)}`,
        'put <e uri="c"/>',
        'delete',
      ]);
    });
  });

  describe('conditions (RFC 9110 clause 13)', () => {
    const table: readonly [string, Record<string, string>, number, number][] = [
      ['If-Match with the tag', { 'If-Match': TAG }, 200, 200],
      ['If-Match with one of several', { 'If-Match': `"x", ${TAG}` }, 200, 200],
      ['If-Match: *', { 'If-Match': '*' }, 200, 200],
      ['If-Match with another tag', { 'If-Match': '"x"' }, 412, 412],
      ['If-Match with the tag, weak', { 'If-Match': `W/${TAG}` }, 412, 412],
      ['If-None-Match with the tag', { 'If-None-Match': TAG }, 304, 412],
      ['If-None-Match with the tag, weak', { 'If-None-Match': `W/${TAG}` }, 304, 412],
      ['If-None-Match: *', { 'If-None-Match': '*' }, 304, 412],
      [
        'If-None-Match with the tag among others',
        { 'If-None-Match': `"a,b",, W/"c" ,${TAG},` },
        304,
        412,
      ],
      [
        'If-None-Match with the tag as the last of hundreds',
        { 'If-None-Match': [...Array.from({ length: 300 }, (_, n) => `"${n}"`), TAG].join(', ') },
        304,
        412,
      ],
      ['If-None-Match with the tag and no list', { 'If-None-Match': `${TAG} "x"` }, 400, 400],
      ['If-None-Match with a tag that does not end', { 'If-None-Match': `${TAG}, "x` }, 400, 400],
      ['If-None-Match with another tag', { 'If-None-Match': '"x"' }, 200, 200],
      ['a tag without quotes', { 'If-Match': 'x' }, 400, 400],
      ['a field that is empty', { 'If-None-Match': ' , ' }, 400, 400],
    ];
    for (const [what, headers, reading, writing] of table) {
      it(`${what}: ${reading} to GET, ${writing} to PUT and DELETE`, async () => {
        assert.equal(await status({ path: PATH, headers }), reading);
        assert.equal(await status(put({ headers: { ...XML, ...headers } })), writing);
        usage.documents.set(PATH, DOCUMENT);
        assert.equal(await status({ method: 'DELETE', path: PATH, headers }), writing);
      });
    }

    it('304 has the entity tag and no body', async () => {
      const answer = await ask(server, { path: PATH, headers: { 'If-None-Match': TAG } });
      assert.equal(answer.headers?.ETag, TAG);
      assert.equal(answer.body, undefined);
    });

    it('hold for a document that is not there: If-Match: * is 412, If-None-Match: * makes it', async () => {
      const matched = put({ path: OTHER, headers: { ...XML, 'If-Match': '*' } });
      assert.equal(await status(matched), 412);
      const absent = put({ path: OTHER, headers: { ...XML, 'If-None-Match': '*' } });
      assert.equal(await status(absent), 201);
      assert.equal(await status(absent), 412);
    });

    it('hold at the moment of the change, not before it', async () => {
      usage.overtake = () => usage.documents.set(PATH, '<g>theirs</g>');
      assert.equal(await status(put({ headers: { ...XML, 'If-Match': TAG } })), 412);
      assert.equal(usage.documents.get(PATH), '<g>theirs</g>');
    });
  });

  describe('writing', () => {
    it('makes a document with 201, replaces it with 200, each with the new entity tag', async () => {
      const made = await ask(server, put({ path: OTHER }));
      assert.deepEqual([made.status, made.headers?.ETag], [201, tagOf('<g/>')]);
      const again = await ask(server, put({ path: OTHER, body: '<g>2</g>' }));
      assert.deepEqual([again.status, again.headers?.ETag], [200, tagOf('<g>2</g>')]);
      assert.equal(usage.documents.get(OTHER), '<g>2</g>');
    });

    it('without a condition goes on over what overtook it', async () => {
      let left = 2;
      usage.overtake = () => {
        if (left-- > 0) usage.documents.set(PATH, `<g>${left}</g>`);
      };
      assert.equal(await status(put()), 200);
      assert.equal(usage.documents.get(PATH), '<g/>');
    });

    it('deletes a document once', async () => {
      assert.equal(await status({ method: 'DELETE', path: PATH }), 200);
      assert.equal(await status({ method: 'DELETE', path: PATH }), 404);
    });

    for (const [what, type] of Object.entries({
      'another type': { 'Content-Type': 'application/xml' },
      'no type': {},
      'another charset': { 'Content-Type': `${TYPE}; charset=iso-8859-1` },
      'a content coding': { ...XML, 'Content-Encoding': 'gzip' },
    })) {
      it(`refuses a body of ${what} with 415 and never reads it`, async () => {
        assert.equal(await status(put({ headers: type })), 415);
        assert.deepEqual(usage.seen, []);
      });
    }

    it('refuses a part of a document with 400 and never reads it (RFC 9110 clause 14.5)', async () => {
      const part = { ...XML, 'Content-Range': 'bytes 0-3/100' };
      assert.equal(await status(put({ headers: part })), 400);
      assert.deepEqual(usage.seen, []);
    });

    it('takes the type in any case and with charset utf-8', async () => {
      const type = `${TYPE.toUpperCase()} ; charset="UTF-8"`;
      assert.equal(await status(put({ headers: { 'Content-Type': type } })), 200);
    });

    it('takes no more than a few large documents a second, and small ones at any time', async () => {
      server = serverOver(usage, { now: () => 0 });
      const large = { body: `<g>${'x'.repeat(33_000)}</g>` };
      const statuses = new Set<number>();
      for (let i = 0; i < 12; i++) statuses.add(await status(put(large)));
      assert.deepEqual([...statuses], [200, 503]);
      assert.equal(await status(put()), 200);
    });

    it('tells what a document breaks in an XCAP error document, valid by its schema in libxml2', async function () {
      const answer = await ask(server, put({ body: '<bad/>' }));
      assert.equal(answer.status, 409);
      assert.equal(answer.headers?.['Content-Type'], XCAP_ERROR_TYPE);
      assert.match(
        textOf(answer),
        /<constraint-failure phrase="a &quot;bad&quot; &lt;document&gt;"/,
      );
      needTool(this, 'xmllint');
      const schema = ['--noout', '--nonet', '--schema', xcapSchema('xcap-error.xsd'), '-'];
      runTool('xmllint', schema, textOf(answer));
    });

    it('has 405 with what is allowed for other methods, for bindings and for the capabilities', async () => {
      const allow = async (asked: Asked) => {
        const answer = await ask(server, asked);
        return [answer.status, answer.headers?.Allow];
      };
      assert.deepEqual(await allow({ method: 'POST', path: PATH }), [
        405,
        'GET, HEAD, PUT, DELETE',
      ]);
      assert.deepEqual(await allow(put({ path: `${PATH}/~~/g/namespace::*` })), [405, 'GET, HEAD']);
      assert.deepEqual(await allow(put({ path: CAPABILITIES_PATH })), [405, 'GET, HEAD']);
    });
  });

  describe('its guard', () => {
    it('is asked first, so that a stranger learns nothing', async () => {
      for (const path of [PATH, OTHER, 'nothing/at/all', CAPABILITIES_PATH]) {
        assert.equal(await status({ path, caller: null }), 401);
        assert.equal(await status(put({ path, caller: null })), 401);
      }
    });

    it('keeps those from reading who may not read, whether the document is there or not', async () => {
      assert.equal(await status({ path: PATH, caller: 'nobody' }), 403);
      assert.equal(await status({ path: OTHER, caller: 'nobody' }), 403);
    });

    it('keeps readers from writing, before a body is read', async () => {
      assert.equal(await status(put({ caller: 'reader' })), 403);
      assert.equal(await status({ method: 'DELETE', path: PATH, caller: 'reader' }), 403);
      assert.deepEqual(usage.seen, []);
    });
  });

  describe('the capabilities', () => {
    it('name each usage and namespace, valid by their schema in libxml2', async function () {
      const answer = await ask(server, { path: CAPABILITIES_PATH });
      assert.equal(answer.headers?.['Content-Type'], 'application/xcap-caps+xml');
      assert.match(textOf(answer), new RegExp(`<auid>xcap-caps</auid><auid>${AUID}</auid>`));
      assert.match(textOf(answer), /<namespace>urn:3gpp:ns:mcpttGroupInfo:1\.0<\/namespace>/);
      needTool(this, 'xmllint');
      const schema = ['--noout', '--nonet', '--schema', xcapSchema('xcap-caps.xsd'), '-'];
      runTool('xmllint', schema, textOf(answer));
    });

    it('have an entity tag, and nodes', async () => {
      const { headers } = await ask(server, { path: CAPABILITIES_PATH });
      const again = { path: CAPABILITIES_PATH, headers: { 'If-None-Match': headers?.ETag ?? '' } };
      assert.equal(await status(again), 304);
      const node = { path: `${CAPABILITIES_PATH}/~~/xcap-caps/auids/auid%5b2%5d` };
      assert.match(textOf(await ask(server, node)), new RegExp(`>${AUID}<`));
    });
  });
});
