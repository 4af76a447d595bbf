import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectMap } from '../../../../test/kit/object-map.ts';
import { storedMeta } from '../../../../test/kit/test-request.ts';
import type { PodSpec } from '../../../api/generated/core-v1.ts';
import { PersistentVolume, Pod, VolumeAttachment } from '../../../api/generated/kinds.ts';
import type { RequestAttributes } from '../request/request.ts';
import { nodeAuthorizer } from './node-authorizer.ts';
import { NodeGraph } from './node-graph.ts';

const pod = (name: string, nodeName: string, spec: Partial<PodSpec>, annotations?: Record<string, string>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...storedMeta, namespace: 'a', name, ...(annotations && { annotations }) },
  spec: { serviceAccountName: 'robot', containers: [{ name: 'c' }], ...spec, nodeName },
  status: {},
});
const secretVolume = (secretName: string) => ({ volumes: [{ name: secretName, secret: { secretName } }] });

const objects = new ObjectMap()
  .put(
    Pod,
    pod('one', 'n1', {
      imagePullSecrets: [{ name: 'pull' }],
      initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'settings' } }] }],
      volumes: [
        { name: 'k', projected: { sources: [{ secret: { name: 'key' } }, { configMap: { name: 'kube-root-ca.crt' } }] } },
        { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'e', ephemeral: {} },
      ],
    }),
    pod('two', 'n2', secretVolume('other')),
    pod('mirror', 'n1', secretVolume('stolen'), { 'kubernetes.io/config.mirror': 'x' }),
    pod('waiting', '', secretVolume('later')),
  )
  .put(PersistentVolume, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { ...storedMeta, name: 'pv1' },
    spec: {
      claimRef: { namespace: 'a', name: 'data' },
      csi: { driver: 'd', volumeHandle: 'v', nodeStageSecretRef: { namespace: 'csi', name: 'disk' } },
    },
    status: {},
  })
  .put(VolumeAttachment, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { ...storedMeta, name: 'va1' },
    spec: { attacher: 'd', nodeName: 'n1', source: {} },
    status: { attached: true },
  });
const authorizer = nodeAuthorizer(new NodeGraph(objects));

type Target = Partial<NonNullable<RequestAttributes['resource']>> & { resource: string };
const ask = (verb: string, target: Target, user = 'system:node:n1'): RequestAttributes => ({
  user: { name: user, groups: ['system:nodes'] },
  verb,
  path: '',
  resource: { group: '', version: 'v1', ...target },
});
const inA = (resource: string, name: string, more: Partial<Target> = {}): Target => ({ resource, namespace: 'a', name, ...more });
const leases = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease' };
const unrelated = "no relationship found between node 'n1' and this object";

const table: readonly { name: string; given: RequestAttributes; want: string }[] = [
  ...['key', 'pull'].map((name) => ({ name: `secret ${name} of its pod`, given: ask('get', inA('secrets', name)), want: 'allow' })),
  { name: 'a watch of one secret', given: ask('watch', inA('secrets', 'key')), want: 'allow' },
  { name: 'a secret of another node', given: ask('get', inA('secrets', 'other')), want: unrelated },
  { name: 'a secret of a mirror pod', given: ask('get', inA('secrets', 'stolen')), want: unrelated },
  { name: 'a secret of a pod without node', given: ask('get', inA('secrets', 'later')), want: unrelated },
  { name: 'a secret through a volume', given: ask('get', { resource: 'secrets', namespace: 'csi', name: 'disk' }), want: 'allow' },
  { name: 'all secrets', given: ask('list', { resource: 'secrets', namespace: 'a' }), want: 'No Object name found' },
  { name: 'a secret to write', given: ask('update', inA('secrets', 'key')), want: 'can only read resources of this type' },
  ...['settings', 'kube-root-ca.crt'].map((name) => ({
    name: `config map ${name}`,
    given: ask('get', inA('configmaps', name)),
    want: 'allow',
  })),
  { name: 'a claim', given: ask('get', inA('persistentvolumeclaims', 'data')), want: 'allow' },
  { name: 'an ephemeral claim', given: ask('get', inA('persistentvolumeclaims', 'one-e')), want: 'allow' },
  { name: 'all claims', given: ask('list', inA('persistentvolumeclaims', '')), want: 'can only get individual resources of this type' },
  {
    name: "a claim's status",
    given: ask('patch', inA('persistentvolumeclaims', 'data', { subresource: 'status' })),
    want: 'allow',
  },
  { name: 'a volume', given: ask('get', { resource: 'persistentvolumes', name: 'pv1' }), want: 'allow' },
  { name: 'an attachment', given: ask('get', { group: 'storage.k8s.io', resource: 'volumeattachments', name: 'va1' }), want: 'allow' },
  { name: 'a token', given: ask('create', inA('serviceaccounts', 'robot', { subresource: 'token' })), want: 'allow' },
  {
    name: 'a token of another account',
    given: ask('create', inA('serviceaccounts', 'x', { subresource: 'token' })),
    want: unrelated,
  },
  { name: 'a pod of its own', given: ask('get', inA('pods', 'one')), want: 'allow' },
  { name: 'a pod of another', given: ask('get', inA('pods', 'two')), want: unrelated },
  { name: 'its pods', given: ask('list', { resource: 'pods', fieldSelector: 'spec.nodeName=n1' }), want: 'allow' },
  {
    name: 'the pods of others',
    given: ask('watch', { resource: 'pods', fieldSelector: 'spec.nodeName!=n1' }),
    want: 'can only list/watch pods with spec.nodeName field selector',
  },
  { name: 'its node', given: ask('get', { resource: 'nodes', name: 'n1' }), want: 'allow' },
  {
    name: 'another node',
    given: ask('get', { resource: 'nodes', name: 'n2' }),
    want: "node 'n1' cannot read 'n2', only its own Node object",
  },
  { name: 'all nodes', given: ask('list', { resource: 'nodes' }), want: "node 'n1' cannot read all nodes, only its own Node object" },
  { name: 'its lease', given: ask('update', { ...leases, name: 'n1' }), want: 'allow' },
  {
    name: 'another lease',
    given: ask('get', { ...leases, name: 'n2' }),
    want: 'can only access node lease with the same name as the requesting node',
  },
  {
    name: 'a lease elsewhere',
    given: ask('get', { ...leases, namespace: 'a', name: 'n1' }),
    want: 'can only access leases in the "kube-node-lease" system namespace',
  },
  { name: 'services', given: ask('watch', { resource: 'services' }), want: 'allow' },
  { name: 'events', given: ask('create', inA('events', '')), want: 'allow' },
  { name: 'deployments', given: ask('list', { group: 'apps', resource: 'deployments' }), want: '' },
  { name: 'a node without name', given: ask('get', inA('secrets', 'key'), 'system:node:'), want: 'unknown node for user "system:node:"' },
];
for (const { name, given, want } of table) {
  test(`the node authorizer on ${name}`, async () => {
    const { verdict, reason } = await authorizer.authorize(given);
    assert.equal(verdict === 'allow' ? 'allow' : reason, want);
  });
}
