import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectMap } from '../../../../test/kit/object-map.ts';
import { storedMeta, testRequest } from '../../../../test/kit/test-request.ts';
import type { Container, PodSpec, ServiceSpec } from '../../../api/generated/core-v1.ts';
import { ConfigMap, Deployment, PersistentVolumeClaim, Pod, ResourceClaim, ResourceQuota, Service } from '../../../api/generated/kinds.ts';
import type { KindRef, KubeObject } from '../../../api/meta/object.ts';
import { QuotaLedger } from './ledger.ts';
import { ResourceQuotas } from './resource-quota.ts';
import { isInScope, quotaUsageOf } from './usage.ts';

const object = <T extends KubeObject>(kind: KindRef<T>, rest: object, name = 'x'): T =>
  ({
    apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version,
    kind: kind.kind,
    metadata: { ...storedMeta, namespace: 'a', name },
    status: {},
    ...rest,
  }) as unknown as T;
const container = (cpu: string, limit?: string): Container => ({
  name: 'c',
  resources: { requests: { cpu }, ...(limit && { limits: { cpu: limit } }) },
});
const pod = (spec: Partial<PodSpec>, rest: object = {}, name = 'x'): Pod =>
  object(Pod, { spec: { containers: [container('1')], ...spec }, ...rest }, name);
const service = (spec: ServiceSpec): Service => object(Service, { spec });

const usages: readonly { name: string; kind: KindRef; given: KubeObject; want: object }[] = [
  {
    name: 'a pod: the sum of containers, or the peak of its start',
    kind: Pod,
    given: pod({
      containers: [container('1', '2'), container('500m', '1')],
      initContainers: [{ ...container('100m'), restartPolicy: 'Always' }, container('3')],
    }),
    want: { 'count/pods': '1', pods: '1', cpu: '3100m', 'requests.cpu': '3100m', 'limits.cpu': '3' },
  },
  { name: 'a pod that is done', kind: Pod, given: pod({}, { status: { phase: 'Succeeded' } }), want: { 'count/pods': '1' } },
  {
    name: 'a pod with what others make',
    kind: Pod,
    given: pod({ containers: [{ name: 'c', resources: { requests: { 'example.com/gpu': '2', 'hugepages-2Mi': '4Mi' } } }] }),
    want: { 'count/pods': '1', pods: '1', 'requests.example.com/gpu': '2', 'hugepages-2Mi': '4Mi', 'requests.hugepages-2Mi': '4Mi' },
  },
  {
    name: 'a service',
    kind: Service,
    given: service({ type: 'LoadBalancer', ports: [{ port: 1 }, { port: 2 }] }),
    want: { 'count/services': '1', services: '1', 'services.nodeports': '2', 'services.loadbalancers': '1' },
  },
  {
    name: 'a service without node ports',
    kind: Service,
    given: service({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 1 }, { port: 2, nodePort: 30000 }] }),
    want: { 'count/services': '1', services: '1', 'services.nodeports': '1', 'services.loadbalancers': '1' },
  },
  {
    name: 'a claim',
    kind: PersistentVolumeClaim,
    given: object(PersistentVolumeClaim, { spec: { storageClassName: 'gold', resources: { requests: { storage: '1Gi' } } } }),
    want: {
      'count/persistentvolumeclaims': '1',
      persistentvolumeclaims: '1',
      'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      'requests.storage': '1Gi',
      'gold.storageclass.storage.k8s.io/requests.storage': '1Gi',
    },
  },
  { name: 'a config map', kind: ConfigMap, given: object(ConfigMap, {}), want: { 'count/configmaps': '1', configmaps: '1' } },
  {
    name: 'a device claim',
    kind: ResourceClaim,
    given: object(ResourceClaim, {
      spec: {
        devices: {
          requests: [
            { name: 'a', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } },
            { name: 'b', firstAvailable: [1, 3].map((count) => ({ name: `${count}`, deviceClassName: 'gpu', count })) },
            { name: 'c', exactly: { deviceClassName: 'nic', allocationMode: 'All' } },
          ],
        },
      },
    }),
    want: {
      'count/resourceclaims.resource.k8s.io': '1',
      'gpu.deviceclass.resource.k8s.io/devices': '5',
      'nic.deviceclass.resource.k8s.io/devices': '32',
    },
  },
  { name: 'a deployment', kind: Deployment, given: object(Deployment, {}), want: { 'count/deployments.apps': '1' } },
];
for (const { name, kind, given, want } of usages) test(`usage of ${name}`, () => assert.deepEqual(quotaUsageOf(kind, given), want));

