import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, StatusError } from '../../../api/meta/status-error.ts';
import type { Act } from '../../../client/events/acts.ts';
import { ApiRequest, type ResourceRequest } from '../request/api-request.ts';
import type { UserInfo } from '../request/request.ts';
import { planAct, planRefusal } from './plan-act.ts';

const pods = builtInRegistry().current.byResource('', 'v1', 'pods') ?? assert.fail();
const time = '2026-01-01T00:00:00.000Z';
const masters = ['system:masters'];
interface Asked {
  readonly verb?: string;
  readonly user?: UserInfo;
  readonly userAgent?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly why?: () => string;
}
const cause = (name: string, asked: Asked = {}): ResourceRequest => {
  const { verb = 'update', user = { name, groups: [] }, userAgent, why = () => undefined } = asked;
  const source = { id: '', sourceIPs: [], userAgent, signal: new AbortController().signal, why, warn: () => undefined };
  const { namespace, subresource } = asked;
  const target = { type: 'resource' as const, kind: pods, namespace, name: asked.name, subresource, answeredBy: undefined };
  return new ApiRequest({ source, startMs: 0, verb, user, target });
};
const object = (kind: string, more: object, apiVersion = 'v1'): KubeObject =>
  ({ apiVersion, kind, metadata: { namespace: 'n', name: 'a' }, ...more }) as KubeObject;

const controller = (name: string): string => `system:serviceaccount:kube-system:${name}-controller`;
const pod = (status: object, spec: object = {}) => object('Pod', { spec: { containers: [{ name: 'c', image: 'i' }], ...spec }, status });
const event = (more: object) => object('Event', { involvedObject: { kind: 'Pod', apiVersion: 'v1', namespace: 'n', name: 'p' }, ...more });

interface Row {
  readonly name: string;
  readonly by: ResourceRequest;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
  readonly want: Partial<Act>;
}

