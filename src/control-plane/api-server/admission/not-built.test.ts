import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ObjectMap } from '../../../../test/kit/object-map.ts';
import { runPlugin, storedMeta, testRequest } from '../../../../test/kit/test-request.ts';
import * as kinds from '../../../api/generated/kinds.ts';
import { notBuilt as rows } from '../../../api/kinds/not-built.ts';
import type { KindRef, KubeObject } from '../../../api/meta/object.ts';
import { notBuiltPlugin } from './not-built.ts';

const made = <T extends KubeObject>(kind: KindRef<T>, rest: object, name = 'x'): T =>
  ({
    apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version,
    kind: kind.kind,
    metadata: { ...storedMeta, name, ...(kind.namespaced && { namespace: 'a' }) },
    ...rest,
  }) as unknown as T;

const container = { name: 'c', image: 'i' };
const others = new ObjectMap()
  .put(kinds.IngressClass, made(kinds.IngressClass, {}, 'mine'))
  .put(
    kinds.Node,
    made(kinds.Node, {}, 'real'),
    made(kinds.Node, { metadata: { name: 'sim', labels: { 'timonier.dev/simulated': 'true' } } }),
  );

interface Case {
  readonly name: string;
  readonly kind: KindRef;
  readonly object: object;
  readonly old?: object;
  readonly named?: string;
  readonly subresource?: string;
  readonly dryRun?: boolean;
  /** the beginnings of what is said, up to the colon */
  readonly warned?: readonly string[];
}

const policy = { spec: { podSelector: {}, policyTypes: ['Ingress'] } };
const open = { spec: { podSelector: { matchLabels: { a: 'b' } }, policyTypes: ['Ingress'] } };
const service = (type: string, annotations = {}) => ({ metadata: { name: 'x', namespace: 'a', annotations }, spec: { type } });
const claim = (spec: object, storage = '1Gi') => ({ spec: { ...spec, resources: { requests: { storage } } }, status: {} });
const pod = (spec: object) => ({ spec: { containers: [container], ...spec } });
const workload = (spec: object) => ({ spec: { template: pod(spec) } });
const unenforced = ['simulated nodes enforce no NetworkPolicies'];

