/** APIs of other servers: a backend on loopback, behind an address on paper, as clients of the API see it. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { after, before, suite, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { Registry } from 'prom-client';
import { ConfigMap } from '../../src/api/generated/kinds.ts';
import { realClock } from '../../src/client/clock.ts';
import { AggregationMetrics } from '../../src/control-plane/api-server/extension/aggregation-metrics.ts';
import {
  type AggregatedServer,
  answerJson,
  groupVersionPath,
  startAggregatedServer,
  Things,
  thingResource,
} from '../kit/aggregated-server.ts';
import type { Answer, GuardedServer } from '../kit/guarded-server.ts';

const openAPI = `/openapi/v3${groupVersionPath}?hash=1`;
/** Its ObjectMeta is not the server's. */
const openAPIV2 = {
  paths: {
    '/apis/': {},
    [`${groupVersionPath}/things`]: { get: { responses: { 200: { schema: { $ref: '#/definitions/example.Thing' } } } } },
  },
  definitions: {
    'example.Thing': { properties: { metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' } } },
    'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { type: 'object' },
    'example.Unused': {},
  },
};
const resources = { kind: 'APIResourceList', resources: [{ ...thingResource, verbs: ['get', 'list'] }] };

suite('aggregated APIs', () => {
  const stack = new AsyncDisposableStack();
  let aggregated: AggregatedServer;
  let server: GuardedServer;
  let asked: IncomingMessage[];
  let isUp = true;
  const metrics = new Registry();

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const json = (code: number, value: object): void => answerJson(response, code, value);
    if (!isUp) response.writeHead(500).end();
    else if (request.url === groupVersionPath) json(200, resources);
    else if (request.url === '/openapi/v3') json(200, { paths: { [groupVersionPath.slice(1)]: { serverRelativeURL: openAPI } } });
    else if (request.url === '/openapi/v2' && request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
    else if (request.url === '/openapi/v2')
      response.writeHead(200, { 'content-type': 'application/json', etag: '"1"' }).end(JSON.stringify(openAPIV2));
    else if (request.url === openAPI) json(200, { openapi: '3.0.0' });
    else if (request.url?.endsWith('/broken')) response.destroy();
    else if (request.url?.startsWith(groupVersionPath)) json(200, { kind: 'Thing', url: request.url });
    else json(404, { kind: 'Status', status: 'Failure', code: 404 });
  };

  before(async () => {
    aggregated = stack.use(await startAggregatedServer(answer));
    ({ server, asked } = aggregated);
    stack.use(new AggregationMetrics(server.server.reader)).register(metrics);
  });
  after(() => stack.disposeAsync());

  const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> => server.ask(path, { headers });
  const aggregatedGroup = async (): Promise<{ resource: string }[] | string> => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const { items } = JSON.parse((await get('/apis', { accept })).text) as {
      items: { metadata: { name: string }; versions: { freshness: string; resources?: { resource: string }[] }[] }[];
    };
    const [version] = items.find(({ metadata }) => metadata.name === 'things.example.com')?.versions ?? [];
    return version?.freshness === 'Current' ? (version.resources ?? []) : (version?.freshness ?? 'absent');
  };

  test('one without a ready endpoint is unavailable, and says why', async () => {
    await aggregated.register();
    assert.equal(await aggregated.available('EndpointsNotFound'), 'cannot find endpointslices for service/things in "backend"');
    const { code, text } = await get(`${groupVersionPath}/things`);
    assert.deepEqual([code, text], [503, 'service unavailable\n']);
    assert.equal(await aggregatedGroup(), 'Stale');
  });

  test('one that answers gets what is its own, and the name of who asks', async () => {
    await aggregated.addEndpoint();
    assert.equal(await aggregated.available('Passed'), 'all checks passed');
    const mine = { 'x-remote-user': 'root', 'x-remote-group': 'system:masters', authorization: 'Basic x' };
    const { code, text } = await get(`${groupVersionPath}/namespaces/a/things/b?x=1`, mine);
    assert.deepEqual([code, JSON.parse(text)], [200, { kind: 'Thing', url: `${groupVersionPath}/namespaces/a/things/b?x=1` }]);
    const { headers, socket } = asked.at(-1) ?? assert.fail();
    assert.deepEqual(
      [headers['x-remote-user'], headers['x-remote-group'], headers.authorization],
      ['admin', 'system:masters, system:authenticated', undefined],
    );
    assert.equal((socket as TLSSocket).getPeerCertificate().subject.CN, 'front-proxy-client');
    assert.deepEqual(await aggregatedGroup(), [
      {
        resource: 'things',
        responseKind: { group: 'things.example.com', version: 'v1', kind: 'Thing' },
        scope: 'Namespaced',
        singularResource: 'thing',
        verbs: ['get', 'list'],
      },
    ]);
  });

  test('its OpenAPI document is listed, and its own to give', async () => {
    const { paths } = JSON.parse((await get('/openapi/v3')).text) as { paths: Record<string, { serverRelativeURL: string }> };
    assert.equal(paths[groupVersionPath.slice(1)]?.serverRelativeURL, openAPI);
    assert.ok(paths['apis/apps/v1']);
    const { code, text } = await get(openAPI);
    assert.deepEqual([code, text], [200, '{"openapi":"3.0.0"}']);
  });

  test('what it says in version 2 is part of the one document, and is asked for again only when it changes', async () => {
    interface Document {
      readonly paths: Record<string, unknown>;
      readonly definitions: Record<string, { properties?: Record<string, unknown> }>;
    }
    const read = async (): Promise<Document> => JSON.parse((await get('/openapi/v2')).text) as Document;
    const { paths, definitions } = await read();
    const renamed = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta_v2';
    assert.deepEqual(
      [definitions['example.Thing'], definitions[renamed], definitions['example.Unused'], paths[`${groupVersionPath}/things`]],
      [
        { properties: { metadata: { $ref: `#/definitions/${renamed}` } } },
        { type: 'object' },
        undefined,
        openAPIV2.paths[`${groupVersionPath}/things`],
      ],
    );
    assert.equal(paths['/apis/things.example.com/'], undefined);
    assert.notDeepEqual(paths['/apis/'], {});
    assert.ok(paths['/apis/apps/v1/deployments']);
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    assert.ok((await get('/openapi/v2', { accept })).bytes.includes('example.Thing'));
    asked.length = 0;
    await aggregated.touch('again');
    while (!asked.some(({ url }) => url === '/openapi/v2')) await new Promise(setImmediate);
    assert.equal(asked.find(({ url }) => url === '/openapi/v2')?.headers['if-none-match'], '"1"');
    assert.ok((await read()).definitions['example.Thing']);
  });

  test('components of this process reach it, as who they are', async () => {
    const thing = await server.admin.get(Things, { namespace: 'a', name: 'b' });
    assert.deepEqual((thing as { url?: string }).url, `${groupVersionPath}/namespaces/a/things/b`);
    const { headers, socket } = asked.at(-1) ?? assert.fail();
    assert.deepEqual([headers['x-remote-user'], headers.authorization], ['admin', undefined]);
    assert.equal((socket as TLSSocket).getPeerCertificate().subject.CN, 'front-proxy-client');
    await server.admin.delete(Things, { namespace: 'a', name: 'b' });
    assert.deepEqual([asked.at(-1)?.method, asked.at(-1)?.url], ['DELETE', `${groupVersionPath}/namespaces/a/things/b`]);
    const before = asked.length;
    await assert.rejects(server.as('jane').get(Things, { namespace: 'a', name: 'b' }), {
      code: 403,
      message:
        'things.things.example.com "b" is forbidden: User "jane" cannot get resource "things" in API group "things.example.com" in the namespace "a"',
    });
    assert.equal(asked.length, before);
  });

  test('one that breaks off is told as Go does', async () => {
    const { code, text } = await get(`${groupVersionPath}/things/broken`);
    assert.deepEqual([code, text], [503, 'error trying to reach service: EOF\n']);
  });

  test("the front proxy's certificate is no user, and with it anybody may be named", async () => {
    const data = (await server.admin.get(ConfigMap, { namespace: 'kube-system', name: 'extension-apiserver-authentication' })).data ?? {};
    assert.deepEqual(Object.keys(data).toSorted(), [
      'client-ca-file',
      'requestheader-allowed-names',
      'requestheader-client-ca-file',
      'requestheader-extra-headers-prefix',
      'requestheader-group-headers',
      'requestheader-uid-headers',
      'requestheader-username-headers',
    ]);
    const proxies = await server.pki.frontProxyAuthority();
    const whoAmI = async (commonName: string, headers: Record<string, string | string[]>): Promise<unknown> => {
      const pair = await proxies.issue({ commonName, usages: ['client'] });
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const { code, text } = await server.ask(path, {
        body: { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' },
        headers,
        pair,
      });
      return code === 201 ? (JSON.parse(text) as { status: { userInfo: unknown } }).status.userInfo : code;
    };
    const jane = { 'x-remote-user': 'jane', 'x-remote-group': ['a, b', 'c'], 'x-remote-extra-example.com%2Fk': 'v' };
    assert.deepEqual(await whoAmI('front-proxy-client', jane), {
      username: 'jane',
      groups: ['a, b', 'c', 'system:authenticated'],
      extra: { 'example.com/k': ['v'] },
    });
    assert.equal(await whoAmI('front-proxy-client', {}), 401);
    assert.equal(await whoAmI('system:admin', jane), 401);
  });

  test('one that fails is not asked any more, and what it serves is stale', async () => {
    isUp = false;
    await aggregated.touch('b');
    assert.match(await aggregated.available('FailedDiscoveryCheck'), /bad status from .*: 500$/);
    const counted = (await metrics.metrics()).split('\n').filter((line) => /^[^#].*things/.test(line));
    assert.deepEqual(counted, [
      'aggregator_unavailable_apiservice{name="v1.things.example.com"} 1',
      'aggregator_unavailable_apiservice_total{name="v1.things.example.com",reason="FailedDiscoveryCheck"} 1',
    ]);
    assert.equal((await get(`${groupVersionPath}/things`)).code, 503);
    await assert.rejects(server.admin.list(Things), { code: 503 });
    assert.equal(await aggregatedGroup(), 'Stale');
  });

  test('one that accepts and never answers slows nothing else', async () => {
    const silent = createNetServer();
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    aggregated.real = (silent.address() as AddressInfo).port;
    await aggregated.touch('silent');
    // While it is looked after, and afterwards, everything else is answered as ever.
    const startMs = realClock.monotonic();
    for (const path of ['/apis', '/openapi/v3', '/api/v1/namespaces']) assert.equal((await get(path)).code, 200);
    assert.ok(realClock.monotonic() - startMs < 4000, 'others waited for it');
    assert.match(await aggregated.available('FailedDiscoveryCheck', /deadline/), /context deadline exceeded$/);
    assert.equal((await get(`${groupVersionPath}/things`)).code, 503);
    silent.close();
    await aggregated.unregister();
    assert.equal(await aggregatedGroup(), 'absent');
    assert.equal((await get(`${groupVersionPath}/things`)).code, 404);
  });
});
