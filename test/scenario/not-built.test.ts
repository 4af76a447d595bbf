/** What is not there yet, as an unmodified kubectl tells whoever asks for it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import { type Cluster, startCluster } from '../../src/index.ts';
import { invoke, type Outcome } from '../host/own-cluster.ts';

const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'closed' }, spec: { podSelector: {} } };
const unrestricted = 'Warning: simulated nodes enforce no NetworkPolicies: traffic of their pods is not restricted\n';
describe('what kubectl says of what is not there', () => {
  let cluster: Cluster;
  let dir: string;

  before(async () => {
    cluster = await startCluster({ simulated: 1 });
    dir = await mkdtemp(join(tmpdir(), 'not-built-'));
    await writeFile(join(dir, 'kubeconfig'), cluster.kubeconfig);
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  const kubectl = async (args: readonly string[], input: object = {}): Promise<Outcome> =>
    invoke((await bundledKubectl()) ?? '', args, { input: JSON.stringify(input), env: { KUBECONFIG: join(dir, 'kubeconfig') } });
  const create = ['create', '-f', '-'];

  it('warns, also of what is only tried, and again when it changes', async () => {
    const tried = await kubectl([...create, '--dry-run=server'], policy);
    assert.deepEqual([tried.code, tried.stderr], [0, unrestricted]);
    const made = await kubectl(create, policy);
    assert.deepEqual([made.code, made.stderr], [0, unrestricted]);
    const labelled = await kubectl(['label', 'networkpolicy', 'closed', 'a=b']);
    assert.deepEqual([labelled.code, labelled.stderr], [0, '']);
    const patched = await kubectl(['patch', 'networkpolicy', 'closed', '--type=merge', '-p', '{"spec":{"policyTypes":["Egress"]}}']);
    assert.deepEqual([patched.code, patched.stderr], [0, unrestricted]);
  });

  it('warns of a Service that gets no address', async () => {
    const { code, stderr } = await kubectl(['create', 'service', 'loadbalancer', 'shop', '--tcp=80']);
    assert.deepEqual([code, stderr], [0, 'Warning: no load balancer comes with the cluster yet: the Service gets no external address\n']);
  });

  it('warns of an autoscaler while nobody measures', async () => {
    await cluster.disableAddons(['metrics']);
    assert.equal((await kubectl(['create', 'deployment', 'shop', '--image=shop'])).code, 0);
    const autoscale = ['autoscale', 'deployment', 'shop', '--max=3'];
    const metrics = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1beta1.metrics.k8s.io' } };
    const service = { name: 'metrics-server', namespace: 'kube-system' };
    const spec = { group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100, service };
    const [first, second] = [
      await kubectl(autoscale),
      await kubectl(create, { ...metrics, spec: { ...spec, insecureSkipTLSVerify: true } }),
    ];
    assert.match(first.stderr, /^Warning: nothing measures pods here yet: /);
    assert.equal(second.code, 0);
    const { code, stderr } = await kubectl([...autoscale, '--name=later']);
    assert.deepEqual([code, stderr], [0, '']);
  });
});
