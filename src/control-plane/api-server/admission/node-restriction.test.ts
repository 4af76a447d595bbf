import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectMap } from '../../../../test/kit/object-map.ts';
import { runPlugin, storedMeta, type TestRequest } from '../../../../test/kit/test-request.ts';
import type { PodSpec } from '../../../api/generated/core-v1.ts';
import { CSINode, Lease, Node, PersistentVolumeClaim, Pod, ServiceAccount } from '../../../api/generated/kinds.ts';
import type { KindRef, KubeObject, UnknownObject } from '../../../api/meta/object.ts';
import { nodeRestriction } from './node-restriction.ts';

const object = <T extends KubeObject>(kind: KindRef<T>, metadata: object, rest: object = {}): T =>
  ({
    apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version,
    kind: kind.kind,
    metadata: { ...storedMeta, ...metadata },
    status: {},
    ...rest,
  }) as unknown as T;
const node = (name: string, metadata: object = {}, spec: object = {}): Node => object(Node, { name, ...metadata }, { spec });
const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: storedMeta.uid, controller: true };
const pod = (spec: Partial<PodSpec>, metadata: object = {}): Pod =>
  object(Pod, { namespace: 'a', name: 'p', ...metadata }, { spec: { containers: [{ name: 'c' }], nodeName: 'n1', ...spec } });
const mirror = (spec: Partial<PodSpec> = {}, metadata: object = {}): Pod =>
  pod(spec, { annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [owner], ...metadata });
const volumes = [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] } }];
const token = (ref: object | undefined, audiences: string[] = []): TestRequest => ({
  kind: ServiceAccount,
  subresource: 'token',
  name: 'robot',
  namespace: 'a',
  object: {
    apiVersion: 'v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: { ...(ref && { boundObjectRef: ref }), audiences },
  } as UnknownObject,
});
const toPod = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: storedMeta.uid };

const objects = new ObjectMap().put(Node, node('n1')).put(Pod, pod({ volumes }), pod({ nodeName: 'n2' }, { name: 'q' }));
const plugin = nodeRestriction({ reader: objects, authorize: () => ({ verdict: 'no-opinion', reason: '' }) });

const table: readonly { name: string; given: TestRequest; want?: string }[] = [
  { name: 'its node', given: { kind: Node, object: node('n1', { labels: { 'kubernetes.io/os': 'linux', own: 'x' } }) } },
  { name: 'another node', given: { kind: Node, object: node('n2') }, want: 'node "n1" is not allowed to modify node "n2"' },
  {
    name: 'labels that steer',
    given: { kind: Node, object: node('n1', { labels: { 'node-restriction.kubernetes.io/a': 'x', 'k8s.io/b': 'y' } }) },
    want: 'node "n1" is not allowed to set the following labels: k8s.io/b, node-restriction.kubernetes.io/a',
  },
  {
    name: 'labels that steer, later',
    given: { kind: Node, object: node('n1', { labels: { 'node-role.kubernetes.io/master': '' } }), old: node('n1') },
    want: 'is not allowed to modify labels: node-role.kubernetes.io/master',
  },
  {
    name: 'its taints',
    given: { kind: Node, object: node('n1'), old: node('n1', {}, { taints: [{ key: 'a', effect: 'NoSchedule' }] }) },
    want: 'node "n1" is not allowed to modify taints',
  },
  { name: 'a mirror pod', given: { kind: Pod, object: mirror() } },
  {
    name: 'a pod that is none',
    given: { kind: Pod, object: pod({}) },
    want: 'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  },
  {
    name: 'a mirror pod elsewhere',
    given: { kind: Pod, object: mirror({ nodeName: 'n2' }) },
    want: 'node "n1" can only create pods with spec.nodeName set to itself',
  },
  {
    name: 'a mirror pod of nobody',
    given: { kind: Pod, object: mirror({}, { ownerReferences: [] }) },
    want: 'node "n1" can only create pods with an owner reference set to itself',
  },
  {
    name: 'a mirror pod with a secret',
    given: { kind: Pod, object: mirror({ volumes: [{ name: 's', secret: { secretName: 'x' } }] }) },
    want: 'node "n1" can not create pods that reference secrets',
  },
  { name: 'the end of its pod', given: { kind: Pod, operation: 'DELETE', old: pod({}) } },
  {
    name: 'the end of another pod',
    given: { kind: Pod, operation: 'DELETE', namespace: 'a', name: 'q' },
    want: 'node "n1" can only delete pods with spec.nodeName set to itself',
  },
  { name: 'the status of its pod', given: { kind: Pod, subresource: 'status', object: pod({}), old: pod({}) } },
  {
    name: 'the labels of its pod',
    given: { kind: Pod, subresource: 'status', object: pod({}, { labels: { a: 'b' } }), old: pod({}) },
    want: 'node "n1" cannot update labels through pod status',
  },
  {
    name: 'the status of another pod',
    given: { kind: Pod, subresource: 'status', object: pod({}), old: pod({ nodeName: 'n2' }) },
    want: 'node "n1" can only update pod status for pods with spec.nodeName set to itself',
  },
  {
    name: 'a claim',
    given: { kind: PersistentVolumeClaim, object: object(PersistentVolumeClaim, { namespace: 'a', name: 'd' }) },
    want: 'may only update PVC status',
  },
  { name: 'its lease', given: { kind: Lease, object: object(Lease, { namespace: 'kube-node-lease', name: 'n1' }) } },
  {
    name: 'another lease',
    given: { kind: Lease, object: object(Lease, { namespace: 'kube-node-lease', name: 'n2' }) },
    want: 'can only access node lease with the same name as the requesting node',
  },
  {
    name: 'another CSINode',
    given: { kind: CSINode, object: object(CSINode, { name: 'n2' }) },
    want: 'can only access CSINode with the same name as the requesting node',
  },
  { name: 'a token that a volume names', given: token(toPod, ['vault']) },
  { name: 'a token of nothing', given: token(undefined), want: 'node requested token not bound to a pod' },
  {
    name: 'a token of a pod without uid',
    given: token({ ...toPod, uid: '' }),
    want: 'node requested token with a pod binding without a uid',
  },
  {
    name: 'a token of a pod elsewhere',
    given: token({ ...toPod, name: 'q' }),
    want: 'node requested token bound to a pod scheduled on a different node',
  },
  {
    name: 'a token for others',
    given: token(toPod, ['bank']),
    want: 'audience "bank" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
  },
];
const user = { name: 'system:node:n1', groups: ['system:nodes'] };
for (const { name, given, want } of table) {
  test(`node restriction on ${name}`, async () => {
    const got = await runPlugin(plugin, { ...given, user });
    if (want === undefined) return assert.notEqual(typeof got, 'string', String(got));
    assert.ok(String(got).endsWith(` is forbidden: ${want}`), String(got));
    assert.notEqual(typeof (await runPlugin(plugin, given)), 'string', 'who is no node is not restricted');
  });
}