const table: readonly Case[] = [
  { name: 'a network policy', kind: kinds.NetworkPolicy, object: policy, warned: unenforced },
  { name: 'a network policy in a dry run', kind: kinds.NetworkPolicy, object: policy, dryRun: true, warned: unenforced },
  { name: 'a network policy that gets another rule', kind: kinds.NetworkPolicy, object: policy, old: open, warned: unenforced },
  {
    name: 'a network policy that gets a label',
    kind: kinds.NetworkPolicy,
    object: { ...policy, metadata: { name: 'x', labels: { a: 'b' } } },
    old: policy,
  },
  { name: 'a Service within the cluster', kind: kinds.Service, object: service('ClusterIP') },
  {
    name: 'a load balancer',
    kind: kinds.Service,
    object: service('LoadBalancer'),
    warned: ['no load balancer comes with the cluster yet'],
  },
  {
    name: 'a Service that becomes a load balancer',
    kind: kinds.Service,
    object: service('LoadBalancer'),
    old: service('NodePort'),
    warned: ['no load balancer comes with the cluster yet'],
  },
  { name: 'the status of a load balancer', kind: kinds.Service, object: service('LoadBalancer'), subresource: 'status' },
  {
    name: 'an annotation that asks for hints, added later',
    kind: kinds.Service,
    object: service('ClusterIP', { 'service.kubernetes.io/topology-mode': 'Auto' }),
    old: service('ClusterIP'),
    warned: ['topology-aware hints are not given yet'],
  },
  { name: 'an Ingress', kind: kinds.Ingress, object: { spec: {} } },
  { name: 'a claim without a class', kind: kinds.PersistentVolumeClaim, object: claim({}) },
  { name: 'a claim with a class', kind: kinds.PersistentVolumeClaim, object: claim({ storageClassName: 'fast' }) },
  { name: 'a claim that is bound by hand', kind: kinds.PersistentVolumeClaim, object: claim({ volumeName: 'v' }) },
  {
    name: 'a bound claim that asks for more',
    kind: kinds.PersistentVolumeClaim,
    object: claim({ volumeName: 'v' }, '2Gi'),
    old: claim({ volumeName: 'v' }),
  },
  {
    name: 'templates of claims',
    kind: kinds.StatefulSet,
    object: { spec: { volumeClaimTemplates: [{}], template: pod({}) } },
  },
  { name: 'a stateful set without claims', kind: kinds.StatefulSet, object: workload({}) },
  { name: 'a plain pod', kind: kinds.Pod, object: pod({ hostUsers: true, volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] }) },
  {
    name: 'a pod with devices',
    kind: kinds.Pod,
    object: pod({ resourceClaims: [{ name: 'gpu' }] }),
    warned: ['devices are not allocated yet'],
  },
  {
    name: 'a pod with users of its own and a volume of a driver',
    kind: kinds.Pod,
    object: pod({ hostUsers: false, volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] }),
    warned: ['volumes of drivers can not be mounted yet', 'pods get no user namespace of their own yet'],
  },
  {
    name: 'the template of a CronJob',
    kind: kinds.CronJob,
    object: { spec: { jobTemplate: workload({ hostUsers: false }) } },
    warned: ['pods get no user namespace of their own yet'],
  },
  {
    name: 'a Deployment with a generic ephemeral volume',
    kind: kinds.Deployment,
    object: workload({ volumes: [{ name: 'v', ephemeral: {} }] }),
  },
  { name: 'a Deployment that is scaled', kind: kinds.Deployment, object: workload({}), old: workload({}) },
  { name: 'a runtime class of runc', kind: kinds.RuntimeClass, object: { handler: 'runc' } },
  {
    name: 'a runtime class of gVisor',
    kind: kinds.RuntimeClass,
    object: { handler: 'runsc' },
    warned: ['real nodes know the handler runc alone'],
  },
  { name: 'an autoscaler', kind: kinds.HorizontalPodAutoscaler, object: {}, warned: ['nothing measures pods here yet'] },
  {
    name: 'an autoscaler of the old version',
    kind: kinds.HorizontalPodAutoscalerV1,
    object: {},
    warned: ['nothing measures pods here yet'],
  },
  { name: 'a flow schema', kind: kinds.FlowSchema, object: {}, warned: ['flow schemas and priority levels are not obeyed yet'] },
  { name: 'an API of this server', kind: kinds.APIService, object: { spec: {} } },
  {
    name: 'a bootstrap token',
    kind: kinds.Secret,
    object: { type: 'bootstrap.kubernetes.io/token' },
    warned: ['bootstrap tokens are not accepted yet'],
  },
  { name: 'a secret', kind: kinds.Secret, object: { type: 'Opaque' } },
  { name: 'a disruption budget, which is obeyed', kind: kinds.PodDisruptionBudget, object: { spec: {} } },
];

describe('what is not built is not accepted in silence', () => {
  for (const { name, kind, object, old, named, subresource, dryRun, warned = [] } of table) {
    it(name, async () => {
      const warnings: string[] = [];
      const answer = await runPlugin(notBuiltPlugin(others), {
        kind,
        object: made(kind, object, named),
        ...(old && { old: made(kind, old, named) }),
        ...(subresource !== undefined && { subresource }),
        ...(dryRun !== undefined && { dryRun }),
        warnings,
      });
      assert.notEqual(typeof answer, 'string');
      assert.deepEqual(
        warnings.map((text) => text.split(':')[0]),
        warned,
      );
    });
  }

  it('says nothing of a network policy where all nodes enforce it', async () => {
    const warnings: string[] = [];
    const real = new ObjectMap().put(kinds.Node, made(kinds.Node, {}, 'real'));
    await runPlugin(notBuiltPlugin(real), { kind: kinds.NetworkPolicy, object: made(kinds.NetworkPolicy, policy), warnings });
    assert.deepEqual(warnings, []);
  });

  it('says what does not happen, a colon, and what that means', () => {
    for (const { says } of rows)
      assert.match(says, /^[^:]+ yet[^:]*: [^:]+[^.:]$|^(real nodes know|simulated nodes enforce) [^:]+: [^:]+$/);
  });

  it('has no row for a kind that is not there, and looks at no other', () => {
    for (const { kinds: of } of rows) for (const { group, resource } of of) assert.ok(refs.has(`${group}/${resource}`), resource);
    const { kind } = testRequest({ kind: kinds.ConfigMap });
    assert.equal(notBuiltPlugin(others).handles(kind, 'CREATE', undefined), false);
  });
});

const refs = new Set(Object.values(kinds).map(({ group, resource }: KindRef) => `${group}/${resource}`));
