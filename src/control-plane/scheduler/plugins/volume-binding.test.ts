import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  hostname,
  isHelped,
  testFacts,
  testNode,
  testSelector,
  testTable,
  verdictOf,
  verdictsOf,
} from '../../../../test/kit/scheduler-objects.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../api/generated/kinds.ts';
import type { PodVolumes } from './plan-pod-volumes.ts';
import { type BindableVolumes, volumeBinding } from './volume-binding.ts';

const claim = (name: string, spec: object = {}, more: object = {}): PersistentVolumeClaim =>
  ({ metadata: { name, namespace: 'default', uid: name, ...more }, spec, status: { phase: 'Pending' } }) as never;
const bound = (name: string, volumeName: string): PersistentVolumeClaim => ({ ...claim(name, { volumeName }), status: { phase: 'Bound' } });
const volume = (name: string, nodeAffinity?: object): PersistentVolume => ({ metadata: { name }, spec: { nodeAffinity } }) as never;
const onA = { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostname, operator: 'In', values: ['a'] }] }] } };
const late = (name: string, provisioner: string, more: object = {}): StorageClass =>
  ({ metadata: { name }, provisioner, volumeBindingMode: 'WaitForFirstConsumer', ...more }) as unknown as StorageClass;
const onlyInB = { allowedTopologies: [{ matchLabelExpressions: [{ key: hostname, values: ['b'] }] }] };
const classes = [late('late', 'kubernetes.io/no-provisioner'), late('made', 'example.com/x'), late('made-in-b', 'example.com/x', onlyInB)];
const free = (name: string, storage: string, more: object = {}): PersistentVolume =>
  ({
    metadata: { name },
    spec: { storageClassName: 'kept', capacity: { storage }, accessModes: ['ReadWriteOnce'], ...more },
    status: { phase: 'Available' },
  }) as unknown as PersistentVolume;
const sized = (name: string, storageClassName: string, storage: string, more: object = {}): PersistentVolumeClaim =>
  claim(name, { storageClassName, accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } }, more);
const owner = { ownerReferences: [{ uid: 'pod', controller: true }] };

