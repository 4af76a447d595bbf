/**
 * Binds claims to volumes, says how both are, and releases volumes whose claim is gone. Its keys are claims
 * (`namespace/name`) and volumes (`name`); it takes one at a time, so that no two claims choose one volume.
 *
 * Guarantees: a binding is written to the volume first, then to the claim; one that breaks off in between is finished,
 * or undone when the claim has got another volume. No volume is released before the server has said that its claim is gone.
 * What it does not do: making, enlarging and deleting volumes, which is left to provisioners; recycling, which is told.
 * Upstream: pkg/controller/volume/persistentvolume.
 */
import { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { bindCompleted, boundByController, storageProvisioner, volumeClassOf, withClaim } from '../../../api/predicates/claim-matching.ts';
import { claimKeysOf, classNameOf } from '../../../api/predicates/claims.ts';
import { defaultStorageClassOf } from '../../../api/predicates/default-class.ts';
import { isPodTerminal } from '../../../api/predicates/pod-state.ts';
import type { Client } from '../../../client/client.ts';
import { type ControllerIO, defineController, watched } from '../../../client/controllers/controller.ts';
import { nextClaimStatus, planClaim, type TellEvent } from './plan-claim.ts';
import { planVolume } from './plan-volume.ts';

export const volumeBinder = defineController({
  name: 'persistentvolume-binder-controller',
  serviceAccount: 'persistent-volume-binder',
  watches: [
    watched(PersistentVolumeClaim, (claim, _old, { client }) => [keyOf(claim), ...volumesOf(claim, client)]),
    watched(PersistentVolume, (volume, old, { client }) => [keyOf(volume), ...claimsConcerned(volume, old, client)]),
    watched(StorageClass, ({ metadata }, _old, { client }) => [...waitingFor(metadata.name, client), ...waitingFor('', client)]),
    watched(Pod, (pod, old, { client }) => (old ? [] : claimKeysOf(pod).filter((key) => isUnbound(claims(client).get(key))))),
  ],
  async reconcile(key, io) {
    const claim = claims(io.client).get(key);
    if (claim) return await reconcileClaim(claim, io);
    const volume = volumes(io.client).get(key);
    if (volume) await reconcileVolume(volume, io);
  },
});

const claims = (client: Client) => client.informer(PersistentVolumeClaim);
const volumes = (client: Client) => client.informer(PersistentVolume);
const isUnbound = (claim: PersistentVolumeClaim | undefined): boolean => claim !== undefined && claim.status?.phase !== 'Bound';

/** Claims without a volume, by the name of their class. */
const waitingFor = (className: string, client: Client): ObjectKey[] =>
  claims(client)
    .index('waiting-by-class', (claim) => (claim.spec.volumeName ? [] : [classNameOf(claim)]))(className)
    .map(keyOf);

const claimKeyOf = ({ spec: { claimRef } }: PersistentVolume): ObjectKey[] =>
  claimRef ? [`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`] : [];

/** The one that a claim names, and those that are bound to it. */
function volumesOf(claim: PersistentVolumeClaim, client: Client): ObjectKey[] {
  const bound = volumes(client).index('claim', claimKeyOf)(keyOf(claim));
  return [...(claim.spec.volumeName ? [claim.spec.volumeName] : []), ...bound.map(keyOf)];
}

/** Those that it is bound to, those that name it, and those that it may be free for now. */
function claimsConcerned(volume: PersistentVolume, old: PersistentVolume | undefined, client: Client): ObjectKey[] {
  const naming = claims(client)
    .index('volume', ({ spec }) => (spec.volumeName ? [spec.volumeName] : []))(keyOf(volume))
    .map(keyOf);
  const isFree = (each: PersistentVolume): boolean => !each.spec.claimRef && each.status?.phase === 'Available';
  const isNewlyFree =
    isFree(volume) && !(old && isFree(old) && equalSemantically([old.spec, old.metadata.labels], [volume.spec, volume.metadata.labels]));
  return [...claimKeyOf(volume), ...naming, ...(isNewlyFree ? waitingFor(volumeClassOf(volume), client) : [])];
}

async function reconcileClaim(claim: PersistentVolumeClaim, io: ControllerIO): Promise<void> {
  const { client } = io;
  const classes = client.informer(StorageClass);
  const step = planClaim(claim, {
    volume: (name) => volumes(client).get(name),
    volumes: () => volumes(client).list(),
    storageClass: (name) => classes.get(name),
    defaultClass: () => defaultStorageClassOf(classes.list()),
    waitingPods: () =>
      client
        .informer(Pod)
        .index(
          'claim',
          claimKeysOf,
        )(keyOf(claim))
        .flatMap((pod) => (isPodTerminal(pod) || pod.spec.nodeName ? [] : pod.metadata.name))
        .sort(),
  });
  switch (step.do) {
    case 'bind':
      return await bind(step.volume, claim, client);
    case 'wait':
      if (step.event) tell(claim, step.event, io);
      await setClaimPhase(claim, 'Pending', client);
      return;
    case 'lose':
      if (await setClaimPhase(claim, 'Lost', client)) tell(claim, step.event, io);
      return;
    case 'adopt class':
      await client.update(PersistentVolumeClaim, { ...claim, spec: { ...claim.spec, storageClassName: step.className } });
      return;
    case 'provision':
      await askProvisioner(claim, step.provisioner, io);
      return;
    default:
      step satisfies never;
  }
}

const tell = (about: PersistentVolume | PersistentVolumeClaim, { type, reason, message }: TellEvent, { events }: ControllerIO): void =>
  events.event(about, type, reason, message);

async function askProvisioner(claim: PersistentVolumeClaim, provisioner: string, io: ControllerIO): Promise<void> {
  const { metadata } = claim;
  if (metadata.annotations?.[storageProvisioner] !== provisioner) {
    const names = { [storageProvisioner]: provisioner, 'volume.beta.kubernetes.io/storage-provisioner': provisioner };
    await io.client.update(PersistentVolumeClaim, {
      ...claim,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...names } },
    });
  }
  io.events.event(
    claim,
    'Normal',
    'ExternalProvisioning',
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
  );
}

