/**
 * The volumes of the pods of this node: sets them up before containers start, keeps their content current, and takes
 * them down when the pod has ended or is unknown.
 *
 * Guarantees: a container is made only when all volumes are there; a volume that can't be set up is told as an event
 * `FailedMount`; after `tearDown` nothing of the pod is mounted or on disk.
 * Upstream: pkg/kubelet/volumemanager, pkg/volume/util/operationexecutor.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod, Volume } from '../../../api/generated/core-v1.ts';
import { ConfigMap, Secret } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { podConfigMapNames, podSecretNames } from '../../../api/predicates/pod-references.ts';
import type { Timer } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { Log } from '../../../client/log.ts';
import { checkedName } from '../../files/held-directory.ts';
import { removeTree } from '../../files/remove-tree.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import { configMapVolume, downwardAPIVolume, projectedVolume, secretVolume } from './content-volume.ts';
import { emptyDir } from './empty-dir.ts';
import { hostPath } from './host-path.ts';
import { imageVolume } from './image-volume.ts';
import { ClaimError, persistentVolumePlugin } from './persistent-volume.ts';
import type { ReadyVolume, VolumeHost, VolumePlugin } from './volume-plugin.ts';

const plugins: readonly VolumePlugin[] = [
  emptyDir,
  configMapVolume,
  secretVolume,
  downwardAPIVolume,
  projectedVolume,
  hostPath,
  persistentVolumePlugin,
  imageVolume,
];
const contentPlugins = new Set([configMapVolume, secretVolume, downwardAPIVolume, projectedVolume]);

export type ReadyVolumes = ReadonlyMap<string, ReadyVolume>;

/** Some volumes are not there; the events have been told. */
export class VolumesNotReadyError extends Error {
  override readonly name = 'VolumesNotReadyError';
}

export interface VolumeManagerOptions {
  readonly host: VolumeHost;
  readonly wheel: TimerWheel;
  readonly events: EventRecorder;
  readonly log: Log;
  /** `<dataDir>/pods` */
  readonly podsRoot: string;
  /** Only what the API has of them is looked up; other volumes count as there. */
  readonly contentOnly?: boolean;
}

interface PodVolumes {
  pod: Pod;
  ready: Map<string, ReadyVolume>;
  readonly watches: Disposable[];
  readonly timers: Map<string, Timer>;
  /** how often in a row a volume could not be brought up to date */
  readonly failures: Map<string, number>;
  /** set-ups of one pod happen one after the other */
  work: Promise<unknown>;
  gone: boolean;
}

const refreshRetryMs = { first: 10_000, max: 300_000 } as const;

export class VolumeManager implements AsyncDisposable {
  readonly #options: VolumeManagerOptions;
  readonly #pods = new Map<string, PodVolumes>();
  /** PersistentVolume → the pod that alone has it */
  readonly #alone = new Map<string, string>();

  constructor(options: VolumeManagerOptions) {
    this.#options = options;
  }

