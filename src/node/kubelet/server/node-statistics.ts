/** What a node tells of what is used on it: the summary, and the same as metrics. */
import type { Pod } from '../../../api/generated/core-v1.ts';
import type { Clock } from '../../../client/clock.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import { CPURates, type Summary, summarize } from './stats.ts';

export interface NodeStatisticsOptions {
  readonly nodeName: string;
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly kubelet: { pods(): readonly Pod[] };
}

export class NodeStatistics {
  readonly #options: NodeStatisticsOptions;
  readonly #rates = new CPURates();
  readonly startedMs: number;

  constructor(options: NodeStatisticsOptions) {
    this.#options = options;
    this.startedMs = options.clock.now();
  }

  summary(): Promise<Summary> {
    const { kubelet, ...node } = this.#options;
    return summarize({ ...node, nodeStartedMs: this.startedMs, pods: kubelet.pods(), rates: this.#rates });
  }
}
