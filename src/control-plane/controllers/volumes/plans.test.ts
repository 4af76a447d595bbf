/** What is next for claims and volumes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../api/generated/kinds.ts';
import { type ClaimStep, nextClaimStatus, planClaim } from './plan-claim.ts';
import { planVolume } from './plan-volume.ts';

interface Given {
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly deletionTimestamp?: string;
  readonly uid?: string;
  readonly phase?: string;
  readonly [spec: string]: unknown;
}

function object(name: string, { annotations, labels, deletionTimestamp, uid = `${name}-uid`, phase, ...spec }: Given): never {
  const metadata = { name, namespace: 'default', uid, ...(annotations && { annotations }), ...(labels && { labels }) };
  return { metadata: { ...metadata, ...(deletionTimestamp && { deletionTimestamp }) }, spec, status: { phase } } as never;
}
const rwo = ['ReadWriteOnce'];
const claim = (spec: Given = {}): PersistentVolumeClaim =>
  object('data', { accessModes: rwo, resources: { requests: { storage: '5Gi' } }, storageClassName: '', phase: 'Pending', ...spec });
const volume = (name: string, spec: Given = {}): PersistentVolume =>
  object(name, { accessModes: rwo, capacity: { storage: '10Gi' }, phase: 'Available', ...spec });
const kept = { namespace: 'default', name: 'data' };
const ref = (uid: string, name = 'data') => ({ ...kept, name, uid });
const classes = [
  { metadata: { name: 'now' }, provisioner: 'example.com/x', volumeBindingMode: 'Immediate' },
  { metadata: { name: 'late' }, provisioner: 'example.com/x', volumeBindingMode: 'WaitForFirstConsumer' },
  { metadata: { name: 'old' }, provisioner: 'kubernetes.io/aws-ebs', volumeBindingMode: 'Immediate' },
] as unknown as readonly StorageClass[];

const describeStep = (step: ClaimStep): string => {
  if (step.do === 'bind') return `bind ${step.volume.metadata.name}`;
  if (step.do === 'adopt class') return `class ${step.className}`;
  if (step.do === 'provision') return `ask ${step.provisioner}`;
  return step.event ? `${step.do}: ${step.event.type} ${step.event.reason} ${step.event.message}` : step.do;
};

describe('the next step of a claim', () => {
  const none = 'wait: Normal FailedBinding no persistent volumes available for this claim and no storage class is set';
  const mismatch = (why: string) => `wait: Warning VolumeMismatch Cannot bind to requested volume "v": ${why}`;
  const late = claim({ storageClassName: 'late' });
  const done = { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' }, phase: 'Bound' };
  const noClass = claim();
  const { storageClassName: _, ...unsaid } = noClass.spec;
  interface Row {
    readonly name: string;
    readonly given?: PersistentVolumeClaim;
    readonly volumes?: readonly PersistentVolume[];
    readonly pods?: readonly string[];
    readonly fallback?: boolean;
    readonly want: string;
  }
  const table: readonly Row[] = [
    { name: 'no volume and no class', want: none },
    { name: 'a volume that does', volumes: [volume('v')], want: 'bind v' },
    {
      name: 'the smallest that does',
      volumes: [volume('ten'), volume('six', { capacity: { storage: '6Gi' } }), volume('one', { capacity: { storage: '1Gi' } })],
      want: 'bind six',
    },
    {
      name: 'the fewest access modes, then the size',
      volumes: [volume('six', { capacity: { storage: '6Gi' }, accessModes: ['ReadWriteMany', ...rwo] }), volume('ten')],
      want: 'bind ten',
    },
    {
      name: 'one that is kept for it goes before',
      volumes: [volume('six', { capacity: { storage: '6Gi' } }), volume('kept', { claimRef: kept })],
      want: 'bind kept',
    },
    { name: 'one that is kept for another of its name', volumes: [volume('v', { claimRef: ref('other') })], want: none },
    { name: 'another access mode', volumes: [volume('v', { accessModes: ['ReadOnlyMany'] })], want: none },
    { name: 'another mode', volumes: [volume('v', { volumeMode: 'Block' })], want: none },
    { name: 'another class', volumes: [volume('v', { storageClassName: 'now' })], want: none },
    { name: 'other attributes', volumes: [volume('v', { volumeAttributesClassName: 'fast' })], want: none },
    { name: 'one that leaves', volumes: [volume('v', { deletionTimestamp: 'now' })], want: none },
    { name: 'one that is not free yet', volumes: [volume('v', { phase: 'Pending' })], want: none },
    {
      name: 'labels that the claim does not select',
      given: claim({ selector: { matchLabels: { a: 'b' } } }),
      volumes: [volume('v')],
      want: none,
    },
    {
      name: 'labels that it selects',
      given: claim({ selector: { matchLabels: { a: 'b' } } }),
      volumes: [volume('v', { labels: { a: 'b' } })],
      want: 'bind v',
    },
    { name: 'a class whose volumes are made', given: claim({ storageClassName: 'now' }), want: 'ask example.com/x' },
    {
      name: 'a class of old',
      given: claim({ storageClassName: 'old' }),
      want: 'wait: Warning ProvisioningFailed no volume plugin matched',
    },
    {
      name: 'a class that is not there',
      given: claim({ storageClassName: 'x' }),
      want: 'wait: Warning ProvisioningFailed storageclass.storage.k8s.io "x" not found',
    },
    {
      name: 'a class that waits',
      given: late,
      want: 'wait: Normal WaitForFirstConsumer waiting for first consumer to be created before binding',
    },
    { name: 'the same, with a pod', given: late, pods: ['a'], want: 'wait: Normal WaitForPodScheduled waiting for pod a to be scheduled' },
    {
      name: 'the same, with two',
      given: late,
      pods: ['a', 'b'],
      want: 'wait: Normal WaitForPodScheduled waiting for pods a,b to be scheduled',
    },
    {
      name: 'the same, with a free volume: the scheduler chooses',
      given: late,
      volumes: [volume('v', { storageClassName: 'late' })],
      pods: ['a'],
      want: 'wait: Normal WaitForPodScheduled waiting for pod a to be scheduled',
    },
    {
      name: 'the same, with a volume that the scheduler has chosen',
      given: late,
      volumes: [volume('v', { storageClassName: 'late', claimRef: ref('data-uid') })],
      want: 'bind v',
    },
    {
      name: 'the same, with a node that it has chosen',
      given: claim({ storageClassName: 'late', annotations: { 'volume.kubernetes.io/selected-node': 'n' } }),
      want: 'ask example.com/x',
    },
    { name: 'nothing said of a class, and a default', given: { ...noClass, spec: unsaid }, fallback: true, want: 'class now' },
    { name: 'no class, and a default', fallback: true, want: none },
    { name: 'a volume that it names', given: claim({ volumeName: 'v' }), volumes: [volume('v')], want: 'bind v' },
    { name: 'one that is not there', given: claim({ volumeName: 'v' }), want: 'wait' },
    {
      name: 'one of somebody else',
      given: claim({ volumeName: 'v' }),
      volumes: [volume('v', { claimRef: ref('o', 'other') })],
      want: 'wait: Warning FailedBinding volume "v" already bound to a different claim.',
    },
    {
      name: 'one that is too small',
      given: claim({ volumeName: 'v' }),
      volumes: [volume('v', { capacity: { storage: '1Gi' } })],
      want: mismatch('requested PV is too small'),
    },
    {
      name: 'one of another class',
      given: claim({ volumeName: 'v' }),
      volumes: [volume('v', { storageClassName: 'x' })],
      want: mismatch('storageClassName does not match'),
    },
    {
      name: 'one of another mode',
      given: claim({ volumeName: 'v' }),
      volumes: [volume('v', { volumeMode: 'Block' })],
      want: mismatch('incompatible volumeMode'),
    },
    {
      name: 'one of other access',
      given: claim({ volumeName: 'v' }),
      volumes: [volume('v', { accessModes: ['ReadOnlyMany'] })],
      want: mismatch('incompatible accessMode'),
    },
    { name: 'bound', given: claim({ ...done, volumeName: 'v' }), volumes: [volume('v', { claimRef: ref('data-uid') })], want: 'bind v' },
    { name: 'bound, and its volume forgot it', given: claim({ ...done, volumeName: 'v' }), volumes: [volume('v')], want: 'bind v' },
    {
      name: 'bound to a volume that is gone',
      given: claim({ ...done, volumeName: 'v' }),
      want: 'lose: Warning ClaimLost Bound claim has lost its PersistentVolume. Data on the volume is lost!',
    },
    {
      name: 'bound to none',
      given: claim(done),
      want: 'lose: Warning ClaimLost Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    },
    {
      name: "bound to another's",
      given: claim({ ...done, volumeName: 'v' }),
      volumes: [volume('v', { claimRef: ref('other') })],
      want: 'lose: Warning ClaimMisbound Two claims are bound to the same volume, this one is bound incorrectly',
    },
  ];
  for (const { name, given = noClass, volumes = [], pods = [], fallback, want } of table) {
    it(name, () => {
      const step = planClaim(given, {
        volume: (wanted) => volumes.find(({ metadata }) => metadata.name === wanted),
        volumes: () => volumes,
        storageClass: (wanted) => classes.find(({ metadata }) => metadata.name === wanted),
        defaultClass: () => (fallback ? classes[0] : undefined),
        waitingPods: () => pods,
      });
      assert.equal(describeStep(step), want);
    });
  }

  it('has of its volume what the volume has, and its size only once', () => {
    const made = volume('v', { accessModes: ['ReadWriteMany'] });
    const bound = nextClaimStatus(claim(), 'Bound', made);
    assert.deepEqual(bound, { phase: 'Bound', accessModes: ['ReadWriteMany'], capacity: { storage: '10Gi' } });
    const larger = volume('v', { capacity: { storage: '20Gi' } });
    assert.deepEqual(nextClaimStatus({ ...claim(), status: bound }, 'Bound', larger).capacity, { storage: '10Gi' });
    assert.deepEqual(nextClaimStatus({ ...claim(), status: bound }, 'Lost'), { phase: 'Lost' });
  });
});

describe('the next step of a volume', () => {
  const made = { 'pv.kubernetes.io/provisioned-by': 'example.com/x' };
  const ours = { 'pv.kubernetes.io/bound-by-controller': 'yes' };
  const taken = { claimRef: ref('data-uid'), phase: 'Bound' };
  const elsewhere = claim({ volumeName: 'other' });
  const released = { claimRef: ref('gone'), phase: 'Released' };
  const deleted = { persistentVolumeReclaimPolicy: 'Delete' };
  const failed = (reason: string, message: string) => ({ phase: 'Failed', event: { type: 'Warning', reason, message } });
  const table = [
    { name: 'free', given: volume('v', { phase: 'Pending' }), want: { phase: 'Available' } },
    { name: 'kept for a claim', given: volume('v', { claimRef: kept }), want: { phase: 'Available' } },
    { name: 'bound', given: volume('v', taken), of: claim({ volumeName: 'v' }), want: { phase: 'Bound' } },
    { name: 'half bound: the claim finishes it', given: volume('v', taken), of: claim(), want: {} },
    { name: 'its claim is gone', given: volume('v', taken), want: { phase: 'Released' } },
    {
      name: 'its claim has got another',
      given: volume('v', { ...taken, annotations: ours }),
      of: elsewhere,
      want: { unbind: 'free', phase: 'Available' },
    },
    { name: 'the same, and somebody kept it', given: volume('v', taken), of: elsewhere, want: { unbind: 'kept', phase: 'Available' } },
    {
      name: 'the same, and it was made for it',
      given: volume('v', { ...taken, ...deleted, annotations: made }),
      of: elsewhere,
      want: { phase: 'Released' },
    },
    { name: 'released and retained', given: volume('v', { ...released, persistentVolumeReclaimPolicy: 'Retain' }), want: {} },
    { name: "released, and its provisioner's to delete", given: volume('v', { ...released, ...deleted, annotations: made }), want: {} },
    { name: "released, and its driver's to delete", given: volume('v', { ...released, ...deleted, csi: {} }), want: {} },
    {
      name: "released, and nobody's to delete",
      given: volume('v', { ...released, ...deleted }),
      want: failed('VolumeFailedDelete', 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched'),
    },
    {
      name: 'released, to be recycled',
      given: volume('v', { ...released, persistentVolumeReclaimPolicy: 'Recycle' }),
      want: failed('VolumeFailedRecycle', 'No recycler plugin found for the volume!'),
    },
  ];
  for (const { name, given, of, want } of table) it(name, () => assert.deepEqual(planVolume(given, of), want));

  it('that is of another mode than its claim is told to both', () => {
    const { event, claimEvent } = planVolume(volume('v', { ...taken, volumeMode: 'Block' }), claim());
    assert.match(
      event?.message ?? '',
      /^Cannot bind PersistentVolume to requested PersistentVolumeClaim "data" due to incompatible volumeMode\.$/,
    );
    assert.match(
      claimEvent?.message ?? '',
      /^Cannot bind PersistentVolume "v" to requested PersistentVolumeClaim due to incompatible volumeMode\.$/,
    );
  });
});