const scopes: readonly { name: string; spec: ResourceQuota['spec'] & object; given: Pod; want: boolean }[] = [
  { name: 'best effort', spec: { scopes: ['BestEffort'] }, given: pod({ containers: [{ name: 'c' }] }), want: true },
  { name: 'not best effort', spec: { scopes: ['NotBestEffort', 'NotTerminating'] }, given: pod({}), want: true },
  { name: 'terminating', spec: { scopes: ['Terminating'] }, given: pod({ activeDeadlineSeconds: 5 }), want: true },
  {
    name: 'a priority class',
    spec: { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
    given: pod({ priorityClassName: 'low' }),
    want: false,
  },
  {
    name: 'affinity across namespaces',
    spec: { scopes: ['CrossNamespacePodAffinity'] },
    given: pod({
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z', namespaces: ['b'] }] } },
    }),
    want: true,
  },
];
for (const { name, spec, given, want } of scopes) test(`quota scope ${name}`, () => assert.equal(isInScope(spec, Pod, given), want));

test('a quota of cpu wants every container to say it, and is charged in the commit of what it counts', () => {
  const quota = object(ResourceQuota, { spec: { hard: { 'requests.cpu': '2', 'count/pods': '5' } } }, 'q');
  const objects = new ObjectMap().put(Pod, pod({}, {}, 'stored')).put(ResourceQuota, quota);
  const kinds = new Map<string, KindRef>([['pods', Pod]]);
  const ledger = new QuotaLedger({ reader: objects, kindOf: (resource) => kinds.get(resource), changed: () => {} });
  const unused = (): never => assert.fail('quotas are only replaced');
  const quotas = new ResourceQuotas(ledger, { create: unused, remove: unused, replace: (_kind, attachment) => ({ key: 'q', attachment }) });
  const write = (given: Pod, dryRun = false): string => {
    try {
      const allocation = quotas.allocate({ ...testRequest({ kind: Pod, object: given, dryRun }), lost: [] });
      if (!dryRun)
        for (const { attachment } of allocation?.ops ?? []) objects.put(Pod, given).put(ResourceQuota, attachment as ResourceQuota);
      const { status } = objects.get(ResourceQuota, { namespace: quota.metadata.namespace, name: 'q' }) ?? {};
      return JSON.stringify(status?.used ?? {});
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(
    write(pod({ containers: [{ name: 'c' }, { name: 'd' }] }, {}, 'silent')),
    'pods "silent" is forbidden: failed quota: q: must specify requests.cpu for: c,d',
  );
  const exceeded = 'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=2, limited: requests.cpu=2';
  assert.equal(write(pod({}, {}, 'a'), true), '{}');
  assert.equal(write(pod({}, {}, 'a')), '{"requests.cpu":"2","count/pods":"2"}');
  assert.equal(write(pod({}, {}, 'b')), exceeded);
  objects.put(Pod, pod({}, { status: { phase: 'Failed' } }, 'a'));
  assert.deepEqual(ledger.account(quota)?.used, { 'requests.cpu': '1', 'count/pods': '2' });
  assert.equal(write(pod({}, {}, 'b')), '{"requests.cpu":"2","count/pods":"3"}');
});