const rows: readonly Row[] = [
  {
    name: 'a user creates a pod, and is no component',
    by: cause('jane', { verb: 'create' }),
    after: pod({}),
    want: { did: 'created', user: 'jane', component: undefined, summary: 'i', isRoutine: undefined },
  },
  {
    name: 'a controller is known by its account',
    by: cause(controller('replicaset')),
    before: pod({}),
    want: { did: 'deleted', component: 'replicaset' },
  },
  {
    name: 'a component that acts as the administrator says who it is',
    by: cause('kubernetes-admin', { user: { name: 'kubernetes-admin', groups: masters }, userAgent: 'timonier/system:node:far-1' }),
    before: pod({}),
    want: { component: 'kubelet', node: 'far-1', user: 'kubernetes-admin' },
  },
  {
    name: 'others are not believed when they call themselves a component',
    by: cause('jane', { userAgent: 'timonier/system:kube-scheduler' }),
    before: pod({}),
    want: { component: undefined, user: 'jane' },
  },
  {
    name: 'a pod that is to go has its time',
    by: cause('jane'),
    before: pod({}),
    after: object('Pod', { metadata: { namespace: 'n', name: 'a', deletionTimestamp: time, deletionGracePeriodSeconds: 30 } }),
    want: { did: 'marked', summary: '30 s to stop' },
  },
  {
    name: 'what holds an object that is to go',
    by: cause('jane'),
    before: object('ConfigMap', {}),
    after: object('ConfigMap', { metadata: { namespace: 'n', name: 'a', deletionTimestamp: time, finalizers: ['a.b/c'] } }),
    want: { did: 'marked', summary: 'waits for a.b/c' },
  },
  {
    name: 'a reason is asked for',
    by: cause(controller('replicaset'), { why: () => 'wants 3, has 2' }),
    after: pod({}),
    want: { why: 'wants 3, has 2' },
  },
  {
    name: 'a lease is routine',
    by: cause('system:node:x'),
    before: object('Lease', { spec: { renewTime: '1' } }, 'coordination.k8s.io/v1'),
    after: object('Lease', { spec: { renewTime: '2' } }, 'coordination.k8s.io/v1'),
    want: { isRoutine: true },
  },
  {
    name: 'a heartbeat is routine',
    by: cause('system:node:x', { subresource: 'status' }),
    before: object('Node', { status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '1' }] } }),
    after: object('Node', { status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2' }] } }),
    want: { isRoutine: true },
  },
  {
    name: 'a node that is not ready is not routine',
    by: cause('system:node:x', { subresource: 'status' }),
    before: object('Node', { status: { conditions: [{ type: 'Ready', status: 'True' }] } }),
    after: object('Node', { status: { conditions: [{ type: 'Ready', status: 'False' }] } }),
    want: { isRoutine: undefined },
  },
  {
    name: 'a pod that waits for its container as every pod does is routine',
    by: cause('system:node:x', { subresource: 'status' }),
    before: pod({ phase: 'Pending' }),
    after: pod({
      phase: 'Pending',
      containerStatuses: [{ name: 'c', restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } }],
    }),
    want: { isRoutine: true },
  },
  {
    name: 'one that waits for its image is not',
    by: cause('system:node:x', { subresource: 'status' }),
    before: pod({ containerStatuses: [{ name: 'c', state: { waiting: { reason: 'ContainerCreating' } } }] }),
    after: pod({ containerStatuses: [{ name: 'c', state: { waiting: { reason: 'ImagePullBackOff' } } }] }),
    want: { isRoutine: undefined },
  },
  {
    name: 'a Deployment that is as ready as before is routine',
    by: cause(controller('deployment'), { subresource: 'status' }),
    before: object('Deployment', { spec: { replicas: 2 }, status: { readyReplicas: 1 } }, 'apps/v1'),
    after: object('Deployment', { spec: { replicas: 2 }, status: { readyReplicas: 1, replicas: 3 } }, 'apps/v1'),
    want: { isRoutine: true, summary: '1 of 2 ready' },
  },
  ...[
    { replicas: 3, readyReplicas: 4, summary: '4 ready, 3 wanted' },
    { replicas: 0, readyReplicas: 3518, summary: '3518 ready, none wanted' },
    { replicas: 0, readyReplicas: 0, summary: 'none ready, none wanted' },
  ].map(({ summary, replicas, readyReplicas }) => ({
    name: summary,
    by: cause(controller('deployment'), { subresource: 'status' }),
    before: object('Deployment', { spec: { replicas }, status: { readyReplicas: 9 } }, 'apps/v1'),
    after: object('Deployment', { spec: { replicas }, status: { readyReplicas } }, 'apps/v1'),
    want: { summary },
  })),
  {
    name: 'unless its rollout is stuck',
    by: cause(controller('deployment'), { subresource: 'status' }),
    before: object('Deployment', { status: { conditions: [{ type: 'Progressing', status: 'True' }] } }, 'apps/v1'),
    after: object(
      'Deployment',
      { status: { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] } },
      'apps/v1',
    ),
    want: { isRoutine: undefined },
  },
  ...[
    { name: 'annotates', metadata: { annotations: { note: 'x' } } },
    { name: 'takes a finalizer away', metadata: { finalizers: undefined } },
    { name: 'takes an owner away', metadata: { ownerReferences: [{ kind: 'A', name: 'b' }] } },
  ].flatMap(({ name, metadata }) => {
    const before = object('ConfigMap', { metadata: { namespace: 'n', name: 'a', finalizers: ['a.b/c'] } });
    const after = object('ConfigMap', { metadata: { ...before.metadata, ...metadata } });
    return [
      { name: `a user ${name}`, by: cause('jane'), before, after, want: { isRoutine: undefined } },
      { name: `a controller ${name}: routine`, by: cause(controller('job')), before, after, want: { isRoutine: true } },
    ] as const;
  }),
  {
    name: 'a Lease that a user changes',
    by: cause('jane'),
    before: object('Lease', { spec: { holderIdentity: 'a' } }, 'coordination.k8s.io/v1'),
    after: object('Lease', { spec: { holderIdentity: 'b' } }, 'coordination.k8s.io/v1'),
    want: { isRoutine: undefined },
  },
  {
    name: 'an Event is told of its object, with its container',
    by: cause('system:node:x'),
    after: event({
      type: 'Warning',
      reason: 'Unhealthy',
      message: 'm',
      count: 2,
      involvedObject: { kind: 'Pod', apiVersion: 'v1', namespace: 'n', name: 'p', fieldPath: 'spec.containers{web}' },
    }),
    want: {
      did: 'told',
      object: { kind: 'pod', group: '', namespace: 'n', name: 'p' },
      event: { type: 'Warning', reason: 'Unhealthy', message: 'm', count: 2, container: 'web' },
      isRoutine: undefined,
    },
  },
  {
    name: 'an Event that repeats a write is routine',
    by: cause('system:kube-scheduler'),
    after: event({ type: 'Normal', reason: 'Scheduled', message: 'm' }),
    want: { isRoutine: true },
  },
  {
    name: 'an Event of a Secret says its reason alone',
    by: cause('jane'),
    after: event({ reason: 'Odd', message: 'RklS', involvedObject: { kind: 'Secret', apiVersion: 'v1', namespace: 'n', name: 's' } }),
    want: { event: { type: 'Normal', reason: 'Odd', message: '', count: 1 } },
  },
  {
    name: 'nor does a reason quote an object',
    by: cause('jane', { why: () => 'wants {"a":"RklS"}' }),
    after: pod({}),
    want: { why: 'wants {…}' },
  },
  {
    name: 'what clients write is cut',
    by: cause('jane', { userAgent: 'x'.repeat(9999) }),
    after: event({ message: 'y'.repeat(9999) }),
    want: { userAgent: `${'x'.repeat(1023)}…` },
  },
];

