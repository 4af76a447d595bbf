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
import { type Volumes, volumeBinding } from './volume-binding.ts';

const claim = (name: string, spec: object = {}, more: object = {}): PersistentVolumeClaim =>
  ({ metadata: { name, namespace: 'default', uid: name, ...more }, spec, status: { phase: 'Pending' } }) as never;
const bound = (name: string, volumeName: string): PersistentVolumeClaim => ({ ...claim(name, { volumeName }), status: { phase: 'Bound' } });
const volume = (name: string, nodeAffinity?: object): PersistentVolume => ({ metadata: { name }, spec: { nodeAffinity } }) as never;
const onA = { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostname, operator: 'In', values: ['a'] }] }] } };
const waiting = { metadata: { name: 'late' }, volumeBindingMode: 'WaitForFirstConsumer' } as unknown as StorageClass;
const owner = { ownerReferences: [{ uid: 'pod', controller: true }] };

const claims = [
  claim('unbound'),
  claim('named', { volumeName: 'free' }),
  claim('named-late', { volumeName: 'free', storageClassName: 'late' }),
  claim('late', { storageClassName: 'late' }),
  claim('late-of-old', {}, { annotations: { 'volume.beta.kubernetes.io/storage-class': 'late' } }),
  claim('of-no-class', { storageClassName: 'nowhere' }),
  claim('leaving', { volumeName: 'free' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  { ...claim('lost', { volumeName: 'gone' }), status: { phase: 'Lost' } } as PersistentVolumeClaim,
  bound('bound', 'free'),
  bound('local', 'local'),
  bound('gone', 'gone'),
  { ...bound('pod-own', 'free'), metadata: { ...claim('pod-own').metadata, ...owner } } as unknown as PersistentVolumeClaim,
  bound('pod-other', 'free'),
];
const volumes: Volumes = {
  claim: (namespace, name) => (namespace === 'default' ? claims.find(({ metadata }) => metadata.name === name) : undefined),
  volume: (name) => [volume('free'), volume('local', onA)].find(({ metadata }) => metadata.name === name),
  storageClass: (name) => (name === 'late' ? waiting : undefined),
};
const plugin = volumeBinding(volumes);
const nodes = { nodes: { a: {}, b: {} } };
const pod = (...names: string[]) =>
  testFacts('pod', { volumes: names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) });
const ephemeral = (name: string) => testFacts('pod', { volumes: [{ name, ephemeral: {} }] as never });
const unbound = 'pod has unbound immediate PersistentVolumeClaims';
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
