/** What large objects cost: the work grows with their size, not with its square, whatever they are filled with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../meta/duration.ts';
import type { Kind } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { takeSteps } from '../meta/steps.ts';
import { validateFieldManager } from '../schema/metadata.ts';
import { applyStrategicMerge } from '../schema/strategic-merge.ts';
import { objectSchema } from '../schema/types.ts';
import { builtInKinds } from './all.ts';
import { validateObject } from './validate-object.ts';

const count = 60_000;
/** What grows with the square of the count takes longer than this; what grows with the count, a small part of it. */
const cpuMsMax = 1500;

function cpuMsOf(work: () => unknown): number {
  const before = process.threadCpuUsage().user;
  work();
  return (process.threadCpuUsage().user - before) / 1000;
}

const list = <T>(make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const names = list((i) => `n${i}`);

function validate(apiVersion: string, kindName: string, fields: object, old?: object): void {
  const found = builtInKinds.find((k) => k.kind === kindName && (k.group ? `${k.group}/${k.version}` : k.version) === apiVersion);
  assert.ok(found);
  const kind: Kind = found;
  const whole = (given: object): KubeObject =>
    ({ apiVersion, kind: kindName, metadata: { name: 'x', namespace: 'x' }, ...given }) as unknown as KubeObject;
  const object = whole(fields);
  takeSteps(validateObject(kind, object, old && whole(old)));
  kind.hooks.warnings?.(object);
  kind.hooks.cells?.(object, { nowMs: 0 });
}

const container = { name: 'c', image: 'x', imagePullPolicy: 'Always', terminationMessagePolicy: 'File', resources: {} };
const podSpec = (more: object): object => ({
  spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 1, containers: [container], ...more },
  status: {},
});
const inContainer = (more: object): object => podSpec({ containers: [{ ...container, ...more }] });
const rules = (more: object): object => ({
  spec: {
    policyName: 'x',
    validationActions: ['Deny'],
    matchResources: { resourceRules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], ...more }] },
  },
});

