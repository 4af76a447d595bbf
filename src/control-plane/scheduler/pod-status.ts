/**
 * What the scheduler writes into a pod's status: the condition PodScheduled (False, and why), and the node that the pod
 * waits for. Upstream: scheduler/schedule_one.go (updatePod), pkg/api/v1/pod/util.go.
 */
import { Pod } from '../../api/generated/kinds.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { isConflict, isNotFound } from '../../api/meta/status-error.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import type { PodFacts } from './pod-facts.ts';

export interface PodStatusChange {
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** null: none; undefined: it stays as it is */
  readonly nominatedNodeName?: string | null | undefined;
}

/** The patch of status; undefined when it says so already. Pure. */
export function planScheduledPatch({ status, metadata }: Pod, change: PodStatusChange, nowMs: number): object | undefined {
  const { reason, message, nominatedNodeName } = change;
  const known = findCondition(status?.conditions, 'PodScheduled');
  const isKnown = known?.status === 'False' && known.reason === reason && known.message === message;
  const isNominated = nominatedNodeName === undefined || (status?.nominatedNodeName || null) === nominatedNodeName;
  if (isKnown && isNominated) return undefined;
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    lastTransitionTime: (known?.status === 'False' ? known.lastTransitionTime : undefined) ?? formatTime(nowMs),
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  };
  return { ...(!isKnown && { conditions: [condition] }), ...(!isNominated && { nominatedNodeName }) };
}

interface PodStatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes in the background; what is written about one pod stays in order. */
export class PodStatusWriter implements AsyncDisposable {
  readonly #options: PodStatusWriterOptions;
  readonly #writes = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: PodStatusWriterOptions) {
    this.#options = options;
  }

  write({ uid, pod }: PodFacts, change: PodStatusChange): void {
    const status = planScheduledPatch(pod, change, this.#options.clock.now());
    if (!status) return;
    const writing = (this.#writes.get(uid) ?? Promise.resolve())
      .then(() => this.#patch(pod, status))
      .finally(() => {
        if (this.#writes.get(uid) === writing) this.#writes.delete(uid);
      });
    this.#writes.set(uid, writing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#writes.values());
  }

  async #patch({ metadata }: Pod, status: object): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const body = { metadata: { uid: metadata.uid }, status };
    try {
      await this.#options.client.patch(Pod, metadata, { type: 'strategic', body }, { subresource: 'status', signal });
    } catch (error) {
      const isGone = isNotFound(error) || isConflict(error); // or another pod has its name
      if (!signal.aborted && !isGone) this.#options.log.warn({ error, pod: metadata.name }, 'writing a pod status failed');
    }
  }
}
