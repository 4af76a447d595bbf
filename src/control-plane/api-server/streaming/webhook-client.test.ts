import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { EndpointSlice, Service } from '../../../api/generated/kinds.ts';
import type { KindRef, KubeObject, ObjectName } from '../../../api/meta/object.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import { realClock, realRandom } from '../../../client/clock.ts';
import { type Authority, createAuthority } from '../../pki/authority.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { Dialer } from './dialer.ts';
import { type WebhookAddress, WebhookClient } from './webhook-client.ts';

type Answer = (response: ServerResponse) => void;

suite('webhook client', () => {
  const stack = new AsyncDisposableStack();
  let authority: Authority;
  let stranger: Authority;
  let leaf: string;
  let port: number;
  let answer: Answer = () => undefined;
  let client: WebhookClient;
  const connections = new Set<unknown>();
  const paths: (string | undefined)[] = [];
  const objects: KubeObject[] = [];

  const bundleOf = ({ certPem }: Authority): string => Buffer.from(certPem).toString('base64');
  const json =
    (value: unknown, code = 200): Answer =>
    (response) =>
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const post = (address: Partial<WebhookAddress>, timeoutMs = 10_000): Promise<unknown> =>
    client.post({ caBundle: bundleOf(authority), ...address }, { kind: 'Review' }, { timeoutMs, answerBytesMax: 1000 });
  const url = (path = '/'): string => `https://127.0.0.1:${port}${path}`;
  const posted = (): string => `Post "https://127.0.0.1:${port}/?timeout=10s": `;

  before(async () => {
    authority = await createAuthority({ commonName: 'webhooks', clock: realClock });
    stranger = await createAuthority({ commonName: 'others', clock: realClock });
    const names = { commonName: 'hook', dnsNames: ['hook.default.svc'], ipAddresses: ['127.0.0.1'], usages: ['server'] as const };
    const { certPem: cert, keyPem: key } = await authority.issue(names);
    leaf = cert;
    const server: Server = createServer({ cert, key }, (request, response) => {
      paths.push(request.url);
      request.resume().on('end', () => answer(response));
    });
    server.on('secureConnection', (socket) => connections.add(socket));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    stack.defer(() => server.closeAllConnections());
    stack.defer(() => void server.close());
    ({ port } = server.address() as AddressInfo);
    const kubelet = await authority.issue({ commonName: 'kubelet-client', usages: ['client'] });
    const dialer = stack.use(new Dialer({ cert: kubelet.certPem, key: kubelet.keyPem, ca: authority.certPem }));
    const reader = {
      get: ({ kind }: KindRef, { name }: ObjectName) => objects.find((o) => o.kind === kind && o.metadata.name === name),
      list: ({ kind }: KindRef) => objects.filter((o) => o.kind === kind),
    } as unknown as ObjectReader;
    client = new WebhookClient({ dialer, reader, random: realRandom, clock: realClock });
  });
  after(() => stack.disposeAsync());

  const service = (spec: object): void => {
    objects.splice(0, objects.length, { apiVersion: 'v1', kind: Service.kind, metadata: { name: 'hook' }, spec } as KubeObject);
  };
  const at = (path?: string): Partial<WebhookAddress> => ({
    service: { namespace: 'default', name: 'hook', ...(path !== undefined && { path }) },
  });

  test('an answer, over one connection for requests one after the other', async () => {
    answer = json({ kind: 'Review', response: {} });
    connections.clear();
    for (let i = 0; i < 3; i++) assert.deepEqual(await post({ url: url('/check') }), { kind: 'Review', response: {} });
    assert.equal(connections.size, 1);
    assert.equal(paths.at(-1), '/check?timeout=10s');
  });

  test('the certificate itself may be the bundle', async () => {
    answer = json({});
    assert.deepEqual(await post({ url: url(), caBundle: Buffer.from(leaf).toString('base64') }), {});
  });

  test('a path without double slashes and one at the end', async () => {
    answer = json({});
    await post({ url: url('//check/') });
    assert.equal(paths.at(-1), '/check?timeout=10s');
  });

  test('a kept connection that the other end has closed is replaced', async () => {
    answer = json({});
    await post({ url: url() });
    let asked = 0;
    answer = (response) => {
      if (++asked === 1) response.socket?.destroy();
      else json({ asked })(response);
    };
    assert.deepEqual(await post({ url: url() }), { asked: 2 });
  });

  const failures: readonly {
    name: string;
    answer?: Answer;
    address?: () => Partial<WebhookAddress>;
    timeoutMs?: number;
    want: () => string;
  }[] = [
    {
      name: 'a certificate of somebody else',
      address: () => ({ caBundle: bundleOf(stranger) }),
      want: () => `${posted()}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    },
    {
      name: 'a certificate for another name',
      address: () => ({ url: `https://localhost:${port}/` }),
      want: () =>
        `Post "https://localhost:${port}/?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for hook.default.svc, 127.0.0.1, not localhost`,
    },
    {
      name: 'nobody there',
      address: () => ({ url: 'https://127.0.0.1:1/' }),
      want: () => 'Post "https://127.0.0.1:1/?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
    },
    {
      name: 'one that never answers',
      answer: () => undefined,
      timeoutMs: 300,
      want: () => `Post "https://127.0.0.1:${port}/?timeout=1s": context deadline exceeded`,
    },
    {
      name: 'one that stops in the middle',
      answer: (response) => response.writeHead(200).write('{'),
      timeoutMs: 300,
      want: () => 'unexpected error when reading response body. Please retry. Original error: context deadline exceeded',
    },
    {
      name: 'no JSON',
      answer: (response) => response.end('<html>'),
      want: () => "couldn't get version/kind; json parse error: invalid character '<' looking for beginning of value",
    },
    {
      name: 'an endless answer',
      answer: (response) => response.end('x'.repeat(100_000)),
      want: () => 'unexpected error when reading response body. Please retry. Original error: the answer is longer than 1000 bytes',
    },
    {
      name: 'an error in words',
      answer: (response) => response.writeHead(500).end('boom\n'),
      want: () => 'an error on the server ("boom") has prevented the request from succeeding',
    },
    {
      name: 'an unknown path',
      answer: (response) => response.writeHead(404).end(),
      want: () => 'the server could not find the requested resource',
    },
    {
      name: 'a redirect',
      answer: (response) => response.writeHead(307, { location: url('/elsewhere') }).end(),
      want: () => 'the server responded with the status code 307 but did not return more information',
    },
    {
      name: 'a Status',
      answer: json({ kind: 'Status', status: 'Failure', message: 'not today', code: 429, reason: 'TooManyRequests' }, 429),
      want: () => 'not today',
    },
    { name: 'no address', address: () => ({ url: undefined }), want: () => 'webhook configuration must have either service or URL' },
  ];
  for (const { name, answer: given = json({}), address = () => ({}), timeoutMs = 10_000, want } of failures) {
    test(name, async () => {
      answer = given;
      await assert.rejects(post({ url: url(), ...address() }, timeoutMs), { message: want() });
    });
  }

  test('an answer with an error code is a StatusError of that code', async () => {
    answer = (response) => response.writeHead(503).end();
    await assert.rejects(post({ url: url() }), (error) => isStatusError(error) && error.code === 503);
  });

  const services: readonly { name: string; spec: object; want: string }[] = [
    { name: 'a service without that port', spec: { ports: [{ port: 80 }] }, want: 'no service port 443 found for service "hook"' },
    { name: 'a service without endpoints', spec: { ports: [{ port: 443 }] }, want: 'no endpoints available for service "hook"' },
    {
      name: 'a service that leads to this machine',
      spec: { type: 'ExternalName', externalName: '127.0.0.1' },
      want: 'address not allowed',
    },
  ];
  for (const { name, spec, want } of services) {
    test(name, async () => {
      service(spec);
      await assert.rejects(post(at('/check')), { message: `Post "https://hook.default.svc:443/check?timeout=10s": ${want}` });
    });
  }

  test('no service', async () => {
    objects.length = 0;
    await assert.rejects(post(at()), { message: 'Post "https://hook.default.svc:443/?timeout=10s": service "hook" not found' });
  });

  test('endpoints that are not ready, and those of other services, are not asked', async () => {
    service({ ports: [{ port: 443, name: 'https' }] });
    const slice = (name: string, of: string, ready: boolean): KubeObject =>
      ({
        apiVersion: 'discovery.k8s.io/v1',
        kind: EndpointSlice.kind,
        metadata: { name, labels: { 'kubernetes.io/service-name': of } },
        ports: [{ name: 'https', port: 9 }],
        endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready } }],
      }) as KubeObject;
    objects.push(slice('a', 'hook', false), slice('b', 'other', true));
    await assert.rejects(post(at()), /no endpoints available for service "hook"/);
    objects.push(slice('c', 'hook', true));
    await assert.rejects(post(at()), /address not allowed/);
  });
});
