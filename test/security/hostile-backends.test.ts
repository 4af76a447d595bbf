/**
 * Servers behind an APIService that mean no good: they answer without end, lie in discovery, send clients elsewhere, or
 * put words into the answer's head. What they can do is spoil their own group-version. (One that accepts and never
 * answers: test/contract/aggregation.test.ts.)
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, afterEach, before, suite, test } from 'node:test';
import { discoverResources } from '../../src/client/transport/discovery.ts';
import {
  type AggregatedServer,
  answerJson,
  type BackendAnswer,
  groupVersionPath,
  startAggregatedServer,
  Things,
  thingResource,
} from '../kit/aggregated-server.ts';

const megabyte = 2 ** 20;
const things = `${groupVersionPath}/things`;

suite('hostile backends', () => {
  const stack = new AsyncDisposableStack();
  /** by path; what is not there is 404 */
  let answers: Record<string, BackendAnswer> = {};
  let aggregated: AggregatedServer;

  before(async () => {
    aggregated = stack.use(
      await startAggregatedServer((request, response) => {
        const [path = ''] = (request.url ?? '').split('?');
        (answers[path] ?? (() => answerJson(response, 404, {})))(request, response);
      }),
    );
    await aggregated.addEndpoint();
  });
  after(() => stack.disposeAsync());
  afterEach(() => aggregated.unregister());

  /** Serves by these answers, and resolves when the APIService is available. */
  const serve = async (given: Record<string, BackendAnswer>): Promise<void> => {
    answers = { [groupVersionPath]: (_, response) => answerJson(response, 200, { resources: [thingResource] }), ...given };
    await aggregated.register();
    await aggregated.available('Passed');
  };
  const served = async (): Promise<readonly string[]> => {
    const { resources, failures } = await discoverResources(aggregated.server.admin);
    assert.ok(resources.some(({ resource }) => resource === 'pods'));
    const found = resources.filter(({ group }) => group === Things.group).map(({ resource, verbs }) => `${resource} ${verbs.join()}`);
    return [...found, ...failures.map(({ groupVersion }) => `${groupVersion} failed`)];
  };
  /** Sends without end, until it is cut off; resolves with how much was sent then. */
  const withoutEnd = (response: ServerResponse): Promise<number> =>
    new Promise((resolve) => {
      let sent = 0;
      const part = Buffer.alloc(megabyte, ' ');
      const more = (): void => {
        while (!response.destroyed && response.write(part)) sent += megabyte;
        if (!response.destroyed) response.once('drain', more);
      };
      response.on('close', () => resolve(sent));
      response.writeHead(200, { 'content-type': 'application/json' });
      more();
    });

  const lies: readonly { readonly name: string; readonly resources: unknown; readonly want: readonly string[] }[] = [
    { name: 'no list', resources: { length: 1e9 }, want: [] },
    { name: 'nothing that is a resource', resources: [null, 1, 'pods', [], {}], want: [] },
    { name: 'verbs that are no list', resources: [thingResource, { ...thingResource, name: 'x', verbs: 5 }], want: ['things get'] },
    { name: 'names that are no text', resources: [{ ...thingResource, name: { toString: 1 } }, thingResource], want: ['things get'] },
    { name: 'a name of a megabyte', resources: [{ ...thingResource, name: 'x'.repeat(megabyte) }, thingResource], want: ['things get'] },
  ];
  for (const { name, resources, want } of lies) {
    test(`discovery that says ${name}`, async () => {
      const said = Array.isArray(resources)
        ? resources.map((each: unknown) => (each === thingResource ? { ...thingResource, verbs: ['get'] } : each))
        : resources;
      await serve({ [groupVersionPath]: (_, response) => answerJson(response, 200, { resources: said }) });
      assert.deepEqual(await served(), want);
    });
  }

  test('aggregated discovery that lies in its depth, and says more than anybody serves', async () => {
    const good = { resource: 'things', responseKind: { kind: 'Thing' }, scope: 'Namespaced', singularResource: 'thing', verbs: ['get'] };
    const many = Array.from({ length: 5000 }, (_, i) => ({ ...good, resource: `things${i}` }));
    const resources = [
      { ...good, responseKind: 'Thing' },
      { ...good, scope: ['Namespaced'] },
      { ...good, shortNames: [{}] },
      { ...good, subresources: [{ subresource: 'status', verbs: 'get' }, 7] },
      ...many,
    ];
    const items = [{ metadata: { name: Things.group }, versions: [{ version: 'v1', resources }] }];
    await serve({ '/apis': (_, response) => answerJson(response, 200, { kind: 'APIGroupDiscoveryList', items }) });
    const found = await served();
    assert.equal(found.length, 1000 - 3);
    assert.equal(found[0], 'things get');
  });

  test('a document without end is cut off', async () => {
    const sent = Promise.withResolvers<number>();
    await serve({ '/openapi/v3': (_, response) => void withoutEnd(response).then(sent.resolve) });
    assert.ok((await sent.promise) < 100 * megabyte);
    assert.deepEqual(await served(), [`things ${thingResource.verbs.join()}`]);
  });

  test('OpenAPI of version 2 that is not what it should be spoils nobody else', async () => {
    const path = { get: { tags: [5], parameters: 'x', responses: { 200: { schema: { $ref: '#/definitions/__proto__' } } } }, $ref: {} };
    const definitions = { __proto__: null, a: { required: [{}] }, '': [] };
    await serve({
      '/openapi/v2': (_, response) => answerJson(response, 200, { paths: { [`${things}/x`]: path, '/api/v1/': {} }, definitions }),
    });
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    for (const headers of [{}, { accept }]) {
      const { code, bytes } = await aggregated.server.ask('/openapi/v2', { headers });
      assert.deepEqual([code, bytes.includes('io.k8s.api.core.v1.Pod')], [200, true]);
    }
  });

  test('a list without end that a component reads is cut off', async () => {
    const sent = Promise.withResolvers<number>();
    await serve({ [things]: (_, response) => void withoutEnd(response).then(sent.resolve) });
    await assert.rejects(aggregated.server.admin.list(Things), { code: 503, message: /^error trying to reach service: / });
    assert.ok((await sent.promise) < 100 * megabyte);
  });

  test('an event without end that a component reads is cut off', async () => {
    const sent = Promise.withResolvers<number>();
    await serve({ [things]: (_, response) => void withoutEnd(response).then(sent.resolve) });
    await assert.rejects(async () => {
      for await (const _ of aggregated.server.admin.watch(Things)) assert.fail('an event');
    }, /a line is longer than/);
    assert.ok((await sent.promise) < 100 * megabyte);
  });

  test('a redirect is not passed on, and not followed', async () => {
    const location = 'https://127.0.0.1:1/';
    await serve({ [things]: (_, response) => void response.writeHead(307, { location, 'set-cookie': 'a=b' }).end() });
    const { code, text, headers } = await aggregated.server.ask(things);
    assert.deepEqual(
      [code, text, headers['location'], headers['set-cookie']],
      [502, 'the backend attempted to redirect this request, which is not permitted', undefined, undefined],
    );
    await assert.rejects(aggregated.server.admin.list(Things), { code: 307 });
  });

  const heads: readonly { readonly name: string; readonly head: string; readonly want: RegExp | number }[] = [
    { name: 'two lengths', head: 'content-length: 2\r\ncontent-length: 40\r\n\r\n{}', want: 503 },
    { name: 'a length and chunks', head: 'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n', want: 503 },
    { name: 'a line folded into a header', head: 'x-a: b\r\n x-remote-user: root\r\ncontent-length: 2\r\n\r\n{}', want: 503 },
    { name: 'a bare line feed in a header', head: 'x-a: b\nx-c: d\r\ncontent-length: 2\r\n\r\n{}', want: 503 },
    {
      name: 'headers of the connection',
      head: 'connection: x-a\r\nx-a: b\r\nkeep-alive: x\r\ncontent-length: 2\r\n\r\n{}',
      want: /^(?!.*x-a)/,
    },
  ];
  for (const { name, head, want } of heads) {
    test(`a head with ${name}`, async () => {
      await serve({});
      answers[things] = (_, response) => {
        response.socket?.end(`HTTP/1.1 200 OK\r\n${head}`);
      };
      const { code, headers } = await aggregated.server.ask(things);
      if (typeof want === 'number') assert.equal(code, want);
      else assert.match(JSON.stringify([code, headers]), want);
      assert.equal((await aggregated.server.ask('/api/v1/namespaces')).code, 200);
    });
  }
});