const claims = [
  claim('unbound'),
  claim('named', { volumeName: 'free' }),
  claim('named-late', { volumeName: 'free', storageClassName: 'late' }),
  claim('late', { storageClassName: 'late' }),
  claim('late-of-old', {}, { annotations: { 'volume.beta.kubernetes.io/storage-class': 'late' } }),
  sized('small', 'kept', '1Gi'),
  sized('large', 'kept', '5Gi'),
  sized('too-large', 'kept', '50Gi'),
  sized('made', 'made', '1Gi'),
  sized('made-in-b', 'made-in-b', '1Gi'),
  sized('chosen', 'made', '1Gi', { annotations: { 'volume.kubernetes.io/selected-node': 'b' } }),
  claim('of-no-class', { storageClassName: 'nowhere' }),
  claim('leaving', { volumeName: 'free' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  { ...claim('lost', { volumeName: 'gone' }), status: { phase: 'Lost' } } as PersistentVolumeClaim,
  bound('bound', 'free'),
  bound('local', 'local'),
  bound('gone', 'gone'),
  { ...bound('pod-own', 'free'), metadata: { ...claim('pod-own').metadata, ...owner } } as unknown as PersistentVolumeClaim,
  bound('pod-other', 'free'),
];
const reserved: [PodVolumes, string][] = [];
const volumes: BindableVolumes = {
  claim: (namespace, name) => (namespace === 'default' ? claims.find(({ metadata }) => metadata.name === name) : undefined),
  volume: (name) => [volume('free'), volume('local', onA)].find(({ metadata }) => metadata.name === name),
  storageClass: (name) => [...classes, late('kept', 'kubernetes.io/no-provisioner')].find(({ metadata }) => metadata.name === name),
  volumesOfClass: (name) => (name === 'kept' ? [free('ten', '10Gi'), free('five-a', '5Gi', { nodeAffinity: onA })] : []),
  reserve: (...given) => {
    reserved.push(given);
    return { preBind: async () => undefined, release: () => undefined };
  },
};
const plugin = volumeBinding(volumes);
const nodes = { nodes: { a: {}, b: {} } };
const pod = (...names: string[]) =>
  testFacts('pod', { volumes: names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) });
const ephemeral = (name: string) => testFacts('pod', { volumes: [{ name, ephemeral: {} }] as never });
const unbound = 'pod has unbound immediate PersistentVolumeClaims';
const elsewhere = "node(s) didn't match PersistentVolume's node affinity";
const noVolume = "node(s) didn't find available persistent volumes to bind";

describe('VolumeBinding', () => {
  const table = [
    { name: 'no volumes', given: testFacts('pod'), want: 'ok ok' },
    { name: 'volumes without claims', given: testFacts('pod', { volumes: [{ name: 'v', emptyDir: {} }] }), want: 'ok ok' },
    { name: 'a bound claim', given: pod('bound'), want: 'ok ok' },
    { name: 'no claim', given: pod('nothing'), want: 'persistentvolumeclaim "nothing" not found' },
    { name: 'a claim that waits', given: pod('unbound'), want: unbound },
    { name: 'one that is bound, and one that waits', given: pod('bound', 'unbound'), want: unbound },
    {
      name: 'one that waits, and one that is not there',
      given: pod('unbound', 'nothing'),
      want: 'persistentvolumeclaim "nothing" not found',
    },
    { name: 'a claim that only names its volume', given: pod('named'), want: unbound },
    { name: 'the same, of a class that waits', given: pod('named-late'), want: unbound },
    { name: 'a class that is not there', given: pod('of-no-class'), want: unbound },
    { name: 'a class that waits for its consumer', given: pod('late'), want: `${noVolume} ${noVolume}` },
    { name: 'the same, named as of old', given: pod('late-of-old'), want: `${noVolume} ${noVolume}` },
    { name: 'a free volume that waits for its consumer', given: pod('small'), want: 'ok ok' },
    { name: 'two claims, where one node reaches two volumes', given: pod('large', 'small'), want: `ok ${noVolume}` },
    { name: 'more than any volume has', given: pod('too-large'), want: `${noVolume} ${noVolume}` },
    { name: 'a class that somebody makes volumes of', given: pod('made'), want: 'ok ok' },
    { name: 'the same, in some places', given: pod('made-in-b'), want: `${noVolume} ok` },
    { name: 'the same, when the place has been chosen', given: pod('chosen'), want: `${noVolume} ok` },
    { name: 'a volume of one node, and none to bind', given: pod('local', 'late'), want: `${noVolume} ${elsewhere}, ${noVolume}` },
    { name: 'a claim that leaves', given: pod('leaving'), want: 'persistentvolumeclaim "leaving" is being deleted' },
    { name: 'a lost claim', given: pod('lost'), want: 'persistentvolumeclaim "lost" bound to non-existent persistentvolume "gone"' },
    {
      name: 'a volume that is gone',
      given: pod('gone'),
      want: Array(2).fill('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)').join(' '),
    },
    { name: 'a volume of one node', given: pod('local'), want: "ok node(s) didn't match PersistentVolume's node affinity" },
    {
      name: 'an ephemeral volume without its claim',
      given: ephemeral('v'),
      want: 'waiting for ephemeral volume controller to create the persistentvolumeclaim "pod-v"',
    },
    { name: 'an ephemeral volume', given: ephemeral('own'), want: 'ok ok' },
    {
      name: "an ephemeral volume with another's claim",
      given: ephemeral('other'),
      want: 'PVC default/pod-other was not created for pod default/pod (pod is not owner)',
    },
  ];
  for (const { name, given, want } of table) {
    it(name, () => {
      const { a, b } = verdictsOf(plugin, nodes, given);
      assert.equal(a === b && want !== 'ok ok' && !want.startsWith(`${a} `) ? a : `${a} ${b}`, want);
    });
  }

  it('holds what it has chosen', () => {
    const chosen = (nodeName: string, ...names: string[]): unknown => {
      reserved.length = 0;
      const node = testTable(nodes).get(nodeName) ?? assert.fail();
      plugin.reserve?.(pod(...names), node);
      return reserved.map(([{ bindings, provisions }, at]) => [
        ...bindings.map((each) => `${each.claim.metadata.name}=${each.volume.metadata.name}`),
        ...provisions.map(({ metadata }) => `${metadata.name}@${at}`),
      ]);
    };
    assert.deepEqual(chosen('a', 'large', 'small', 'made'), [['small=five-a', 'large=ten', 'made@a']]);
    assert.deepEqual(chosen('b', 'small', 'chosen'), [['small=ten', 'chosen@b']]);
    assert.deepEqual(chosen('b', 'bound'), []);
  });

  it("tells why in upstream's words", () => {
    const selector = testSelector(testTable(nodes), { plugins: [plugin] });
    assert.equal(verdictOf(selector, pod('unbound')), `0/2 nodes are available: ${unbound}.`);
    assert.equal(verdictOf(selector, pod('late')), `0/2 nodes are available: 2 ${noVolume}.`);
  });

  it('tries again when its claim changes, a volume, or a node', () => {
    const waitingPod = pod('unbound');
    const elsewhere = claim('unbound', {}, { namespace: 'other' });
    assert.equal(isHelped(plugin, waitingPod, { type: 'claim-changed', claim: claim('unbound') }), true);
    assert.equal(isHelped(plugin, waitingPod, { type: 'claim-changed', claim: claim('bound') }), false);
    assert.equal(isHelped(plugin, waitingPod, { type: 'claim-changed', claim: elsewhere }), false);
    assert.equal(isHelped(plugin, ephemeral('v'), { type: 'claim-changed', claim: claim('pod-v') }), true);
    assert.equal(isHelped(plugin, waitingPod, { type: 'volumes-changed' }), true);
    assert.equal(isHelped(plugin, waitingPod, { type: 'node-added', node: testNode('c') }), true);
  });
});
