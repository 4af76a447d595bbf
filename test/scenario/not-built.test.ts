/** What is not there yet, as an unmodified kubectl tells whoever asks for it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import { type Cluster, startCluster } from '../../src/index.ts';
import { invoke, type Outcome } from '../host/own-cluster.ts';

const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] };
const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'closed' }, spec: { podSelector: {} } };
const unrestricted = 'Warning: NetworkPolicies are not enforced yet: traffic is not restricted\n';
const denyAll = (kind: string, name: string, spec: object) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name },
  spec,
});
const strict = denyAll('ValidatingAdmissionPolicy', 'strict', {
  matchConstraints: { resourceRules: [rule] },
  validations: [{ expression: 'false' }],
});
const binding = denyAll('ValidatingAdmissionPolicyBinding', 'strict', { policyName: 'strict', validationActions: ['Deny'] });
const unchecked = 'Warning: admission policies are not evaluated yet: requests pass unchecked\n';

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

  it('refuses a policy where it would begin to hold: with its binding', async () => {
    const made = await kubectl(create, strict);
    assert.deepEqual([made.code, made.stderr], [0, unchecked]);
    const bound = await kubectl(create, binding);
    assert.equal(bound.code, 1);
    assert.match(bound.stderr, /validatingadmissionpolicybindings.* "strict" is forbidden: admission policies are not evaluated yet, and /);
    const softened = await kubectl([
      'patch',
      'validatingadmissionpolicy',
      'strict',
      '--type=merge',
      '-p',
      '{"spec":{"failurePolicy":"Ignore"}}',
    ]);
    assert.deepEqual([softened.code, softened.stderr], [0, unchecked]);
    const again = await kubectl(create, binding);
    assert.deepEqual([again.code, again.stderr], [0, unchecked]);
    const hardened = await kubectl([
      'patch',
      'validatingadmissionpolicy',
      'strict',
      '--type=merge',
      '-p',
      '{"spec":{"failurePolicy":"Fail"}}',
    ]);
    assert.equal(hardened.code, 1);
    assert.match(hardened.stderr, /"strict" is forbidden: .*: set its failurePolicy to Ignore, or remove its bindings/);
  });
});
