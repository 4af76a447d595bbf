/**
 * Claims, volumes and their classes as the scheduler sees them: what the cluster has, and over it what was decided for
 * pods that are on their way to a node. Binds them: tells the API what was decided, and waits until others (the volume
 * controllers, provisioners) have done the rest.
 *
 * Guarantees: what is held for one pod is not given to another; a wait ends when all claims are bound, when one can't be
 * any more, after `bindTimeoutMs`, or with its signal.
 * Upstream: plugins/volumebinding/{binder,assume_cache}.go.
 */
import { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/kinds.ts';
import { type KindRef, type KubeObject, keyOf, type ObjectKey } from '../../api/meta/object.ts';
import { messageOf } from '../../api/meta/status-error.ts';
import { isVolumeOf, reachesVolume, selectedNode, volumeClassOf, withClaim } from '../../api/predicates/claim-matching.ts';
import { isBoundClaim } from '../../api/predicates/claims.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { Informer } from '../../client/informers/informer.ts';
import type { Reservation } from './framework.ts';
import type { NodeTable } from './node-table.ts';
import type { PodVolumes } from './plugins/plan-pod-volumes.ts';
import type { BindableVolumes } from './plugins/volume-binding.ts';

/** The default of upstream's VolumeBindingArgs. */
const bindTimeoutMs = 600_000;

export interface ClusterVolumesGiven {
  readonly client: Client;
  readonly clock: Pick<Clock, 'setTimeout'>;
  readonly table: Pick<NodeTable, 'get'>;
}

type Claim = PersistentVolumeClaim;

export class ClusterVolumes implements BindableVolumes, Disposable {
  readonly claims: Informer<Claim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly classes: Informer<StorageClass>;
  readonly #given: ClusterVolumesGiven;
  /** volume → the claim that it is held for */
  readonly #held = new Map<string, Claim>();
  /** claim → the node where its volume is to be made */
  readonly #chosen = new Map<ObjectKey, string>();
  /** claim → who waits for it: pods may share one */
  readonly #waiting = new Map<ObjectKey, Set<() => void>>();
  readonly #subscriptions: readonly Disposable[];

  constructor(given: ClusterVolumesGiven) {
    this.#given = given;
    this.claims = given.client.informer(PersistentVolumeClaim);
    this.volumes = given.client.informer(PersistentVolume);
    this.classes = given.client.informer(StorageClass);
    const claimChanged = (claim: Claim): void => this.#wake(keyOf(claim));
    const volumeChanged = ({ spec: { claimRef } }: PersistentVolume): void =>
      this.#wake(`${claimRef?.namespace ?? ''}/${claimRef?.name ?? ''}`);
    this.#subscriptions = [
      this.claims.on({ updated: claimChanged, deleted: claimChanged }),
      this.volumes.on({ added: volumeChanged, updated: (volume, old) => [volume, old].forEach(volumeChanged), deleted: volumeChanged }),
    ];
  }

  get synced(): Promise<unknown> {
    return Promise.all([this.claims.synced, this.volumes.synced, this.classes.synced]);
  }

  claim(namespace: string, name: string): Claim | undefined {
    const key = `${namespace}/${name}`;
    const claim = this.claims.get(key);
    const node = this.#chosen.get(key);
    return claim && node !== undefined ? withAnnotation(claim, selectedNode, node) : claim;
  }

  volume(name: string): PersistentVolume | undefined {
    const volume = this.volumes.get(name);
    return volume && this.#asHeld(volume);
  }

  volumesOfClass(className: string): readonly PersistentVolume[] {
    const found = this.volumes.index('class', (volume) => [volumeClassOf(volume)])(className);
    return this.#held.size === 0 ? found : found.map((volume) => this.#asHeld(volume));
  }

  storageClass(name: string): StorageClass | undefined {
    return this.classes.get(name);
  }

  reserve(planned: PodVolumes, nodeName: string): Reservation {
    for (const { volume, claim } of planned.bindings) this.#held.set(volume.metadata.name, claim);
    for (const claim of planned.provisions) this.#chosen.set(keyOf(claim), nodeName);
    return {
      preBind: (signal) => this.#bind(planned, nodeName, signal),
      release: () => {
        for (const { volume } of planned.bindings) this.#held.delete(volume.metadata.name);
        for (const claim of planned.provisions) this.#chosen.delete(keyOf(claim));
      },
    };
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
  }

  #wake(key: ObjectKey): void {
    for (const look of this.#waiting.get(key) ?? []) look();
  }

  #asHeld(volume: PersistentVolume): PersistentVolume {
    const claim = this.#held.get(volume.metadata.name);
    return claim && !volume.spec.claimRef ? withClaim(volume, claim) : volume;
  }

  async #bind({ bindings, provisions }: PodVolumes, nodeName: string, signal: AbortSignal): Promise<void> {
    for (const { volume, claim } of bindings) {
      const isBound = volume.spec.claimRef?.uid === claim.metadata.uid;
      if (!isBound) await this.#write(PersistentVolume, withClaim(volume, claim), this.volumes);
    }
    for (const { metadata } of provisions) {
      const claim = this.claims.get(keyOf({ metadata }));
      if (claim && claim.metadata.annotations?.[selectedNode] !== nodeName)
        await this.#write(PersistentVolumeClaim, withAnnotation(claim, selectedNode, nodeName), this.claims);
    }
    const isDone = (): boolean => {
      const kept = bindings.map(({ volume, claim }) => this.#isKept(volume, claim, nodeName));
      const made = provisions.map((claim) => this.#isMade(claim, nodeName));
      return [...kept, ...made].every(Boolean);
    };
    const keys = [...bindings.map(({ claim }) => keyOf(claim)), ...provisions.map(keyOf)];
    await this.#until(isDone, keys, signal).catch((error: unknown) => {
      throw new Error(`binding volumes: ${messageOf(error)}`, { cause: error });
    });
  }

  async #write<T extends KubeObject>(kind: KindRef<T>, object: T, informer: Informer<T>): Promise<void> {
    const { metadata } = await this.#given.client.update(kind, object);
    await informer.whenShown({ key: keyOf(object), uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' });
  }

  /** Throws when it never will be. */
  #isKept({ metadata: { name } }: PersistentVolume, claim: Claim, nodeName: string): boolean {
    const volume = this.volumes.get(name);
    if (!volume) throw new Error(`failed to check binding: persistentvolume "${name}" not found`);
    if (!isVolumeOf(volume, claim) || !volume.spec.claimRef?.uid) throw new Error(`ClaimRef got reset for pv "${name}"`);
    this.#checkReach(volume, nodeName);
    const current = this.claims.get(keyOf(claim));
    if (!current) throw new Error(`failed to check binding: persistentvolumeclaim "${claim.metadata.name}" not found`);
    return isBoundClaim(current);
  }

  /** The same. */
  #isMade(claim: Claim, nodeName: string): boolean {
    const current = this.claims.get(keyOf(claim));
    if (!current) throw new Error(`failed to check provisioning pvc: persistentvolumeclaim "${claim.metadata.name}" not found`);
    if (current.metadata.annotations?.[selectedNode] !== nodeName)
      throw new Error(`provisioning failed for PVC "${current.metadata.name}"`);
    const volume = this.volumes.get(current.spec.volumeName ?? '');
    if (volume) this.#checkReach(volume, nodeName);
    return volume !== undefined && isBoundClaim(current);
  }

  #checkReach(volume: PersistentVolume, nodeName: string): void {
    const node = this.#given.table.get(nodeName)?.node;
    if (!node) throw new Error(`failed to get node "${nodeName}": node "${nodeName}" not found`);
    if (!reachesVolume(node, volume))
      throw new Error(`pv "${volume.metadata.name}" node affinity doesn't match node "${nodeName}": no matching NodeSelectorTerms`);
  }

  async #until(isDone: () => boolean, keys: readonly ObjectKey[], signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      try {
        if (isDone()) resolve();
      } catch (error) {
        reject(error);
      }
    };
    const giveUp = (): void => reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', giveUp, { once: true });
    for (const key of keys) this.#waiting.getOrInsertComputed(key, () => new Set()).add(look);
    using _timer = this.#given.clock.setTimeout(() => reject(new Error('context deadline exceeded')), bindTimeoutMs);
    try {
      look();
      await promise;
    } finally {
      for (const key of keys) {
        const others = this.#waiting.get(key);
        others?.delete(look);
        if (others?.size === 0) this.#waiting.delete(key);
      }
      signal.removeEventListener('abort', giveUp);
    }
  }
}

const withAnnotation = <T extends KubeObject>(object: T, key: string, value: string): T => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [key]: value } },
});
