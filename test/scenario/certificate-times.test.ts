/** Certificates are good in real time and by the cluster's clock, wherever that stands and however far it is moved. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { CertificateSigningRequest, ConfigMap, Node, Pod, ServiceAccount } from '../../src/api/generated/kinds.ts';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { type Cluster, type StartOptions, startCluster, VirtualClock } from '../../src/index.ts';
import { invoke } from '../host/own-cluster.ts';
import { askAs, makeRequest } from '../kit/credentials.ts';

const hourMs = 3_600_000;
const yearMs = 365 * 24 * hourMs;

/** The administrator, by Node's own client on one connection that is kept. */
async function administrator({ kubeconfig, server }: Cluster) {
  const { ca, cert, key } = await accessOf(await parseKubeconfig(kubeconfig));
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, cert, key });
  return {
    async ask(path: string): Promise<number> {
      const asked = request(`${server}${path}`, { agent }).end();
      const [answer] = await once(asked, 'response');
      answer.resume();
      await once(answer, 'end');
      return answer.statusCode;
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

describe('a cluster can be reached by HTTPS when its clock stands at', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'certificate-times-'));
  });
  after(() => rm(dir, { recursive: true }));
  const kubectl = async (cluster: Cluster, ...args: string[]): Promise<string> => {
    const file = join(dir, 'kubeconfig');
    await writeFile(file, cluster.kubeconfig);
    const { code, stdout, stderr } = await invoke((await bundledKubectl()) ?? '', args, { env: { KUBECONFIG: file } });
    assert.equal(code, 0, stderr);
    return stdout;
  };

  const starts = ['1970-01-01', '1999-12-31', '2020-02-29', '2025-10-01', '2026-01-01', '2027-01-01', '2030-01-01', '2040-01-01'];
  for (const start of [...starts, '2049-12-31', '2060-01-01', '9990-01-01']) {
    it(start, async () => {
      const clock = new VirtualClock(Date.parse(start));
      await using cluster = await startCluster({ simulated: 1, clock });
      using admin = await administrator(cluster);
      assert.equal(await admin.ask('/readyz'), 200);
      const config = new KubeConfig();
      config.loadFromString(cluster.kubeconfig);
      const core = config.makeApiClient(CoreV1Api);
      const made = await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'menu' } } });
      assert.equal(made.metadata?.creationTimestamp?.toISOString().slice(0, 10), start);
      assert.match(await kubectl(cluster, 'get', 'nodes'), /simulated-1 +Ready/);
      // The way to the kubelet is HTTPS too.
      const containers = [{ name: 'main', image: 'busybox', command: ['sh', '-c', 'echo one; sleep 1h'] }];
      await cluster.client.create(Pod, { metadata: { name: 'talker', namespace: 'default' }, spec: { containers } });
      await clock.advance(30_000);
      assert.equal(await kubectl(cluster, 'logs', 'talker'), 'one\n');
    });
  }
});

describe('years pass', () => {
  for (const start of ['1970-01-01', '2026-01-01', '2040-01-01']) {
    it(`since ${start}, and a connected client stays who it is; a token ends with its hour`, async () => {
      const clock = new VirtualClock(Date.parse(start));
      await using cluster = await startCluster({ components: ['api-server'], clock });
      const { client } = cluster;
      using admin = await administrator(cluster);
      const at = { namespace: 'default', name: 'robot' };
      await client.create(ServiceAccount, { metadata: at });
      const { status } = await client.post<{ status: { token: string } }>(ServiceAccount, at, 'token', {
        spec: { expirationSeconds: 3600 },
      });
      assert.equal((await askAs(cluster, status)).code, 403);
      for (const years of [1, 9, 30]) {
        await clock.advance(years * yearMs);
        assert.equal(await admin.ask('/readyz'), 200);
      }
      using another = await administrator(cluster);
      assert.equal(await another.ask('/readyz'), 200);
      assert.equal((await askAs(cluster, status)).code, 401);
    });
  }
});

/** Signed for an hour. */
async function signedFor(cluster: Cluster, name: string): Promise<{ cert: string; key: string }> {
  const { client } = cluster;
  const { key, base64 } = await makeRequest(`CN=${name}`);
  const usages = ['digital signature', 'client auth'] as const;
  const spec = { request: base64, signerName: 'kubernetes.io/kube-apiserver-client', usages, expirationSeconds: 3600 };
  const made = await client.create(CertificateSigningRequest, { metadata: { name }, spec });
  const conditions = [{ type: 'Approved', status: 'True' as const, reason: 'Test' }];
  await client.update(CertificateSigningRequest, { ...made, status: { conditions } }, { subresource: 'approval' });
  for await (const { object } of client.watch(CertificateSigningRequest, { fieldSelector: `metadata.name=${name}` })) {
    const { certificate } = (object as CertificateSigningRequest).status;
    if (certificate) return { cert: Buffer.from(certificate, 'base64').toString(), key };
  }
  return assert.fail('the watch ended');
}

describe('a certificate that was asked for for an hour', () => {
  for (const [start, after2Hours] of [
    ['1970-01-01', 403],
    ['2026-01-01', 403],
    ['2040-01-01', 401],
  ] as const)
    it(`is good at ${start}; two hours later ${after2Hours === 401 ? 'it is not' : 'it still is, as the machine’s clock is ahead'}`, async () => {
      const clock = new VirtualClock(Date.parse(start));
      await using cluster = await startCluster({ components: ['api-server', 'controllers'], clock });
      const jane = await signedFor(cluster, 'jane');
      assert.equal((await askAs(cluster, jane)).code, 403);
      await clock.advance(2 * hourMs);
      assert.equal((await askAs(cluster, jane)).code, after2Hours);
    });
});

describe('what is kept is good for', () => {
  const clocks: readonly (readonly [string, string | undefined])[] = [
    ['real time', undefined],
    ['virtual time, years later', '2045-01-01'],
    ['virtual time, years before', '1980-01-01'],
    ['real time again', undefined],
  ];
  it(clocks.map(([name]) => name).join(', then '), async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kept-certificates-'));
    try {
      let old: string | undefined;
      for (const [name, start] of clocks) {
        const kept: StartOptions = { dataDir, nodes: 0, simulated: 0, port: 0, components: ['api-server'] };
        await using cluster = await startCluster({ ...kept, ...(start && { clock: new VirtualClock(Date.parse(start)) }) });
        using admin = await administrator(cluster);
        assert.equal(await admin.ask('/readyz'), 200, name);
        // Who got a kubeconfig long ago still trusts the server.
        old ??= cluster.kubeconfig;
        using before = await administrator({ ...cluster, kubeconfig: old });
        assert.equal(await before.ask('/version'), start === '2045-01-01' ? 401 : 200, name);
        assert.equal((await cluster.client.list(Node)).items.length, 0);
        assert.ok(await cluster.client.get(ConfigMap, { namespace: 'kube-system', name: 'extension-apiserver-authentication' }));
      }
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });
});
