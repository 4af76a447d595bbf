/** What is always written, and was given by nobody. Judged by upstream's API server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, create } from '../kinds/cases.test.ts';

const pod = { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] };
const rows: readonly { name: string; given: Readonly<Record<string, unknown>>; path: string; want: unknown }[] = [
  { name: 'the limits of a LimitRange', given: { apiVersion: 'v1', kind: 'LimitRange', spec: {} }, path: 'spec.limits', want: null },
  {
    name: 'limits that are an empty list',
    given: { apiVersion: 'v1', kind: 'LimitRange', spec: { limits: [] } },
    path: 'spec.limits',
    want: null,
  },
  {
    name: 'limits that are null',
    given: { apiVersion: 'v1', kind: 'LimitRange', spec: { limits: null } },
    path: 'spec.limits',
    want: null,
  },
  {
    name: 'the drivers of a CSINode',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', spec: {} },
    path: 'spec.drivers',
    want: null,
  },
  {
    name: 'the topology of a driver',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', spec: { drivers: [{ name: 'd', nodeID: 'n' }] } },
    path: 'spec.drivers[0].topologyKeys',
    want: null,
  },
  {
    name: 'the requests of a claim',
    given: { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', spec: {} },
    path: 'spec.devices.requests',
    want: null,
  },
  {
    name: 'the metrics of an autoscaler',
    given: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: { maxReplicas: 1, scaleTargetRef: { kind: 'Deployment', name: 'd' } },
    },
    path: 'status.currentMetrics',
    want: null,
  },
  {
    name: 'the rules of a Role',
    given: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', rules: [] },
    path: 'rules',
    want: null,
  },
  {
    name: 'the ports of an EndpointSlice',
    given: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
    path: 'ports',
    want: null,
  },
  {
    name: 'the sources of a projected volume',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { ...pod, volumes: [{ name: 'v', projected: {} }] } },
    path: 'spec.volumes[0].projected.sources',
    want: null,
  },
  {
    name: 'the rules of a failure policy',
    given: { apiVersion: 'batch/v1', kind: 'Job', spec: { podFailurePolicy: {}, template: { spec: pod } } },
    path: 'spec.podFailurePolicy.rules',
    want: null,
  },
  { name: 'what is left out when it is empty', given: { apiVersion: 'v1', kind: 'ConfigMap', data: {} }, path: 'data', want: undefined },
];

describe('lists that are always there', () => {
  for (const { name, given, path, want } of rows) it(name, () => assert.deepEqual(at(create(given).object, path), want));
});