  podDirectory(podUID: string): string {
    return join(this.#options.podsRoot, checkedName(podUID));
  }

  /** Of its volumes that have one here, by name. */
  directories(podUID: string): ReadonlyMap<string, string> {
    const own = `${this.podDirectory(podUID)}/`;
    const ready = [...(this.#pods.get(podUID)?.ready ?? [])];
    return new Map(ready.flatMap(([name, { hostPath }]) => (hostPath.startsWith(own) ? [[name, hostPath]] : [])));
  }

  /** Watches what the pod refers to from now on, and takes note of its changes. */
  register(pod: Pod): void {
    const known = this.#pods.get(pod.metadata.uid);
    if (known) {
      const before = known.pod;
      known.pod = pod;
      const told =
        !equalJson(before.metadata.labels, pod.metadata.labels) || !equalJson(before.metadata.annotations, pod.metadata.annotations);
      if (told && known.ready.size > 0) this.#refreshWhere(known, (v) => v.downwardAPI !== undefined || v.projected !== undefined);
      return;
    }
    const volumes: PodVolumes = {
      pod,
      ready: new Map(),
      watches: [],
      timers: new Map(),
      failures: new Map(),
      work: Promise.resolve(),
      gone: false,
    };
    this.#pods.set(pod.metadata.uid, volumes);
    const { objects } = this.#options.host;
    const { namespace } = pod.metadata;
    for (const name of podConfigMapNames(pod.spec)) {
      const uses = (v: Volume): boolean =>
        v.configMap?.name === name || (v.projected?.sources?.some((s) => s.configMap?.name === name) ?? false);
      volumes.watches.push(objects.watch(ConfigMap, { namespace, name }, () => this.#refreshWhere(volumes, uses)));
    }
    for (const name of podSecretNames(pod.spec)) {
      const uses = (v: Volume): boolean =>
        v.secret?.secretName === name || (v.projected?.sources?.some((s) => s.secret?.name === name) ?? false);
      volumes.watches.push(objects.watch(Secret, { namespace, name }, () => this.#refreshWhere(volumes, uses)));
    }
  }

  /** Sets up what is not there yet. Rejects with VolumesNotReadyError. */
  async setUp(pod: Pod): Promise<ReadyVolumes> {
    this.register(pod);
    const volumes = this.#pods.get(pod.metadata.uid);
    if (!volumes) return new Map();
    return await this.#serialize(volumes, () => this.#setUpMissing(volumes));
  }

  /** Unmounts and removes everything of the pod. */
  async tearDown(podUID: string): Promise<void> {
    const volumes = this.#pods.get(podUID);
    if (volumes) {
      volumes.gone = true;
      for (const watch of volumes.watches) watch[Symbol.dispose]();
      for (const timer of volumes.timers.values()) timer.cancel();
      await volumes.work.catch(() => undefined);
    }
    const { mounter, tokens, gate } = this.#options.host;
    tokens?.forget(podUID);
    if (mounter) {
      const dir = this.podDirectory(podUID);
      for (const point of await mounter.mountsBelow(dir)) await mounter.unmount(point);
      await removeTree(dir, gate);
    }
    this.#pods.delete(podUID);
    for (const [name, uid] of this.#alone) if (uid === podUID) this.#alone.delete(name);
  }

  /** uids of pods that have a directory here */
  async podsOnDisk(): Promise<readonly string[]> {
    if (!this.#options.host.mounter) return [];
    return await readdir(this.#options.podsRoot).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#pods.values()];
    this.#pods.clear();
    for (const volumes of all) {
      volumes.gone = true;
      for (const watch of volumes.watches) watch[Symbol.dispose]();
      for (const timer of volumes.timers.values()) timer.cancel();
    }
    // Without a mounter there is nothing that could be left half done, and others may hold what is waited for.
    if (this.#options.host.mounter) await Promise.allSettled(all.map((v) => v.work));
  }

  #keepAlone(name: string, podUID: string): boolean {
    return this.#alone.getOrInsert(name, podUID) === podUID;
  }

  async #serialize<T>(volumes: PodVolumes, task: () => Promise<T>): Promise<T> {
    const result = volumes.work.catch(() => undefined).then(task);
    volumes.work = result.catch(() => undefined);
    return await result;
  }

  async #setUpMissing(volumes: PodVolumes): Promise<ReadyVolumes> {
    const { pod } = volumes;
    const used = usedVolumes(pod);
    const isWanted = (v: Volume): boolean => !this.#options.contentOnly || [...contentPlugins].some((plugin) => plugin.supports(v));
    const missing = (pod.spec.volumes ?? []).filter((v) => used.has(v.name) && !volumes.ready.has(v.name) && isWanted(v));
    const failures: string[] = [];
    await Promise.all(
      missing.map(async (volume) => {
        const why = await this.#setUpOne(volumes, volume);
        if (why !== undefined) failures.push(why);
      }),
    );
    if (failures.length > 0) throw new VolumesNotReadyError(failures.join('; '));
    return volumes.ready;
  }

  /** Why it failed, or undefined. */
  async #setUpOne(volumes: PodVolumes, volume: Volume): Promise<string | undefined> {
    const { host, events } = this.#options;
    const { pod } = volumes;
    const plugin = plugins.find((p) => p.supports(volume));
    if (!plugin) {
      const message = `MountVolume.SetUp failed for volume "${volume.name}" : no volume plugin matched`;
      events.event(pod, 'Warning', 'FailedMount', message);
      return message;
    }
    const dir = join(this.podDirectory(pod.metadata.uid), 'volumes', plugin.directory, checkedName(volume.name));
    try {
      const ready = await plugin.setUp({ pod, volume, dir, keepAlone: (name) => this.#keepAlone(name, pod.metadata.uid) }, host);
      volumes.ready.set(volume.name, ready);
      this.#planRefresh(volumes, volume, ready.refreshAtMs);
      return undefined;
    } catch (error) {
      const message = describeFailure(volume, error);
      events.event(pod, 'Warning', 'FailedMount', message);
      return message;
    }
  }

  #refreshWhere(volumes: PodVolumes, concerned: (volume: Volume) => boolean): void {
    for (const volume of volumes.pod.spec.volumes ?? []) {
      if (concerned(volume) && volumes.ready.has(volume.name)) this.#refreshSoon(volumes, volume);
    }
  }

  #refreshSoon(volumes: PodVolumes, volume: Volume): void {
    detach(
      () => this.#refresh(volumes, volume),
      (error) => this.#options.log.error({ error, volume: volume.name, pod: volumes.pod.metadata.name }, 'volume not brought up to date'),
    );
  }

  /** Brings the content of a volume that is in use up to date. */
  async #refresh(volumes: PodVolumes, volume: Volume): Promise<void> {
    const plugin = plugins.find((p) => p.supports(volume));
    if (!plugin || !contentPlugins.has(plugin)) return;
    await this.#serialize(volumes, async () => {
      if (volumes.gone) return;
      const why = await this.#setUpOne(volumes, volume);
      if (why === undefined) {
        volumes.failures.delete(volume.name);
        return;
      }
      const failures = volumes.failures.get(volume.name) ?? 0;
      volumes.failures.set(volume.name, failures + 1);
      this.#options.log.debug({ volume: volume.name, pod: volumes.pod.metadata.name, why }, 'volume not brought up to date');
      this.#planRefresh(
        volumes,
        volume,
        this.#options.host.clock.now() + Math.min(refreshRetryMs.first * 2 ** failures, refreshRetryMs.max),
      );
    });
  }

  #planRefresh(volumes: PodVolumes, volume: Volume, atMs: number | undefined): void {
    volumes.timers.get(volume.name)?.cancel();
    volumes.timers.delete(volume.name);
    if (atMs === undefined || volumes.gone) return;
    const delayMs = Math.max(0, atMs - this.#options.host.clock.now());
    volumes.timers.set(
      volume.name,
      this.#options.wheel.setTimeout(() => this.#refreshSoon(volumes, volume), delayMs),
    );
  }
}

/** Volumes that a container mounts; others are not set up. */
function usedVolumes({ spec }: Pod): ReadonlySet<string> {
  const used = new Set<string>();
  for (const container of [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    for (const { name } of container.volumeMounts ?? []) used.add(name);
    for (const { name } of container.volumeDevices ?? []) used.add(name);
    for (const { valueFrom } of container.env ?? []) if (valueFrom?.fileKeyRef) used.add(valueFrom.fileKeyRef.volumeName);
  }
  return used;
}

function describeFailure(volume: Volume, error: unknown): string {
  const why = messageOf(error);
  if (error instanceof ClaimError) {
    return `Unable to attach or mount volumes: unmounted volumes=[${volume.name}], unattached volumes=[], failed to process volumes=[${volume.name}]: ${why}`;
  }
  return `MountVolume.SetUp failed for volume "${volume.name}" : ${why}`;
}
