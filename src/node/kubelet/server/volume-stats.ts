/**
 * What the volumes of pods hold: the room of the file system that each is on, and what of it the volume takes itself.
 *
 * Guarantees: volumes are measured for who asks, each at most once in `freshMs`, and nobody waits longer than `waitMs`
 * for one: meanwhile it is told as it was, or not yet. One too large to be measured has its whole file system's figures.
 * What it does not do: host paths, images and block devices, as upstream; of a claim in several pods all have the same.
 * Upstream: pkg/kubelet/server/stats/volume_stat_calculator.go, pkg/kubelet/metrics/collectors/volume_stats.go.
 */
import { statfs } from 'node:fs/promises';
import type { Pod } from '../../../api/generated/core-v1.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { claimNameOf } from '../../../api/predicates/claims.ts';
import { shorten } from '../../files/held-directory.ts';
import { type MeasuringOptions, measureTree, type TreeUse } from '../node/storage-limits.ts';
import type { Metric } from './metrics.ts';
import type { Summary, VolumeStats } from './stats.ts';

const freshMs = 60_000;
const waitMs = 1000;

interface Measurement {
  startedMs: number;
  running: Promise<void> | undefined;
  use: TreeUse | 'too large' | undefined;
}

export interface VolumesView {
  pods(): readonly Pod[];
  /** of a pod's volumes that have one on the node, by name */
  volumeDirectories(podUID: string): ReadonlyMap<string, string>;
}

export class VolumeMeter {
  readonly #options: MeasuringOptions;
  readonly #measurements = new Map<string, Measurement>();

  constructor(options: MeasuringOptions) {
    this.#options = options;
  }

  /** What it does not name is forgotten. */
  async addTo({ node, pods }: Summary, kubelet: VolumesView): Promise<Summary> {
    const all = new Map(kubelet.pods().map((pod) => [pod.metadata.uid, { pod, directories: kubelet.volumeDirectories(pod.metadata.uid) }]));
    const known = new Set([...all.values()].flatMap(({ directories }) => [...directories.values()]));
    for (const dir of this.#measurements.keys()) if (!known.has(dir)) this.#measurements.delete(dir);
    const withVolumes = pods.map(async (stats) => {
      const { pod, directories } = all.get(stats.podRef.uid) ?? {};
      const volume = pod && directories ? await this.#read(pod, directories) : [];
      return { ...stats, ...(volume.length > 0 && { volume }) };
    });
    return { node, pods: await Promise.all(withVolumes) };
  }

  async #read(pod: Pod, directories: ReadonlyMap<string, string>): Promise<readonly VolumeStats[]> {
    const namespace = pod.metadata.namespace ?? '';
    const all = (pod.spec.volumes ?? []).map(async (volume) => {
      const dir = directories.get(volume.name);
      const figures = dir === undefined ? undefined : await this.#figures(dir);
      const claim = claimNameOf(pod, volume);
      return figures ? [{ name: volume.name, ...(claim && { pvcRef: { name: claim, namespace } }), ...figures }] : [];
    });
    return (await Promise.all(all)).flat();
  }

  async #figures(dir: string): Promise<Omit<VolumeStats, 'name' | 'pvcRef'> | undefined> {
    const { gate, clock } = this.#options;
    const use = await this.#use(dir);
    const disk = use && (await gate.call(`statfs ${shorten(dir)}`, () => statfs(dir)).catch(() => undefined));
    if (!disk) return undefined;
    const whole = { bytes: (disk.blocks - disk.bfree) * disk.bsize, inodes: disk.files - disk.ffree };
    const own = use === 'too large' ? whole : use;
    return {
      time: formatTime(clock.now()),
      availableBytes: disk.bavail * disk.bsize,
      capacityBytes: disk.blocks * disk.bsize,
      usedBytes: own.bytes,
      inodesFree: disk.ffree,
      inodes: disk.files,
      inodesUsed: own.inodes,
    };
  }

  async #use(dir: string): Promise<Measurement['use']> {
    const { clock } = this.#options;
    const start = (): Measurement => ({ startedMs: Number.NEGATIVE_INFINITY, running: undefined, use: undefined });
    const known = this.#measurements.getOrInsertComputed(dir, start);
    if (!known.running && clock.monotonic() - known.startedMs >= freshMs) {
      known.startedMs = clock.monotonic();
      known.running = this.#measure(dir, known);
    }
    if (!known.running) return known.use;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = clock.setTimeout(resolve, waitMs);
    await Promise.race([known.running, promise]);
    return known.use;
  }

  async #measure(dir: string, known: Measurement): Promise<void> {
    try {
      known.use = await measureTree(dir, this.#options);
    } catch {
      known.use = 'too large';
    } finally {
      known.running = undefined;
    }
  }
}

type Figure = Exclude<keyof VolumeStats, 'name' | 'pvcRef' | 'time'>;
const claimFigures: readonly (readonly [name: string, help: string, figure: Figure])[] = [
  ['capacity_bytes', 'Capacity in bytes of the volume', 'capacityBytes'],
  ['available_bytes', 'Number of available bytes in the volume', 'availableBytes'],
  ['used_bytes', 'Number of used bytes in the volume', 'usedBytes'],
  ['inodes', 'Maximum number of inodes in the volume', 'inodes'],
  ['inodes_free', 'Number of free inodes in the volume', 'inodesFree'],
  ['inodes_used', 'Number of used inodes in the volume', 'inodesUsed'],
];

/** Of claims, each once. */
export function claimMetrics(volumes: readonly VolumeStats[]): readonly Metric[] {
  const byClaim = new Map(volumes.flatMap((each) => (each.pvcRef ? [[`${each.pvcRef.namespace}/${each.pvcRef.name}`, each]] : [])));
  return claimFigures.map(([name, help, figure]) => ({
    name: `kubelet_volume_stats_${name}`,
    help: `[ALPHA] ${help}`,
    type: 'gauge',
    samples: [...byClaim.values()].map((each) => ({
      labels: { namespace: each.pvcRef?.namespace ?? '', persistentvolumeclaim: each.pvcRef?.name ?? '' },
      value: each[figure],
    })),
  }));
}
