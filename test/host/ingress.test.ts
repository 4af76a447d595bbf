/** Ingress on real containers: what kubectl applies is reached on the node's ports 80 and 443, also while it is rolled over. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, type RequestOptions, request as sendHTTP } from 'node:http';
import { request as sendHTTPS } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { makeSelfSigned } from '../../src/addons/gateway/certificates.ts';
import type { ClusterStatus } from '../../src/cluster/instance/status.ts';
import { busyboxImage } from './busybox-image.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'web:1';
const place = '/var/lib/ingress-test';
const archive = join(place, 'image.tar');
const script = (page: string): string =>
  `mkdir -p /tmp/w && echo ${page} > /tmp/w/index.html && trap 'sleep 3; exit 0' TERM; httpd -f -p 8080 -h /tmp/w & wait; wait`;
const deployment = (page: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            name: 'web',
            image,
            command: ['sh', '-c', script(page)],
            ports: [{ name: 'http', containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
});
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
};
const backend = { service: { name: 'web', port: { name: 'http' } } };
const ingress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: {
    name: 'web',
    namespace: 'default',
    annotations: { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false', 'nginx.ingress.kubernetes.io/auth-url': 'https://x' },
  },
  spec: {
    tls: [{ hosts: ['web.localhost'], secretName: 'web-tls' }],
    rules: [{ host: 'web.localhost', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
  },
};

async function ask(
  send: typeof sendHTTP,
  options: RequestOptions & { rejectUnauthorized?: boolean },
): Promise<{ status: number; body: string; fingerprint?: string }> {
  const request = send({ headers: { host: 'web.localhost' }, agent: false, ...options }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const fingerprint = (response.socket as Partial<TLSSocket>).getPeerCertificate?.()?.fingerprint256;
  return { status: response.statusCode ?? 0, body: (await text(response)).trim(), ...(fingerprint && { fingerprint }) };
}

if (inOwnNamespaces(import.meta.url)) {
  describe('an Ingress', () => {
    const step = inSteps();
    let cluster: OwnCluster;
    let address = '';
    before(async () => {
      mkdirSync(place);
      writeFileSync(archive, busyboxImage(image));
      cluster = await OwnCluster.named('ingress', { root: join(place, 'clusters') });
    });
    after(() => cluster.tryTimonier('delete', cluster.name));

    const noteOf = async (): Promise<string | undefined> =>
      (JSON.parse(await cluster.timonier('status', cluster.name, '--json')) as ClusterStatus).addons?.find(({ name }) => name === 'ingress')
        ?.note;

    step('is served on the usual ports, which the start and the status say', async () => {
      const said = await cluster.timonier('up', cluster.name, '--nodes', '1');
      assert.match(said, /^ {2}add-ons +\d+ ms {3}ingress: http 80, https 443$/m);
      assert.match(await cluster.timonier('status', cluster.name), /^Ingress: +http 80, https 443$/m);
      await cluster.timonier('image', 'load', archive, '--cluster-name', cluster.name);
    });

    step('says where it is reached', async () => {
      for (const object of [deployment('one'), service, ingress]) {
        const { code, stderr } = await cluster.apply(object);
        assert.deepEqual([code, stderr], [0, '']);
      }
      const ready = '--for=jsonpath={.status.loadBalancer.ingress[0].ip}';
      await cluster.kubectl('wait', ready, 'ingress/web', '--timeout=30s');
      address = await cluster.kubectl('get', 'ingress', 'web', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}');
      await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
      assert.match(
        await cluster.kubectl('get', 'ingress', 'web', '--no-headers'),
        new RegExp(`^web +timonier +web\\.localhost +${address.replaceAll('.', '\\.')} +80, 443 `),
      );
    });

    step('is reached there, and on loopback, and nowhere without a route', async () => {
      assert.deepEqual(await ask(sendHTTP, { host: address }), { status: 200, body: 'one' });
      assert.deepEqual(await ask(sendHTTP, { host: '127.0.0.1' }), { status: 200, body: 'one' });
      assert.deepEqual(await ask(sendHTTP, { host: '::1' }), { status: 200, body: 'one' });
      assert.equal((await ask(sendHTTP, { host: address, headers: { host: 'x.localhost' } })).status, 404);
    });

    step('tells what of it is not obeyed, and what is missing', async () => {
      const events = await cluster.kubectl(
        'get',
        'events',
        '--field-selector',
        'involvedObject.kind=Ingress',
        '-o',
        'jsonpath={.items[*].message}',
      );
      assert.match(events, /annotation nginx\.ingress\.kubernetes\.io\/auth-url means nothing to this controller/);
      assert.match(events, /Secret default\/web-tls for web\.localhost is not there/);
      assert.doesNotMatch(events, /ssl-redirect/);
    });

    step('shows the certificate of its Secret from the next connection on', async () => {
      const secure = { host: address, servername: 'web.localhost', rejectUnauthorized: false };
      const asked = () => ask(sendHTTPS as typeof sendHTTP, secure);
      const before = await asked();
      const { cert, key } = await makeSelfSigned(Date.now());
      writeFileSync(join(place, 'tls.crt'), cert);
      writeFileSync(join(place, 'tls.key'), key);
      await cluster.kubectl('create', 'secret', 'tls', 'web-tls', `--cert=${place}/tls.crt`, `--key=${place}/tls.key`);
      const after = await asked();
      assert.deepEqual([before.body, after.body], ['one', 'one']);
      assert.notEqual(after.fingerprint, before.fingerprint);
    });

    step('fails no request while its Deployment is rolled over', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 4 });
      const answers = new Map<string, number>();
      let isOver = false;
      const stream = async (): Promise<void> => {
        while (!isOver) {
          const { status, body } = await ask(sendHTTP, { host: address, agent });
          answers.set(`${status} ${body}`, (answers.get(`${status} ${body}`) ?? 0) + 1);
        }
      };
      const streams = Array.from({ length: 4 }, stream);
      for (const page of ['two', 'three']) {
        await cluster.apply(deployment(page));
        await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=90s');
      }
      isOver = true;
      await Promise.all(streams);
      agent.destroy();
      assert.deepEqual([...answers.keys()].sort(), ['200 one', '200 three', '200 two']);
      console.log(`requests while rolled over: ${JSON.stringify(Object.fromEntries(answers))}`);
    });

    step('is not reached where it is switched off, and again where it is on', async () => {
      await cluster.timonier('addons', 'disable', 'ingress', '--cluster-name', cluster.name);
      await assert.rejects(ask(sendHTTP, { host: address }), { code: 'ECONNREFUSED' });
      await cluster.timonier('addons', 'enable', 'ingress', '--cluster-name', cluster.name);
      assert.equal((await ask(sendHTTP, { host: address })).status, 200);
    });

    step('is served on the next port where the usual one is taken, which is said', async () => {
      await cluster.timonier('down', cluster.name);
      const taken = createServer().listen(80, '127.0.0.1');
      await once(taken, 'listening');
      await cluster.timonier('up', cluster.name);
      assert.equal(await noteOf(), 'http 8080, https 443');
      await cluster.kubectl('wait', '--for=jsonpath={.status.loadBalancer.ingress[0].ports[0].port}=8080', 'ingress/web', '--timeout=30s');
      await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
      assert.equal((await ask(sendHTTP, { host: address, port: 8080 })).body, 'three');
      taken.close();
    });
  });
}
