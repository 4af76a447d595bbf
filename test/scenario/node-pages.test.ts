/** What a node tells of itself through its proxy, and the server of its own health and faults. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { Pod } from '../../src/api/generated/kinds.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { bootHooks } from '../../src/control-plane/api-server/publishing/health-checks.ts';
import { type Cluster, startCluster } from '../../src/index.ts';

describe('pages', () => {
  let cluster: Cluster;
  let dispatcher: Agent;
  let server: string;
  before(async () => {
    cluster = await startCluster({ simulated: 1 });
    const access = await accessOf(await parseKubeconfig(cluster.kubeconfig));
    const { ca, cert, key } = access;
    server = access.server;
    dispatcher = new Agent({ connect: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } });
  });
  after(async () => {
    await dispatcher.close();
    await cluster[Symbol.asyncDispose]();
  });
  const ask = async (path: string, accept?: string): Promise<string> => {
    const { statusCode, body } = await request(`${server}${path}`, { dispatcher, headers: { ...(accept && { accept }) } });
    return `${statusCode} ${await body.text()}`;
  };
  const node = '/api/v1/nodes/default-simulated-1/proxy';

  it('/configz', async () => {
    const [code, text = ''] = (await ask(`${node}/configz`)).split(/ (.*)/s);
    const { kubeletconfig } = JSON.parse(text) as { kubeletconfig: Record<string, unknown> };
    assert.equal(code, '200');
    assert.deepEqual([kubeletconfig['kind'], kubeletconfig['apiVersion']], ['KubeletConfiguration', 'kubelet.config.k8s.io/v1beta1']);
    assert.deepEqual([kubeletconfig['clusterDomain'], kubeletconfig['maxPods']], ['cluster.local', 110]);
    assert.doesNotMatch(text, /PRIVATE|CERTIFICATE/);
  });

  it('/flagz and /statusz', async () => {
    assert.match(await ask(`${node}/flagz`), /^200 \nkubelet flagz\n.*\nhostname-override=default-simulated-1\n/s);
    assert.match(await ask(`${node}/statusz`, '*/*'), /^200 \nkubelet statusz\n.*\nBinary version: 1\.36\.\d+\n/s);
    const asObject = 'application/json;v=v1beta1;g=config.k8s.io;as=Flagz';
    assert.match(
      await ask(`${node}/flagz`, asObject),
      /^200 \{"kind":"Flagz","apiVersion":"config.k8s.io\/v1beta1".*"hostname-override":"default-simulated-1"/,
    );
    assert.match(await ask(`${node}/statusz`, 'application/json'), /^406 /);
  });

  it('/logs/', async () => {
    assert.match(await ask(`${node}/logs/`), /^200 <!doctype html>.*<a href=".\/pods\/">pods\/<\/a>/s);
    assert.match(await ask(`/api/v1/nodes/default-simulated-1:10250/proxy/logs/`), /^200 /);
    assert.equal(await ask(`${node}/logs/pods/`), '404 404 page not found');
    assert.equal(await ask(`${node}/logs/..%2f..%2fetc%2fpasswd`), '404 404 page not found');
    assert.equal(await ask(`${node}/logs/?query=kubelet&pattern=%24(id)`), '400 node log query is not enabled');
  });

  it('containers that ended, in /metrics', async () => {
    const containers = [{ name: 'main', image: 'busybox', command: ['sh', '-c', 'exit 139'] }];
    const at = { name: 'crashing', namespace: 'default' };
    await cluster.client.create(Pod, { metadata: at, spec: { restartPolicy: 'Never', containers } });
    for await (const { object } of cluster.client.watch(Pod, { namespace: 'default' }))
      if ((object as Pod).status.phase === 'Failed') break;
    const want = /^kubelet_terminated_containers_total\{container_type="container",exit_code="139",reason="Error"\} 1$/m;
    assert.match(await ask(`${node}/metrics`), want);
  });

  it('health: every check that is named, on the paths where upstream has it', async () => {
    const started = ['generic-apiserver-start-informers', 'storage-readiness', ...bootHooks];
    const hooks = [...started.map((hook) => `poststarthook/${hook}`), 'autoregister-completion'];
    const everywhere = ['ping', 'event-loop', 'thread-pool', 'etcd'];
    const lines = (names: readonly string[]): string => names.map((name) => `[+]${name} ok\n`).join('');
    assert.equal(await ask('/livez?verbose'), `200 ${lines([...everywhere, ...hooks])}livez check passed\n`);
    assert.equal(await ask('/healthz?verbose=1'), `200 ${lines([...everywhere, ...hooks])}healthz check passed\n`);
    assert.equal(
      await ask('/readyz?verbose'),
      `200 ${lines([...everywhere, 'etcd-readiness', 'informer-sync', ...hooks, 'shutdown'])}readyz check passed\n`,
    );
  });

  it('the metrics that upstream’s suite wants to be 0', async () => {
    const metrics = await ask('/metrics');
    for (const what of ['mismatch', 'panic'])
      assert.match(metrics, new RegExp(`^apiserver_validation_declarative_validation_${what}_total 0$`, 'm'));
  });
});
