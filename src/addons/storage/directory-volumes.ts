/**
 * Makes, enlarges and deletes the volumes of the default class. A volume is a directory on the node that the scheduler
 * has chosen (choose-node.ts: where none is asked), and a `local` PersistentVolume that only that node reaches.
 *
 * Guarantees: a claim has at most one volume, by its uid; a volume's object stays until its directory is gone; what can't
 * be made or removed is told as an event, and tried again.
 * What it does not do: holding a volume to its size (the file system's own limit is all there is), block devices,
 * snapshots, clones.
 * Upstream: kubernetes-sigs/sig-storage-lib-external-provisioner, whose annotations and events these are.
 */
import { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/kinds.ts';
import { keyOf, type ObjectKey } from '../../api/meta/object.ts';
import { compareQuantities } from '../../api/meta/quantity.ts';
import { isAlreadyExists, isNotFound, messageOf } from '../../api/meta/status-error.ts';
import { hostnameLabel } from '../../api/meta/well-known.ts';
import {
  claimRefOf,
  isVolumeOf,
  provisionedBy,
  provisionerFinalizer,
  selectedNode,
  storageProvisioner,
} from '../../api/predicates/claim-matching.ts';
import { classNameOf, storageRequestOf } from '../../api/predicates/claims.ts';
import type { Client } from '../../client/client.ts';
import { type Controller, type ControllerIO, defineController, watched } from '../../client/controllers/controller.ts';
import type { VolumeDirectories } from '../addon.ts';
import { chooseNode, nodeAnnotation, takesPods } from './choose-node.ts';
import { directoryProvisioner } from './standard-class.ts';

const isOurs = ({ metadata }: PersistentVolume): boolean => metadata.annotations?.[provisionedBy] === directoryProvisioner;

/** Why no volume can be made for a claim, for good. */
function refusal({ spec }: PersistentVolumeClaim): string | undefined {
  if (spec.volumeMode === 'Block') return 'directories are no block devices: take volumeMode Filesystem';
  if (spec.dataSource ?? spec.dataSourceRef) return 'directories are not made from other volumes or snapshots yet';
  return spec.selector ? 'claim.Spec.Selector is not supported' : undefined;
}

export function directoryControllers(directories: VolumeDirectories): readonly Controller[] {
  return [
    defineController({
      name: directoryProvisioner,
      watches: [
        watched(PersistentVolumeClaim),
        watched(PersistentVolume, () => []),
        watched(StorageClass, () => []),
        watched(Node, (node, old, { client }) => (takesPods(node) && !(old && takesPods(old)) ? waitingForNodes(client) : [])),
      ],
      reconcile: (key, io) => reconcileClaim(key, directories, io),
    }),
    defineController({
      name: `${directoryProvisioner}-remover`,
      watches: [watched(PersistentVolume)],
      reconcile: (key, io) => reconcileVolume(key, directories, io),
    }),
  ];
}

const isOurClaim = ({ metadata }: PersistentVolumeClaim): boolean => metadata.annotations?.[storageProvisioner] === directoryProvisioner;

const waitingForNodes = (client: Client): readonly ObjectKey[] =>
  client
    .informer(PersistentVolumeClaim)
    .index('without-node', (claim) => (isOurClaim(claim) && !claim.spec.volumeName ? [''] : []))('')
    .map(keyOf);

async function reconcileClaim(key: ObjectKey, directories: VolumeDirectories, io: ControllerIO): Promise<void> {
  const { client } = io;
  const claim = client.informer(PersistentVolumeClaim).get(key);
  if (!claim) return;
  if (claim.spec.volumeName) return await enlarge(claim, io);
  if (!isOurClaim(claim) || claim.metadata.deletionTimestamp) return;
  await provision(claim, directories, io);
}

async function provision(claim: PersistentVolumeClaim, directories: VolumeDirectories, io: ControllerIO): Promise<void> {
  const { client, events } = io;
  const className = classNameOf(claim);
  const storageClass = client.informer(StorageClass).get(className);
  const name = `pvc-${claim.metadata.uid}`;
  if (storageClass?.provisioner !== directoryProvisioner || client.informer(PersistentVolume).get(name)) return;
  const fail = (why: string): void =>
    events.event(claim, 'Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass "${className}": ${why}`);
  const refused = refusal(claim);
  if (refused !== undefined) return fail(refused);
  const waits = storageClass.volumeBindingMode === 'WaitForFirstConsumer';
  const nodes = client.informer(Node).list();
  const choose = (): string | undefined => (waits ? undefined : chooseNode(nodes, client.informer(PersistentVolume).list(), storageClass));
  const nodeName = claim.metadata.annotations?.[selectedNode] ?? choose();
  if (nodeName === undefined) return waits ? undefined : fail('no node is ready to take it');
  const node = client.informer(Node).get(nodeName);
  if (!node) {
    fail(`node "${nodeName}" not found`);
    return await chooseAgain(claim, io);
  }
  events.event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${keyOf(claim)}"`);
  let path: string;
  try {
    path = await directories.make(nodeName, name);
  } catch (error) {
    fail(messageOf(error));
    if (!waits) throw error;
    return await chooseAgain(claim, io);
  }
  const policy = storageClass.reclaimPolicy ?? 'Delete';
  const values = [node.metadata.labels?.[hostnameLabel] ?? nodeName];
  try {
    await client.create(PersistentVolume, {
      metadata: {
        name,
        annotations: { [provisionedBy]: directoryProvisioner, [nodeAnnotation]: nodeName },
        ...(policy === 'Delete' && { finalizers: [provisionerFinalizer] }),
      },
      spec: {
        accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
        capacity: { storage: storageRequestOf(claim) },
        storageClassName: className,
        persistentVolumeReclaimPolicy: policy,
        claimRef: claimRefOf(claim),
        local: { path },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostnameLabel, operator: 'In', values }] }] } },
      },
    });
  } catch (error) {
    if (isAlreadyExists(error)) return;
    throw error;
  }
  events.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`);
}

/** So that the scheduler may choose another node, or this add-on does. */
async function chooseAgain(claim: PersistentVolumeClaim, { client }: ControllerIO): Promise<void> {
  const { [selectedNode]: _, ...annotations } = claim.metadata.annotations ?? {};
  await client.update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations } });
}

/** At once: a directory has the room of its file system. */
async function enlarge(claim: PersistentVolumeClaim, { client, events }: ControllerIO): Promise<void> {
  const volume = client.informer(PersistentVolume).get(claim.spec.volumeName ?? '');
  if (claim.status?.phase !== 'Bound' || !volume || !isOurs(volume) || !isVolumeOf(volume, claim)) return;
  const storage = storageRequestOf(claim);
  if (compareQuantities(storage, claim.status.capacity?.['storage'] ?? '0') <= 0) return;
  if (compareQuantities(storage, volume.spec.capacity?.['storage'] ?? '0') > 0)
    await client.update(PersistentVolume, { ...volume, spec: { ...volume.spec, capacity: { storage } } });
  const { capacity, allocatedResources } = claim.status;
  const status = { ...claim.status, capacity: { ...capacity, storage }, allocatedResources: { ...allocatedResources, storage } };
  await client.update(PersistentVolumeClaim, { ...claim, status }, { subresource: 'status' });
  events.event(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded');
}

async function reconcileVolume(key: ObjectKey, directories: VolumeDirectories, { client, events }: ControllerIO): Promise<void> {
  const volume = client.informer(PersistentVolume).get(key);
  if (!volume || !isOurs(volume)) return;
  const { metadata, spec, status } = volume;
  const isLeaving = metadata.deletionTimestamp !== undefined;
  const isReleased = status?.phase === 'Released' || status?.phase === 'Failed' || (isLeaving && !spec.claimRef);
  const isDeleted = spec.persistentVolumeReclaimPolicy === 'Delete';
  if (!(isReleased && isDeleted) && !(isLeaving && !isDeleted)) return;
  try {
    if (isDeleted) await directories.remove(metadata.annotations?.[nodeAnnotation] ?? '', metadata.name);
  } catch (error) {
    events.event(volume, 'Warning', 'VolumeFailedDelete', messageOf(error));
    throw error;
  }
  try {
    const finalizers = metadata.finalizers?.filter((each) => each !== provisionerFinalizer) ?? [];
    if (finalizers.length !== (metadata.finalizers?.length ?? 0))
      await client.update(PersistentVolume, { ...volume, metadata: { ...metadata, finalizers } });
    if (!isLeaving) await client.delete(PersistentVolume, { name: metadata.name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