const rows: readonly { readonly name: string; readonly work: () => unknown }[] = [
  {
    name: 'bad keys of a ConfigMap',
    work: () => validate('v1', 'ConfigMap', { data: Object.fromEntries(names.map((n) => [`! ${n}`, ''])) }),
  },
  { name: 'bad containers', work: () => validate('v1', 'Pod', podSpec({ containers: list(() => ({})) })) },
  {
    name: 'mounts and devices',
    work: () =>
      validate(
        'v1',
        'Pod',
        inContainer({
          volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })),
          volumeDevices: names.map((name) => ({ name: `d${name}`, devicePath: `/d/${name}` })),
        }),
      ),
  },
  {
    name: 'files of a volume that lie below each other',
    work: () =>
      validate(
        'v1',
        'Pod',
        podSpec({
          volumes: [
            { name: 'v', projected: { sources: [{ configMap: { name: 'c', items: names.map((key) => ({ key, path: `a/${key}` })) } }] } },
          ],
        }),
      ),
  },
  {
    name: 'a path of slashes',
    work: () =>
      validate(
        'v1',
        'Pod',
        podSpec({ volumes: [{ name: 'v', configMap: { name: 'c', items: [{ key: 'k', path: `a${'/'.repeat(count * 10)}b` }] } }] }),
      ),
  },
  {
    name: 'a field path of brackets',
    work: () =>
      validate(
        'v1',
        'Pod',
        inContainer({ env: [{ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "['".repeat(count * 10) } } }] }),
      ),
  },
  {
    name: 'spread constraints',
    work: () =>
      validate(
        'v1',
        'Pod',
        podSpec({
          topologySpreadConstraints: names.map((topologyKey) => ({ maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' })),
        }),
      ),
  },
  {
    name: 'claims by request',
    work: () =>
      validate('v1', 'Pod', inContainer({ resources: { claims: names.map((name, i) => (i % 2 ? { name } : { name, request: 'r' })) } })),
  },
  {
    name: 'names in rules of a policy',
    work: () => validate('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', rules({ resourceNames: names })),
  },
  {
    name: 'usages of a signing request',
    work: () =>
      validate('certificates.k8s.io/v1', 'CertificateSigningRequest', {
        spec: { request: '', signerName: 'a.b/c', usages: names },
        status: {},
      }),
  },
  {
    name: 'topologies of a storage class',
    work: () =>
      validate('storage.k8s.io/v1', 'StorageClass', {
        provisioner: 'a.b/c',
        reclaimPolicy: 'Delete',
        volumeBindingMode: 'Immediate',
        allowedTopologies: [{ matchLabelExpressions: [{ key: 'a', values: names }] }],
      }),
  },
  {
    name: 'addresses that were there before',
    work: () => {
      const spec = { type: 'ClusterIP', ports: [{ port: 1, protocol: 'TCP' }], externalIPs: names };
      validate('v1', 'Service', { spec, status: {} }, { spec: { ...spec, externalIPs: names.map((n) => `o${n}`) }, status: {} });
    },
  },
  {
    name: 'one port, defined again and again',
    work: () => validate('v1', 'Pod', inContainer({ ports: list(() => ({ containerPort: 80, protocol: 'TCP' })) })),
  },
  {
    name: 'a port of the host on one address after the other',
    work: () =>
      validate('v1', 'Pod', inContainer({ ports: names.map((hostIP) => ({ containerPort: 80, hostPort: 80, protocol: 'TCP', hostIP })) })),
  },
  {
    name: 'versions of a definition that were there before',
    work: () => {
      const versions = names
        .slice(0, 4000)
        .map((name) => ({ name, served: true, storage: false, schema: { openAPIV3Schema: { type: 'object', title: name } } }));
      const spec = { group: 'a.b', scope: 'Cluster', names: { plural: 'x', kind: 'X' }, versions };
      const definition = { spec, status: { conditions: [], storedVersions: [] } };
      validate('apiextensions.k8s.io/v1', 'CustomResourceDefinition', definition, definition);
    },
  },
  { name: 'an address of dots', work: () => validate('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: 'a.'.repeat(count * 10) }] }] }) },
  { name: 'the name of a field manager', work: () => validateFieldManager('\u0001'.repeat(count * 10), 'x') },
  { name: 'a duration of digits', work: () => assert.equal(parseDuration('1'.repeat(count)), undefined) },
  {
    name: 'a strategic merge of a list with itself turned round',
    work: () => {
      const owners = names.map((uid) => ({ uid, name: 'o' }));
      const metadata = { name: 'x', ownerReferences: owners };
      const patch = {
        metadata: { ownerReferences: owners.toReversed(), '$setElementOrder/ownerReferences': owners.toReversed(), finalizers: names },
      };
      applyStrategicMerge(objectSchema('io.k8s.api.core.v1.ConfigMap'), { metadata: { ...metadata, finalizers: names } }, patch);
    },
  },
  {
    name: 'a strategic merge that deletes item by item',
    work: () => {
      const metadata = { ownerReferences: names.map((uid) => ({ uid })), finalizers: names };
      const patch = {
        metadata: {
          ownerReferences: names.map((uid) => ({ uid, $patch: 'delete' })),
          '$deleteFromPrimitiveList/finalizers': names.toReversed(),
        },
      };
      const merged = applyStrategicMerge(objectSchema('io.k8s.api.core.v1.ConfigMap'), { metadata }, patch);
      assert.deepEqual(merged, { metadata: { ownerReferences: [], finalizers: [] } });
    },
  },
];

test('the work on a large object grows with its size only', async (t) => {
  for (const { name, work } of rows) {
    await t.test(name, () => {
      const spent = cpuMsOf(work);
      assert.ok(spent < cpuMsMax, `${Math.round(spent)} ms`);
    });
  }
});