/** What is so already is not written. */
async function bind(volume: PersistentVolume, claim: PersistentVolumeClaim, client: Client): Promise<void> {
  const bound = await bindVolume(volume, claim, client);
  await setVolumePhase(bound, { phase: 'Bound' }, client);
  const { metadata, spec } = claim;
  const annotations = metadata.annotations ?? {};
  const isNamed = spec.volumeName === volume.metadata.name;
  const isMarked = annotations[bindCompleted] !== undefined;
  const marks = { ...annotations, [bindCompleted]: annotations[bindCompleted] ?? 'yes', ...(!isNamed && { [boundByController]: 'yes' }) };
  const next =
    isNamed && isMarked
      ? claim
      : await client.update(PersistentVolumeClaim, {
          ...claim,
          metadata: { ...metadata, annotations: marks },
          spec: { ...spec, volumeName: volume.metadata.name },
        });
  await setClaimPhase(next, 'Bound', client, volume);
}

async function bindVolume(volume: PersistentVolume, claim: PersistentVolumeClaim, client: Client): Promise<PersistentVolume> {
  if (volume.spec.claimRef?.uid === claim.metadata.uid) return volume;
  return await client.update(PersistentVolume, withClaim(volume, claim));
}

/** Whether that was news. */
async function setClaimPhase(
  claim: PersistentVolumeClaim,
  phase: 'Pending' | 'Bound' | 'Lost',
  client: Client,
  volume?: PersistentVolume,
): Promise<boolean> {
  const status = nextClaimStatus(claim, phase, volume);
  if (equalSemantically(status, claim.status)) return false;
  await client.update(PersistentVolumeClaim, { ...claim, status } as PersistentVolumeClaim, { subresource: 'status' });
  return true;
}

interface VolumeState {
  readonly phase: NonNullable<PersistentVolume['status']>['phase'];
  readonly message?: string | undefined;
}

async function setVolumePhase(volume: PersistentVolume, { phase, message }: VolumeState, client: Client): Promise<boolean> {
  if (volume.status?.phase === phase) return false;
  const { message: _, ...others } = volume.status ?? {};
  const status = { ...others, phase, ...(message && { message }) };
  await client.update(PersistentVolume, { ...volume, status } as PersistentVolume, { subresource: 'status' });
  return true;
}

async function reconcileVolume(volume: PersistentVolume, io: ControllerIO): Promise<void> {
  const { client } = io;
  const claim = await claimOf(volume, client);
  const step = planVolume(volume, claim);
  const current = step.unbind ? await unbind(volume, step.unbind, client) : volume;
  const { event, claimEvent, phase } = step;
  const isNews = phase !== undefined && (await setVolumePhase(current, { phase, message: event?.message }, client));
  if (event && (isNews || phase === undefined)) tell(volume, event, io);
  if (claimEvent && claim) tell(claim, claimEvent, io);
}

/** That it is gone is asked of the server: a cache may not know of the claim yet, and what is released may be deleted. */
async function claimOf({ spec: { claimRef }, status }: PersistentVolume, client: Client): Promise<PersistentVolumeClaim | undefined> {
  const { namespace, name, uid } = claimRef ?? {};
  if (!namespace || !name || !uid) return undefined;
  const known = claims(client).get(`${namespace}/${name}`);
  if (known?.metadata.uid === uid) return known;
  if (!known && (status?.phase === 'Released' || status?.phase === 'Failed')) return undefined;
  const found = await client.get(PersistentVolumeClaim, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });
  return found?.metadata.uid === uid ? found : undefined;
}

async function unbind(volume: PersistentVolume, to: 'free' | 'kept', client: Client): Promise<PersistentVolume> {
  const { metadata, spec } = volume;
  const { claimRef, ...free } = spec;
  const { uid: _, resourceVersion: __, ...kept } = claimRef ?? {};
  const { [boundByController]: ___, ...annotations } = metadata.annotations ?? {};
  return await client.update(PersistentVolume, {
    ...volume,
    metadata: { ...metadata, annotations },
    spec: to === 'free' ? free : { ...spec, claimRef: kept },
  } as PersistentVolume);
}
