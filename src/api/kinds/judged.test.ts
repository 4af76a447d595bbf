/** Objects with one thing wrong, and all that is said of them: found by comparison with upstream's API server, which is the judge. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, type Manifest } from './cases.test.ts';

const pod = (spec: object): Manifest => ({
  apiVersion: 'v1',
  kind: 'Pod',
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }], ...spec },
});
const volume = (source: object): Manifest => pod({ volumes: [{ name: 'v', ...source }] });
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } };
const path = (more: object): Manifest => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  spec: { rules: [{ http: { paths: [more] } }] },
});

/** Each as type and field: `Required value` of `spec.a` is `spec.a: Required value`. */
const rows: readonly { name: string; given: Manifest; wrong: readonly string[] }[] = [
  {
    name: 'a selector of scopes without a scope: its list is named without an index',
    given: { apiVersion: 'v1', kind: 'ResourceQuota', spec: { hard: {}, scopeSelector: { matchExpressions: [{}] } } },
    wrong: ['spec.scopeSelector.matchExpressions.operator: Invalid value', 'spec.scopeSelector.matchExpressions.scopeName: Invalid value'],
  },
  {
    name: 'a taint without an effect: named in metadata',
    given: { apiVersion: 'v1', kind: 'Node', spec: { taints: [{ key: 'a' }] } },
    wrong: ['metadata.taints[0].effect: Required value'],
  },
  {
    name: 'a path without a type: what is behind it is not asked',
    given: path({ backend: { service: {} } }),
    wrong: ['spec.rules[0].http.paths[0].pathType: Required value'],
  },
  {
    name: 'a token that is projected to no path',
    given: pod({ serviceAccountName: 'a', volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: {} }] } }] }),
    wrong: ['spec.volumes[0].projected.path: Required value'],
  },
  {
    name: 'a file of the downward API without a path: named without an index',
    given: volume({ downwardAPI: { items: [{ fieldRef: { fieldPath: 'metadata.name' } }] } }),
    wrong: ['spec.volumes[0].downwardAPI.path: Required value'],
  },
  {
    name: 'a disk without a name: named as the field was once',
    given: volume({ gcePersistentDisk: {} }),
    wrong: ['spec.volumes[0].persistentDisk.pdName: Required value'],
  },
  {
    name: 'a host path of a wrong type, without a path',
    given: volume({ hostPath: { type: 'x' } }),
    wrong: ['spec.volumes[0].hostPath.path: Required value'],
  },
  {
    name: 'a rule for restarts without anything',
    given: pod({ containers: [{ name: 'c', image: 'i', restartPolicy: 'Never', restartPolicyRules: [{}] }] }),
    wrong: [
      'spec.containers[0].restartPolicyRules[0].action: Unsupported value',
      'spec.containers[0].restartPolicyRules[0].exitCodes: Required value',
    ],
  },
  {
    name: 'a failure policy without rules',
    given: { apiVersion: 'batch/v1', kind: 'Job', spec: { template, podFailurePolicy: {} } },
    wrong: [],
  },
  {
    name: 'hints for a zone without a name',
    given: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'], hints: { forZones: [{}] } }],
    },
    wrong: [],
  },
  {
    name: 'an empty protocol is a value, and no good one',
    given: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [{ protocol: '' }] },
    wrong: ['ports[0].protocol: Unsupported value'],
  },
  {
    name: 'a stateful set that keeps a negative number of revisions',
    given: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        revisionHistoryLimit: -1,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    },
    wrong: [],
  },
  {
    name: 'a class of priority without a policy, given as an empty text',
    given: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 1, preemptionPolicy: '' },
    wrong: ['preemptionPolicy: Required value'],
  },
  {
    name: 'a term of topology without expressions',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'a', allowedTopologies: [{}] },
    wrong: ['allowedTopologies[0].matchLabelExpressions: Duplicate value'],
  },
  {
    name: 'a class of storage whose claims go nowhere',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'a', reclaimPolicy: '' },
    wrong: [],
  },
];

describe('all that is said of an object with one thing wrong', () => {
  for (const { name, given, wrong } of rows) {
    it(name, () => {
      const said = create(given).errors.map((text) => /^\S+: [A-Z][a-z]+(?: value)?/.exec(text)?.[0] ?? text);
      assert.deepEqual(said.toSorted(), wrong.toSorted());
    });
  }
});
