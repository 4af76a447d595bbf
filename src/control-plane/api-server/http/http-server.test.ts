/** The API over real sockets: protocols, forms of bodies and answers, refusals, identities, upgrades, shutdown. */
import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { connect as connectHTTP2, constants } from 'node:http2';
import { connect as connectTCP, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { connect as connectTLS } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { type Answer, type Ask, ask, everybody, type Listening, listen } from '../../../../test/kit/https-server.ts';
import { ConfigMap } from '../../../api/generated/kinds.ts';
import { realClock } from '../../../client/clock.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { createAuthority } from '../../pki/authority.ts';
import type { ServerParts } from '../api-server.ts';
import { anonymous } from '../authentication/anonymous.ts';
import { clientCertificates } from '../authentication/client-certificate.ts';
import { flowLimits, userShare } from '../chain/flow-control.ts';
import type { ConnectEndpoint } from '../request/api-request.ts';
import { acceptedTypes } from './negotiation.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const deployment = '/apis/apps/v1/namespaces/default/deployments/none';
const mergePatch = (body: string): Ask => ({ method: 'PATCH', body, headers: { 'content-type': 'application/merge-patch+json' } });

interface Table {
  readonly columnDefinitions?: unknown;
  readonly rows: readonly { readonly cells: unknown[]; readonly object?: { readonly metadata: { readonly annotations?: unknown } } }[];
}

const create = ({ ask }: Listening, name: string, data: Record<string, string> = {}) =>
  ask(collection, { method: 'POST', body: JSON.stringify({ metadata: { name }, data }) });

describe('the HTTPS server', () => {
  it('speaks HTTP/1.1 and HTTP/2, and gives both the same bytes', async () => {
    await using listening = await listen();
    await create(listening, 'a');
    const first = await listening.ask(`${collection}/a`);
    const session = connectHTTP2(`https://127.0.0.1:${listening.port}`, { ca: listening.authority.certPem });
    const stream = session.request({ ':path': `${collection}/a` });
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    session.close();
    assert.equal(Buffer.concat(chunks).toString(), first.text);
    assert.equal(first.headers['cache-control'], 'no-cache, private');
    assert.match(String(first.headers['audit-id']), /^[0-9a-f-]{36}$/);
  });

  it('leaves an answer that goes on when its client goes, over both protocols', { timeout: 20_000 }, async () => {
    for (const version of [1, 2]) {
      const left = Promise.withResolvers<void>();
      const first = { value: 'one\n', done: false };
      const never = new Promise<never>(() => undefined);
      let asked = 0;
      const body: AsyncIterableIterator<string> = {
        next: () => (asked++ === 0 ? Promise.resolve(first) : never),
        return() {
          left.resolve();
          return Promise.resolve({ value: undefined, done: true });
        },
        [Symbol.asyncIterator]: () => body,
      };
      const nonResourceEndpoints = [{ paths: ['/goes/on'], handle: () => ({ status: 200, headers: {}, body }) }];
      await using listening = await listen({ ...everybody, nonResourceEndpoints });
      if (version === 1) {
        const answer = await request(`https://127.0.0.1:${listening.port}/goes/on`, { dispatcher: listening.agent() });
        for await (const chunk of answer.body) {
          assert.equal(String(chunk), 'one\n');
          break;
        }
      } else {
        const session = listening.http2();
        const stream = session.request({ ':path': '/goes/on' });
        assert.equal(String((await once(stream, 'data'))[0]), 'one\n');
        session.destroy();
      }
      await left.promise;
    }
  });

  it('answers in the form that is asked for', async () => {
    await using listening = await listen();
    await create(listening, 'a', { k: 'v' });
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const body = JSON.stringify({ metadata: { name: 'rc' }, spec: { replicas: 2, template } });
    await listening.ask('/api/v1/namespaces/default/replicationcontrollers', { method: 'POST', body });
    const protobuf = 'application/vnd.kubernetes.protobuf';
    const table = 'application/json;as=Table;g=meta.k8s.io;v=v1';
    const rows: readonly {
      readonly accept: string;
      readonly path?: string;
      readonly code: number;
      readonly type: string;
      readonly has: RegExp;
    }[] = [
      {
        accept: 'application/json',
        code: 200,
        type: 'application/json',
        has: /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{"resourceVersion":/,
      },
      { accept: '*/*', path: collection, code: 200, type: 'application/json', has: /"items":\[\{"metadata":\{/ },
      { accept: 'application/yaml', code: 200, type: 'application/yaml', has: /^apiVersion: v1\ndata:\n {2}k: v\n/ },
      { accept: table, path: collection, code: 200, type: 'application/json', has: /"kind":"Table".*"cells":\["a",1,"/ },
      {
        accept: table,
        path: '/api/v1/namespaces/default/replicationcontrollers/rc/scale',
        code: 200,
        type: 'application/json',
        has: /"name":"Desired".*"cells":\["rc",2,0,"/,
      },
      { accept: `${table},application/json`, code: 200, type: 'application/json', has: /"object":\{"kind":"PartialObjectMetadata"/ },
      {
        accept: table,
        path: `${collection}?includeObject=None`,
        code: 200,
        type: 'application/json',
        has: /"rows":\[\{"cells":\[[^\]]*\],"object":null\}\]/,
      },
      {
        accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
        path: collection,
        code: 200,
        type: 'application/json',
        has: /"kind":"PartialObjectMetadataList"/,
      },
      { accept: `${protobuf}, application/json`, code: 200, type: protobuf, has: /^k8s.*ConfigMap/s },
      { accept: protobuf, path: collection, code: 200, type: protobuf, has: /^k8s.*ConfigMapList/s },
      { accept: `${protobuf};${table.slice(17)},${table}`, path: collection, code: 200, type: 'application/json', has: /"kind":"Table"/ },
      {
        accept: `${protobuf};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`,
        path: collection,
        code: 200,
        type: protobuf,
        has: /^k8s.*PartialObjectMetadataList/s,
      },
      { accept: protobuf, path: `${collection}/none`, code: 404, type: protobuf, has: /^k8s.*Status.*configmaps "none" not found/s },
      { accept: 'application/yaml', path: `${collection}/none`, code: 404, type: 'application/yaml', has: /^apiVersion: v1\ncode: 404\n/ },
      { accept: 'text/html', code: 406, type: 'application/json', has: /406: Not Acceptable/ },
      {
        accept: 'application/json;as=Nothing;g=meta.k8s.io;v=v1',
        code: 406,
        type: 'application/json',
        has: /only the following media types are accepted/,
      },
    ];
    for (const { accept, path = `${collection}/a`, code, type, has } of rows) {
      const answer = await listening.ask(path, { headers: { accept } });
      assert.deepEqual({ code: answer.code, type: answer.headers['content-type'] }, { code, type }, accept);
      assert.match(answer.text, has, accept);
    }
    const bind = (accept: string): Promise<Answer> =>
      listening.ask('/api/v1/namespaces/default/bindings', {
        method: 'POST',
        body: '{"metadata":{"name":"a"},"target":{"name":"n"}}',
        headers: { accept },
      });
    assert.equal((await bind(table)).json<{ message: string }>().message, `only the following media types are accepted: ${acceptedTypes}`);
    assert.equal((await bind(`${table},application/json`)).code, 404, 'a binding is no table, but an object');
    assert.match((await listening.ask(`${collection}/a?pretty=true`)).text, /^\{\n {2}"kind": "ConfigMap",\n/);
    assert.match((await listening.ask(`${collection}/a`, { headers: { 'user-agent': 'curl/8' } })).text, /^\{\n/);
  });

  it('refuses bad requests with a Status, and goes on', async () => {
    await using listening = await listen();
    const yaml = { 'content-type': 'application/yaml' };
    const aliases = Array.from('bcdefgh', (name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`)}]\n`).join('');
    const token = (text: string): string => Buffer.from(text).toString('base64url');
    const named = (name: string, rest = '') => `{"metadata":{"name":"${name}"}${rest}}`;
    const rows: readonly { readonly path?: string; readonly given: Ask; readonly code: number; readonly message: RegExp }[] = [
      { given: { method: 'POST', body: '{"metadata":' }, code: 400, message: /must be of type ConfigMap\).*unexpected end of JSON input/ },
      { given: { method: 'POST', body: `{"data":${'['.repeat(20_000)}` }, code: 400, message: /exceeded max depth/ },
      { given: { method: 'POST', body: `{"data":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}` }, code: 400, message: /./ },
      { given: { method: 'POST', body: ' '.repeat(3 * 1024 * 1024 + 1) }, code: 413, message: /limit is 3145728/ },
      {
        given: { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } },
        code: 415,
        message: /body of the request was in an unknown format/,
      },
      { given: { method: 'POST', body: 'a: [', headers: { 'content-type': 'application/yaml' } }, code: 400, message: /yaml: line/ },
      {
        given: { method: 'POST', body: named('a', ',"x":1') },
        path: `${collection}?fieldValidation=Strict`,
        code: 400,
        message: /strict decoding error: unknown field "x"/,
      },
      { given: { method: 'POST', body: named('a') }, path: `${collection}?dryRun=x`, code: 422, message: /dryRun: Unsupported value/ },
      {
        given: { method: 'POST', body: 'a: *a', headers: yaml },
        code: 400,
        message: /yaml: unknown anchor 'a' referenced \(613a202a61\)$/,
      },
      {
        given: { method: 'POST', body: `a: &a [x]\n${aliases}`, headers: yaml },
        code: 413,
        message: /^Request entity too large: more than 100000 values$/,
      },
      {
        given: { method: 'POST', body: `{"data":{"a":"1"},"x":[${'[],'.repeat(100_000)}0]}` },
        code: 413,
        message: /^Request entity too large: more than 100000 values$/,
      },
      {
        given: { method: 'POST', body: 'metadata: {name: a}\ndata: {a: b,\n a: c}\nx: y', headers: yaml },
        path: `${collection}?fieldValidation=Strict`,
        code: 400,
        message: /strict decoding error: yaml: unmarshal errors:\n {2}line 3: key "a" already set in map, unknown field "x"$/,
      },
      { given: { method: 'POST', body: '[a]', headers: yaml }, code: 400, message: /cannot unmarshal array .*\(5b615d\)$/ },
      {
        given: { method: 'POST', body: 'metadata: {name: a, generation: .inf}', headers: yaml },
        code: 400,
        message: /json: unsupported value: \+Inf/,
      },
      {
        given: { method: 'POST', body: 'metadata: {name: a}\ndata: {a: yes}', headers: yaml },
        code: 400,
        message: /cannot unmarshal bool/,
      },
      { given: { method: 'POST', body: '{}', headers: { 'content-type': '*/*' } }, code: 415, message: /unknown format/ },
      {
        given: { method: 'DELETE', body: '{}', headers: { 'content-type': 'text/plain' } },
        path: `${collection}/a`,
        code: 415,
        message: /unknown format/,
      },
      { given: { method: 'DELETE' }, path: `${collection}/a?dryRun=x`, code: 422, message: /dryRun: Unsupported value: \["x"\]/ },
      { given: {}, path: `${collection}?continue=${token('null')}`, code: 400, message: /continue key is not valid: not a JSON object/ },
      {
        given: {},
        path: `${collection}?continue=${token('{"v":"meta.k8s.io/v1","rv":1.5,"start":"a"}')}`,
        code: 400,
        message: /incorrect encoded start/,
      },
      { given: {}, path: `${collection}?limit=9223372036854775808`, code: 400, message: /value out of range/ },
      { given: {}, path: `${collection}?resourceVersion=18446744073709551616`, code: 400, message: /value out of range/ },
      {
        given: { method: 'POST', body: named('a') },
        path: `${collection}?fieldManager=%07`,
        code: 422,
        message: /invalid character U\+0007/,
      },
      { given: {}, path: '/apis/apps/v9/deployments', code: 404, message: /could not find the requested resource/ },
      { given: { method: 'POST', body: named('a') }, path: '/api/v1/configmaps', code: 405, message: /does not allow this method/ },
      {
        given: { method: 'PUT', body: named('b') },
        path: `${collection}/a`,
        code: 400,
        message: /the name of the object \(b\) does not match the name on the URL \(a\)/,
      },
      { given: { method: 'PATCH', body: '{}' }, path: `${collection}/a`, code: 415, message: /415/ },
      { given: {}, path: `${collection}?limit=x`, code: 400, message: /strconv.ParseInt: parsing "x": invalid syntax/ },
      { given: {}, path: `${collection}?timeout=5`, code: 400, message: /invalid timeout specified in the request URL/ },
      { given: {}, path: `${collection}?resourceVersion=x`, code: 400, message: /invalid resource version/ },
      { given: {}, path: '/api/v1/nothings', code: 404, message: /could not find the requested resource/ },
      { given: {}, path: `${collection}/a/status`, code: 404, message: /could not find the requested resource/ },
      { given: {}, path: '/api/v1/namespaces/%zz/configmaps', code: 400, message: /./ },
      { given: mergePatch('{bad'), path: `${collection}/none`, code: 404, message: /configmaps "none" not found/ },
      { given: mergePatch('{bad'), path: `${deployment}/scale`, code: 404, message: /deployments.apps "none" not found/ },
      { given: mergePatch('{bad'), path: `${collection}/none?fieldManager=%01`, code: 422, message: /invalid character U\+0001/ },
      { given: { method: 'PUT', body: '{}' }, path: `${deployment}/scale`, code: 400, message: /name must be provided/ },
      { given: { method: 'PUT', body: named('b') }, path: `${deployment}/scale`, code: 400, message: /does not match the name/ },
      { given: { method: 'OPTIONS' }, path: `${collection}/a/nothing`, code: 404, message: /could not find the requested resource/ },
      { given: { method: 'OPTIONS' }, path: collection, code: 405, message: /does not allow this method/ },
      {
        given: { method: 'PUT', body: '{}' },
        path: '/api/v1/namespaces/default/bindings/a',
        code: 404,
        message: /could not find the requested resource/,
      },
      {
        given: {},
        path: '/api/v1/componentstatuses?resourceVersionMatch=Exact',
        code: 422,
        message: /is forbidden unless resourceVersion/,
      },
    ];
    for (const { path = collection, given, code, message } of rows) {
      const answer = await listening.ask(path, given);
      const status = answer.json<{ kind: string; code: number; message: string }>();
      assert.deepEqual(
        { kind: status.kind, http: answer.code, code: status.code },
        { kind: 'Status', http: code, code },
        `${path} ${answer.text}`,
      );
      assert.match(status.message, message);
    }
    assert.equal((await create(listening, 'a')).code, 201);
    const unknown = await listening.ask('/nowhere');
    assert.deepEqual([unknown.code, unknown.text], [404, '404 page not found\n']);
  });

  it('says what is wrong only to who may ask', async () => {
    const powerless = { ...everybody, authorize: () => ({ verdict: 'no-opinion', reason: '' }) as const };
    await using weak = await listen(powerless);
    await using strong = await listen(everybody);
    const accept = { accept: 'text/html' };
    const rows: readonly { readonly path: string; readonly given: Ask; readonly want: number }[] = [
      { path: '/api/v1/nodes', given: { method: 'OPTIONS' }, want: 405 },
      { path: '/api/v1/nodes', given: { method: 'TRACE' }, want: 405 },
      { path: '/api/v1/nodes', given: { method: 'HEAD' }, want: 405 },
      { path: '/api/v1/nodes', given: { method: 'PUT', body: '{}' }, want: 405 },
      { path: collection, given: { method: 'PATCH', body: '{}' }, want: 405 },
      { path: `${collection}/a/nothing`, given: {}, want: 404 },
      { path: '/api/v1/nothing', given: {}, want: 404 },
      { path: '/apis/no.where/v1/nothing', given: {}, want: 404 },
      { path: collection, given: { headers: accept }, want: 406 },
      { path: `${collection}?limit=x`, given: {}, want: 400 },
      { path: `${collection}?labelSelector=%3D`, given: {}, want: 400 },
      { path: collection, given: { method: 'POST', body: '{}', headers: { 'content-type': 'text/html' } }, want: 415 },
      { path: `${collection}/a`, given: { method: 'PATCH', body: '{}' }, want: 415 },
    ];
    for (const { path, given, want } of rows) {
      const about = `${given.method ?? 'GET'} ${path}`;
      assert.equal((await strong.ask(path, given)).code, want, about);
      assert.equal((await weak.ask(path, given)).code, 403, about);
    }
  });

  it('takes YAML, and warns of unknown fields', async () => {
    await using listening = await listen();
    const body = 'metadata:\n  name: a\ndata:\n  k: v\nmore: 1\n';
    const made = await listening.ask(collection, { method: 'POST', body, headers: { 'content-type': 'application/yaml' } });
    assert.equal(made.code, 201);
    assert.equal(made.headers['warning'], '299 - "unknown field \\"more\\""');
    assert.deepEqual(made.json<{ data: object }>().data, { k: 'v' });
    const two = 'x: &x {name: b}\nmetadata: {<<: *x}\ndata: {time: 2001-01-01, clock: 1:30}\n---\nmetadata: {name: c}\n';
    const merged = await listening.ask(collection, { method: 'POST', body: two, headers: { 'content-type': 'application/yaml' } });
    assert.deepEqual([merged.code, merged.json<{ data: object }>().data], [201, { time: '2001-01-01', clock: '1:30' }]);
    const shown = await listening.ask(`${collection}/b`, { headers: { accept: 'application/yaml' } });
    assert.match(
      shown.text,
      /creationTimestamp: "\d{4}-.*\n {2}managedFields:\n(?: {2}[- ].*\n)+ {2}name: b\n/,
      'what older readers take for a time is quoted',
    );
  });

  it('takes numbers and truths in all their forms', async () => {
    await using listening = await listen();
    assert.equal((await listening.ask(`${collection}?watch=False&limit=9223372036854775807`)).json().kind, 'ConfigMapList');
  });

  it('packs large lists when asked, and sends them in slices', async () => {
    await using listening = await listen();
    for (let i = 0; i < 40; i++) await create(listening, `a${i}`, { k: 'x'.repeat(20_000) });
    const plain = await listening.ask(collection);
    const packed = await listening.ask(collection, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(gunzipSync(packed.bytes).toString(), plain.text);
    assert.equal(plain.json<{ items: unknown[] }>().items.length, 40);
    assert.equal(
      (await listening.ask(`${collection}/a0`, { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'],
      undefined,
    );
  });

  it('knows clients by their certificates', async () => {
    await using listening = await listen({
      authenticators: [clientCertificates(realClock)],
      authorize: ({ user }) => ({ verdict: user.groups.includes('writers') ? 'allow' : 'no-opinion', reason: '' }),
    });
    const { agent, port } = listening;
    const url = `https://127.0.0.1:${port}${collection}`;
    const issue = (name: string, organizations: readonly string[]) =>
      listening.authority.issue({ commonName: name, organizations, usages: ['client'] });
    const stranger = await (await createAuthority({ commonName: 'other', clock: realClock })).issue({
      commonName: 'ada',
      organizations: ['writers'],
      usages: ['client'],
    });
    assert.equal((await ask(url, { dispatcher: agent(await issue('ada', ['writers'])) })).code, 200);
    const refused = await ask(url, { dispatcher: agent(await issue('eve', [])) });
    assert.equal(refused.code, 403);
    assert.match(refused.text, /User \\"eve\\" cannot list resource \\"configmaps\\" in API group \\"\\" in the namespace \\"default\\"/);
    assert.equal((await ask(url, { dispatcher: agent() })).code, 401);
    assert.equal((await ask(url, { dispatcher: agent(stranger) })).code, 401);
  });

  it('takes only those for anonymous who show nothing', async () => {
    await using listening = await listen({ authenticators: [clientCertificates(realClock), anonymous] });
    const { agent, port } = listening;
    const url = `https://127.0.0.1:${port}${collection}`;
    const usages = ['client'] as const;
    const stranger = await (await createAuthority({ commonName: 'other', clock: realClock })).issue({ commonName: 'ada', usages });
    const server = await listening.authority.issue({ commonName: 'ada', usages: ['server'] });
    const nobody = await listening.authority.issue({ commonName: '', organizations: ['writers'], usages });
    assert.equal((await ask(url, { dispatcher: agent() })).code, 200);
    for (const shown of [stranger, server, nobody]) assert.equal((await ask(url, { dispatcher: agent(shown) })).code, 401);
  });

  it('takes each value of a repeated header for one, whatever is in it', async () => {
    const seen: unknown[] = [];
    const note: ServerParts['impersonate'] = (user, headers) => {
      seen.push(headers);
      return user;
    };
    await using listening = await listen({ ...everybody, impersonate: note });
    const headers = [
      ['Impersonate-User', 'eve'],
      ['Impersonate-Group', 'cn=a, ou=b'],
      ['Impersonate-Group', 'c'],
    ].flat();
    const first = await request(`https://127.0.0.1:${listening.port}${collection}`, { dispatcher: listening.agent(), headers });
    await first.body.dump();
    const session = connectHTTP2(`https://127.0.0.1:${listening.port}`, { ca: listening.authority.certPem });
    const names = { 'impersonate-user': 'eve', 'impersonate-group': ['cn=a, ou=b', 'c'] };
    await once(session.request({ ':path': collection, ...names }).resume(), 'end');
    session.close();
    const want = { 'impersonate-user': ['eve'], 'impersonate-group': ['cn=a, ou=b', 'c'] };
    assert.deepEqual(seen, [want, want]);
  });

  it('takes long headers, and says when they are too long', async () => {
    await using listening = await listen();
    const long = (keys: number, pad = ''): string =>
      `${collection}?labelSelector=${Array.from({ length: keys }, (_, i) => `k${i}${pad}`).join(',')}`;
    assert.equal((await listening.ask(long(10_000, 'x'.repeat(50)))).code, 200);
    const session = connectHTTP2(`https://127.0.0.1:${listening.port}`, { ca: listening.authority.certPem });
    const [answer] = await once(
      session.request({ ':path': long(8000), ...Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-${i}`, 'y'])) }),
      'response',
    );
    assert.equal((answer as { ':status': number })[':status'], 200);
    session.destroy();
    assert.equal((await listening.ask(collection, { headers: { 'x-long': 'x'.repeat(2 ** 20 + 1) } })).code, 431);
    assert.equal((await listening.ask(`${collection}?limit=1${'&a=b'.repeat(9999)}`)).code, 200);
    assert.equal((await listening.ask(`${collection}?limit=1${'&a=b'.repeat(10_000)}`)).code, 400);
  });

  it('answers a fault of the server with 500, and harms nobody else', async () => {
    const broken = { name: 'Broken', handles: () => true, validate: ({ name }: { readonly name: string }) => assert.notEqual(name, 'bad') };
    await using listening = await listen({ ...everybody, admission: [broken] });
    const [bad, good] = await Promise.all([create(listening, 'bad'), create(listening, 'good')]);
    assert.deepEqual([bad.code, good.code], [500, 201]);
    assert.match(bad.text, /"reason":"InternalError"/);
    assert.equal(listening.server.reader.get(ConfigMap, { namespace: 'default', name: 'bad' }), undefined);
  });

  it('gives up when the client wants no longer to wait', async () => {
    const never = { name: 'Never', handles: () => true, validate: () => new Promise<void>(() => {}) };
    await using listening = await listen({ ...everybody, admission: [never] });
    const answer = await listening.ask(`${collection}?timeout=20ms`, { method: 'POST', body: '{"metadata":{"name":"a"}}' });
    assert.deepEqual([answer.code, answer.json()['reason']], [504, 'Timeout']);
  });

  it('hands connections over to the endpoint of an upgrade', async () => {
    const echo: ConnectEndpoint = {
      resource: 'pods',
      subresource: 'exec',
      methods: ['GET', 'POST'],
      async handle({ at, query, upgrade }) {
        assert.ok(upgrade);
        upgrade.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
        upgrade.socket.write(`${at.namespace}/${at.name} ${query.get('command')} `);
        upgrade.socket.pipe(upgrade.socket);
        await once(upgrade.socket, 'close');
      },
    };
    await using listening = await listen({ ...everybody, connectEndpoints: [echo] });
    const upgrade = async (path: string): Promise<Socket> => {
      const socket = connectTLS({ host: '127.0.0.1', port: listening.port, ca: listening.authority.certPem, ALPNProtocols: ['http/1.1'] });
      await once(socket, 'secureConnect');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
      return socket;
    };
    const socket = await upgrade('/api/v1/namespaces/default/pods/p/exec?command=ls');
    socket.write('hello');
    assert.match(await readUntil(socket, 'hello'), /101 Switching Protocols.*default\/p ls hello$/s);
    socket.destroy();
    const refused = await upgrade('/api/v1/namespaces/default/pods/p/nothing');
    assert.match(await readUntil(refused, '"code":404'), /^HTTP\/1.1 404 Not Found/);
    const ordinary = await upgrade(collection);
    assert.match(await readUntil(ordinary, '"items":[]'), /^HTTP\/1.1 200 OK/);
  });

  it('tells events as protobuf, each after its length', async () => {
    await using listening = await listen();
    await create(listening, 'a', { k: 'v' });
    const accept = 'application/vnd.kubernetes.protobuf;stream=watch';
    const url = `https://127.0.0.1:${listening.port}${collection}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`;
    const { body, headers } = await request(url, { dispatcher: listening.agent(), headers: { accept } });
    assert.equal(headers['content-type'], accept);
    let bytes = Buffer.alloc(0);
    const frames: string[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) {
        const end = 4 + bytes.readUInt32BE();
        frames.push(bytes.toString('latin1', 4, end));
        bytes = bytes.subarray(end);
      }
      if (frames.length >= 2) break;
    }
    assert.match(frames[0] ?? '', /ADDED.*k8s.*ConfigMap/s);
    assert.match(frames[1] ?? '', /BOOKMARK.*k8s.*initial-events-end/s);
  });

  it('says in a table too that the objects of the beginning are over', async () => {
    await using listening = await listen();
    await create(listening, 'a', { k: 'v' });
    const watched = `${collection}?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`;
    const { text } = await listening.ask(watched, { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } });
    const [added, bookmark] = text.split('\n').map((line) => JSON.parse(line || 'null') as { type: string; object: Table } | null);
    assert.deepEqual([added?.type, added?.object.rows[0]?.cells[0], bookmark?.type], ['ADDED', 'a', 'BOOKMARK']);
    const { columnDefinitions, rows } = bookmark?.object ?? { rows: [] };
    assert.deepEqual([columnDefinitions, rows[0]?.object?.metadata.annotations], [null, { 'k8s.io/initial-events-end': 'true' }]);
  });

  it('lets a client that does not read wait alone, and go on where it was', async () => {
    await using listening = await listen();
    const watched = `${collection}?watch=true&allowWatchBookmarks=true`;
    const slow = connectTLS({ host: '127.0.0.1', port: listening.port, ca: listening.authority.certPem, ALPNProtocols: ['http/1.1'] });
    await once(slow, 'secureConnect');
    slow.pause();
    slow.write(`GET ${watched} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const { body } = await request(`https://127.0.0.1:${listening.port}${watched}`, { dispatcher: listening.agent() });
    const names = Array.from({ length: 100 }, (_, i) => `a${String(i).padStart(3, '0')}`);
    const others = takeNames(body, names.length);
    for (const name of names) await create(listening, name, { k: 'x'.repeat(200_000) });
    assert.deepEqual(await others, names);
    assert.ok(slow.readableLength < 1_000_000);
    assert.deepEqual(await takeNames(slow, names.length), names);
  });

  it('does nothing for who has gone away while he waited his turn', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = { name: 'Slow', handles: () => true, validate: () => gate.promise };
    const user = { name: 'tester', groups: ['everybody'] };
    await using listening = await listen({ authenticators: [{ authenticate: () => user }], admission: [slow] });
    const session = connectHTTP2(`https://127.0.0.1:${listening.port}`, { ca: listening.authority.certPem });
    const post = (name: string) => {
      const stream = session.request({ ':path': collection, ':method': 'POST', 'content-type': 'application/json' });
      stream.end(JSON.stringify({ metadata: { name } }));
      return stream.resume();
    };
    const ofUser = flowLimits.mutatingMax * userShare;
    const running = Array.from({ length: ofUser }, (_, i) => once(post(`a${i}`), 'end'));
    const [late, gone] = [post('late'), post('gone')];
    await once(session.request({ ':path': collection }).resume(), 'end');
    gone.close(constants.NGHTTP2_CANCEL);
    await once(session.request({ ':path': collection }).resume(), 'end');
    gate.resolve();
    await Promise.all([...running, once(late, 'end')]);
    session.close();
    const names = Array.from(listening.server.reader.list(ConfigMap), ({ metadata }) => metadata.name);
    assert.deepEqual([names.length, names.includes('late')], [ofUser + 1, true]);
  });

  it('hangs up on a client that does not send what it announced', async () => {
    const clock = new VirtualClock();
    await using listening = await listen(everybody, clock);
    const slow = connectTLS({ host: '127.0.0.1', port: listening.port, ca: listening.authority.certPem, ALPNProtocols: ['http/1.1'] });
    await once(slow, 'secureConnect');
    slow.write(`POST ${collection} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{`);
    await create(listening, 'b');
    await clock.advance(70_000);
    assert.match(await readUntil(slow, 'never'), /^HTTP\/1.1 504 Gateway Timeout.*Connection: close/s);
  });

  it('gives up on a client that does not take its answer', async () => {
    const clock = new VirtualClock();
    await using listening = await listen(everybody, clock);
    for (let i = 0; i < 40; i++) await create(listening, `a${i}`, { k: 'x'.repeat(500_000) });
    const slow = connectTLS({ host: '127.0.0.1', port: listening.port, ca: listening.authority.certPem, ALPNProtocols: ['http/1.1'] });
    await once(slow, 'secureConnect');
    for (const query of ['', '?pretty=true']) {
      slow.write(`GET ${collection}${query} HTTP/1.1\r\nHost: x\r\n\r\n`);
    }
    slow.pause();
    await create(listening, 'b');
    await clock.advance(70_000);
    slow.resume();
    await once(slow, 'close');
  });

  it('watches one object at the old path of watches', async () => {
    await using listening = await listen();
    for (const name of ['a', 'b']) await create(listening, name, {});
    const path = `/api/v1/watch${collection.slice('/api/v1'.length)}/b?timeoutSeconds=1`;
    const { body } = await request(`https://127.0.0.1:${listening.port}${path}`, { dispatcher: listening.agent() });
    const first = await (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]().next();
    assert.match(String(first.value), /^\{"type":"ADDED","object":\{[^\n]*"name":"b"[^\n]*\n$/);
  });

  it('tells events by WebSocket, a message each', async () => {
    await using listening = await listen();
    for (const name of ['a', 'b']) await create(listening, name, {});
    const options = { ca: listening.authority.certPem };
    const url = `wss://127.0.0.1:${listening.port}${collection}?watch=true`;
    const forms = [
      { accept: 'application/json', late: 'c', message: /^\{"type":"ADDED","object":.*"name":"c".*\}\n$/, binary: false },
      { accept: 'application/vnd.kubernetes.protobuf', late: 'late-d', message: /ADDED.*k8s.*ConfigMap.*late-d/s, binary: true },
    ];
    for (const { accept, late, message, binary } of forms) {
      const client = new WebSocket(url, { ...options, headers: { accept } });
      let seen = 0;
      for await (const [data, isBinary] of on(client, 'message') as AsyncIterable<[Buffer, boolean]>) {
        assert.equal(isBinary, binary);
        if (++seen === 1) await create(listening, late, {});
        if (message.test(data.toString('latin1'))) break;
      }
      client.close();
      await once(client, 'close');
    }
    const refused = new WebSocket(`${url}&resourceVersion=x`, options);
    await assert.rejects(once(refused, 'open'), /Unexpected server response: 400/);
  });

  it('ends watches and connections when it closes', async () => {
    await using listening = await listen();
    const { body } = await request(`https://127.0.0.1:${listening.port}${collection}?watch=true&resourceVersion=1`, {
      dispatcher: listening.agent(),
    });
    await create(listening, 'a');
    const silent = connectTCP({ host: '127.0.0.1', port: listening.port });
    await once(silent, 'connect');
    const closing = listening.server[Symbol.asyncDispose]();
    await once(silent.resume(), 'close');
    assert.match(await body.text(), /^\{"type":"ADDED","object":\{"kind":"ConfigMap"/);
    await closing;
    const socket = connectTLS({ host: '127.0.0.1', port: listening.port });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });
});

/** The names of so many objects that a watch tells. */
async function takeNames(stream: AsyncIterable<Buffer>, count: number): Promise<string[]> {
  const names: string[] = [];
  let rest = '';
  for await (const chunk of stream) {
    rest += chunk.toString();
    for (const found of rest.matchAll(/"name":"(a\d+)"/g)) {
      names.push(found[1] ?? '');
      rest = rest.slice(rest.indexOf(found[0]) + found[0].length);
    }
    if (names.length >= count) break;
    rest = rest.slice(-20);
  }
  return names;
}

async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.includes(end)) break;
  }
  return text;
}
