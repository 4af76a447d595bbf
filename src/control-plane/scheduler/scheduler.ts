/**
 * The scheduler: takes the pods that wait for a node in order, chooses a node for each, and binds it.
 *
 * Guarantees: one pod is decided at a time, on a view of the cluster that has every earlier decision; a binding that
 * fails gives the room back and the pod another try. A pod that fits nowhere says why (condition PodScheduled, event
 * FailedScheduling) and waits for an event that may help. Deciding never holds the event loop longer than a slice.
 *
 * What it does not do: preemption, volume binding, dynamic resources, profiles.
 * Upstream: pkg/scheduler/schedule_one.go.
 */
import { Pod } from '../../api/generated/kinds.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { isConflict, isNotFound } from '../../api/meta/status-error.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Log } from '../../client/log.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { createDefaultSelector } from './default-selector.ts';
import type { ClusterEvent, SchedulerPlugin } from './framework.ts';
import type { NodeFacts } from './node-facts.ts';
import { defaultPlugins } from './plugins/index.ts';
import { type QueuedPod, SchedulingQueue } from './scheduling-queue.ts';
import { describeFailure, NodeSelector, type Selection } from './select-node.ts';

export interface SchedulerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly log: Log;
  /** default: default-scheduler */
  readonly schedulerName?: string;
  readonly metrics?: SchedulerMetrics;
}

/** What the scheduler measures. */
export interface SchedulerMetrics {
  attempted(result: 'scheduled' | 'unschedulable' | 'error', durationSeconds: number): void;
}

/** How long pods are decided before others get a turn. */
const sliceMs = 5;
/** Bindings under way; deciding pauses beyond. */
const bindingsMax = 512;

export class Scheduler implements AsyncDisposable {
  readonly #options: SchedulerOptions;
  readonly #queue: SchedulingQueue;
  readonly #watch: ClusterWatch;
  readonly #selector: NodeSelector;
  readonly #plugins: readonly SchedulerPlugin[];
  readonly #bindings = new Set<Promise<void>>();
  #working: Promise<void> | undefined;
  #started = false;
  #stopped = false;

  private constructor(options: SchedulerOptions, plugins: readonly SchedulerPlugin[]) {
    this.#options = options;
    this.#plugins = plugins;
    this.#selector = new NodeSelector(plugins);
    this.#queue = new SchedulingQueue(options.clock, () => this.#wake());
    this.#watch = new ClusterWatch({ client: options.client, schedulerName: options.schedulerName ?? 'default-scheduler' }, this.#queue);
  }

  /** Resolves when it schedules. */
  static async start(options: SchedulerOptions): Promise<Scheduler> {
    const defaultSelector = createDefaultSelector(options.client);
    const scheduler = new Scheduler(options, defaultPlugins(defaultSelector.of));
    await Promise.all([scheduler.#watch.synced, defaultSelector.synced]);
    scheduler.#started = true;
    scheduler.#wake();
    return scheduler;
  }

  /** How many pods wait, by why. */
  get pending(): { active: number; backOff: number; unschedulable: number } {
    return this.#queue.counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#watch[Symbol.dispose]();
    this.#queue.stop();
    await this.#working;
    await Promise.allSettled(this.#bindings);
  }

  #wake(): void {
    if (!this.#started || this.#stopped) return;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    const { clock, log } = this.#options;
    await nextTurn(); // the other pods of this turn come in before the first is decided
    let sliceEndMs = clock.monotonic() + sliceMs;
    for (;;) {
      if (this.#stopped) return;
      const queued = this.#queue.pop();
      if (!queued) return;
      try {
        this.#decide(queued);
      } catch (error) {
        log.error({ error, pod: `${queued.pod.namespace}/${queued.pod.pod.metadata.name}` }, 'scheduling failed');
        this.#options.metrics?.attempted('error', 0);
        this.#queue.requeue(queued);
      }
      while (this.#bindings.size >= bindingsMax) await Promise.race(this.#bindings);
      if (clock.monotonic() < sliceEndMs) continue;
      await nextTurn();
      sliceEndMs = clock.monotonic() + sliceMs;
    }
  }

  #decide(queued: QueuedPod): void {
    const startMs = this.#options.clock.monotonic();
    const selection = this.#selector.select(queued.pod, this.#watch.table);
    const seconds = (this.#options.clock.monotonic() - startMs) / 1000;
    if (!selection.node) {
      this.#options.metrics?.attempted('unschedulable', seconds);
      this.#reject(queued, selection);
      return;
    }
    this.#options.metrics?.attempted('scheduled', seconds);
    this.#watch.assume(queued.pod, selection.node.name);
    const binding = this.#bind(queued, selection.node).finally(() => this.#bindings.delete(binding));
    this.#bindings.add(binding);
  }

  async #bind(queued: QueuedPod, node: NodeFacts): Promise<void> {
    const { client, events, log } = this.#options;
    const { pod } = queued.pod;
    const { namespace, name, uid } = pod.metadata;
    const nodeName = node.name;
    try {
      await client.post(Pod, { namespace, name }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { namespace, name, uid },
        target: { kind: 'Node', name: nodeName },
      });
      this.#queue.done(uid);
      events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`);
    } catch (error) {
      this.#watch.forget(queued.pod);
      if (isNotFound(error) || this.#stopped) {
        this.#queue.delete(uid);
        return;
      }
      if (!isConflict(error)) log.warn({ error, pod: `${namespace}/${name}`, node: nodeName }, 'binding failed');
      this.#queue.requeue(queued);
    }
  }

  #reject(queued: QueuedPod, selection: Extract<Selection, { node: undefined }>): void {
    const rejecting = new Set(selection.verdicts.map((verdict) => verdict.plugin));
    const unblockedBy = new Set<ClusterEvent>(['node-added']);
    for (const plugin of this.#plugins) if (rejecting.has(plugin.name)) for (const event of plugin.unblockedBy) unblockedBy.add(event);
    this.#queue.fail(queued, unblockedBy);
    const message = describeFailure(selection);
    this.#options.events.event(queued.pod.pod, 'Warning', 'FailedScheduling', message);
    this.#tellPod(queued.pod.pod, message).catch((error: unknown) => {
      if (!this.#stopped && !isNotFound(error)) this.#options.log.warn({ error }, 'writing the PodScheduled condition failed');
    });
  }

  async #tellPod(pod: Pod, message: string): Promise<void> {
    const { client, clock } = this.#options;
    const known = findCondition(pod.status.conditions, 'PodScheduled');
    if (known?.status === 'False' && known.reason === 'Unschedulable' && known.message === message) return;
    const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : formatTime(clock.now());
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime,
      observedGeneration: pod.metadata.generation,
    };
    await client.patch(Pod, pod.metadata, { type: 'strategic', body: { status: { conditions: [condition] } } }, { subresource: 'status' });
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