for (const { name, by, before, after, want } of rows) {
  test(`an act: ${name}`, () => {
    const act = planAct({ cause: by, time, owners: [], before, after });
    assert.deepEqual(Object.fromEntries(Object.keys(want).map((key) => [key, act[key as keyof Act]])), want);
  });
}

const terminating = (): StatusError =>
  new StatusError({ code: 403, reason: 'Forbidden', message: 'm', details: { causes: [{ reason: 'NamespaceTerminating' }] } });
const refusals = [
  { name: 'invalid', by: cause('jane'), error: errors.invalid({ group: '', kind: 'Pod' }, 'a', []), want: { by: 'validation' } },
  { name: 'a read that may not be', by: cause('jane', { verb: 'list' }), error: errors.forbidden(pods, '', 'no'), want: { by: undefined } },
  { name: 'a read of what is not there', by: cause('jane', { verb: 'get' }), error: errors.notFound(pods, 'a'), want: undefined },
  {
    name: 'a controller was late',
    by: cause(controller('job')),
    error: errors.conflict(pods, 'a'),
    want: { by: undefined, routine: true },
  },
  {
    name: 'nothing comes into a namespace that goes',
    by: cause(controller('job')),
    error: terminating(),
    want: { by: undefined, routine: true },
  },
  { name: 'a user hears of it', by: cause('jane'), error: terminating(), want: { by: undefined } },
  { name: 'a user was late', by: cause('jane'), error: errors.conflict(pods, 'a'), want: { by: undefined } },
];
for (const { name, by, error, want } of refusals) {
  test(`a refusal: ${name}`, () => {
    const act = planRefusal({ request: by.aimedAt({ ...by.target, namespace: 'n' }), time, owners: [], error });
    assert.deepEqual(act && { by: act.refusal?.by, ...(act.isRoutine && { routine: true }) }, want);
  });
}
