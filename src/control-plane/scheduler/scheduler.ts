/**
 * The scheduler: takes the pods that wait for a node in order, chooses a node for each, and binds it.
 *
 * Guarantees: one pod is decided at a time, on a view of the cluster that has every earlier decision; a binding that
 * fails gives the room back and the pod another try. A pod that fits nowhere says why (condition PodScheduled, event
 * FailedScheduling), makes room by preemption where its priority allows, and waits for an event that may help.
 * Deciding never holds the event loop longer than a slice.
 *
 * What it does not do: dynamic resources, several profiles, extenders, permits.
 * Upstream: pkg/scheduler/schedule_one.go.
 */
import { Pod, PodDisruptionBudget } from '../../api/generated/kinds.ts';
import { isNotFound, messageOf } from '../../api/meta/status-error.ts';
import type { Client } from '../../client/client.ts';
import { type Clock, type Random, seededRandom } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/events/event-recorder.ts';
import type { Informer } from '../../client/informers/informer.ts';
import type { Log } from '../../client/log.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { createDefaultSelector } from './default-selector.ts';
import { describeChoice, describeDiagnosis, rejectingPlugins } from './diagnosis.ts';
import { always, type EventHints, type Reservation, type SchedulerPlugin } from './framework.ts';
import type { NodeFacts } from './node-facts.ts';
import { defaultPlugins } from './plugins/index.ts';
import type { DefaultSelector } from './plugins/pod-topology-spread.ts';
import { PodFacts } from './pod-facts.ts';
import { type PodStatusChange, PodStatusWriter } from './pod-status.ts';
import { evictVictims } from './preemption/evict-victims.ts';
import { planPreemption } from './preemption/plan-preemption.ts';
import type { Candidate } from './preemption/select-victims.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';
import { type QueueCounts, type QueuedPod, SchedulingQueue } from './scheduling-queue.ts';
import { type NodeSelection, NodeSelector } from './select-node.ts';

export interface SchedulerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly log: Log;
  /** chooses among equals; default: a fixed sequence */
  readonly random?: Pick<Random, 'next'> | undefined;
  /** default: default-scheduler */
  readonly schedulerName?: string | undefined;
  readonly metrics?: SchedulerMetrics | undefined;
}

type Placed = Extract<NodeSelection, { node: NodeFacts }>;

interface Reserved {
  /** of the plugin */
  readonly name: string;
  readonly reservation: Reservation;
}

/** What the scheduler thinks of a node for a pod: undefined plugin, it would do. */
export interface NodeOpinion {
  readonly nodeName: string;
  readonly plugin?: string | undefined;
  readonly reasons: readonly string[];
}

/** How long pods are decided before others get a turn. */
const sliceMs = 5;
/** Bindings under way; deciding pauses beyond. */
const bindingsMax = 512;
/** An Event's message may not be longer. */
const messageMax = 1024;

export class Scheduler implements AsyncDisposable {
  readonly #options: SchedulerOptions;
  readonly #random: Pick<Random, 'next'>;
  readonly #queue: SchedulingQueue;
  readonly #watch: ClusterWatch;
  readonly #selector: NodeSelector;
  readonly #plugins: readonly SchedulerPlugin[];
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #statuses: PodStatusWriter;
  /** bindings and preemptions under way */
  readonly #effects = new Set<Promise<void>>();
  /** pods for whose binding something has to be done first, which may take long: they keep nobody back */
  readonly #reserving = new Set<Promise<void>>();
  readonly #stopReserving = new Map<string, AbortController>();
  #onEffectEnded = (): void => {};
  #working: Promise<void> | undefined;
  #started = false;
  #stopped = false;

  private constructor(options: SchedulerOptions, defaultSelector: DefaultSelector) {
    const { client, clock, schedulerName = 'default-scheduler', random = seededRandom(1) } = options;
    this.#options = options;
    this.#random = random;
    this.#budgets = client.informer(PodDisruptionBudget);
    this.#statuses = new PodStatusWriter(options);
    this.#queue = new SchedulingQueue(clock, () => this.#wake());
    this.#watch = new ClusterWatch(
      {
        client,
        clock,
        schedulerName,
        onLeaving: (uid) => this.#stopReserving.get(uid)?.abort(new Error('pod does not exist any more')),
      },
      this.#queue,
    );
    const { table, nominator, volumes } = this.#watch;
    const plugins = defaultPlugins({ defaultSelector, volumes });
    this.#plugins = plugins;
    this.#selector = new NodeSelector({ plugins, table, nominator, random });
    options.metrics?.watchQueue(() => this.#queue.counts);
  }

  /** Resolves when it schedules. */
  static async start(options: SchedulerOptions): Promise<Scheduler> {
    const defaultSelector = createDefaultSelector(options.client);
    const scheduler = new Scheduler(options, defaultSelector.of);
    await Promise.all([scheduler.#watch.synced, defaultSelector.synced, scheduler.#budgets.synced]);
    scheduler.#started = true;
    scheduler.#wake();
    return scheduler;
  }

  /** How many pods wait, by why. */
  get pending(): QueueCounts {
    return this.#queue.counts;
  }

  /** What it thinks of each node for this pod, which need not exist. */
  explain(pod: Pod): readonly NodeOpinion[] {
    const verdicts = this.#selector.explain(new PodFacts(pod));
    return [...verdicts].map(([{ name }, rejection]) => ({
      nodeName: name,
      reasons: rejection?.reasons ?? [],
      plugin: rejection?.plugin,
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#watch[Symbol.dispose]();
    this.#queue.stop();
    for (const stop of this.#stopReserving.values()) stop.abort(new Error('the scheduler stops'));
    await this.#working;
    await Promise.all(this.#reserving);
    await Promise.all(this.#effects);
    await this.#statuses[Symbol.asyncDispose]();
  }

  #wake(): void {
    if (!this.#started || this.#stopped) return;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    const { clock } = this.#options;
    await nextTurn(); // the other pods of this turn come in before the first is decided
    let sliceEndMs = clock.monotonic() + sliceMs;
    for (;;) {
      if (this.#stopped) return;
      const queued = this.#queue.pop();
      if (!queued) return;
      try {
        this.#decide(queued);
      } catch (error) {
        this.#fail(queued, error);
      }
      while (this.#effects.size >= bindingsMax) await this.#effectEnded();
      if (clock.monotonic() < sliceEndMs) continue;
      await nextTurn();
      sliceEndMs = clock.monotonic() + sliceMs;
    }
  }

  #decide(queued: QueuedPod): void {
    const { clock, events, log, metrics } = this.#options;
    const { pod } = queued;
    if (pod.isTerminating) {
      this.#queue.done(queued);
      events.event(pod.pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${pod.namespace}/${pod.name}`);
      return;
    }
    const startMs = clock.monotonic();
    const selection = this.#selector.select(pod);
    if (selection.node) {
      const reserved = this.#reserve(pod, selection.node);
      this.#watch.assume(pod, selection.node.name);
      if (reserved.length === 0) this.#perform(this.#bind(queued, selection, startMs));
      else this.#perform(this.#bindReserved(queued, selection, startMs, reserved), this.#reserving);
    } else {
      this.#reject(queued, selection);
      metrics?.attempted('unschedulable', this.#secondsSince(startMs));
    }
    metrics?.decided(this.#secondsSince(startMs));
    if (log.isDebug) tellDecision(log, pod, selection);
  }

  #reserve(pod: PodFacts, node: NodeFacts): readonly Reserved[] {
    return this.#plugins.flatMap(({ name, reserve }) => {
      const reservation = reserve?.(pod, node);
      return reservation ? [{ name, reservation }] : [];
    });
  }

  async #bindReserved(queued: QueuedPod, selection: Placed, startMs: number, reserved: readonly Reserved[]): Promise<void> {
    const { uid } = queued.pod;
    const stop = new AbortController();
    this.#stopReserving.set(uid, stop);
    try {
      for (const { name, reservation } of reserved) {
        await reservation.preBind(stop.signal).catch((error: unknown) => {
          throw new Error(`running PreBind plugin "${name}": ${messageOf(error)}`, { cause: error });
        });
      }
      await this.#bind(queued, selection, startMs);
    } catch (error) {
      this.#watch.forget(uid);
      this.#fail(queued, error);
    } finally {
      this.#stopReserving.delete(uid);
      for (const { reservation } of reserved) reservation.release();
    }
  }

  async #bind(queued: QueuedPod, { node, choice }: Placed, startMs: number): Promise<void> {
    const { client, events, metrics } = this.#options;
    const { pod, uid } = queued.pod;
    const { namespace, name } = pod.metadata;
    const nodeName = node.name;
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target: { kind: 'Node', name: nodeName } };
    try {
      await client.post(Pod, { namespace, name }, 'binding', binding, { why: () => describeChoice(choice) });
    } catch (error) {
      this.#watch.forget(uid);
      this.#fail(queued, new Error(`running Bind plugin "DefaultBinder": ${messageOf(error)}`, { cause: error }));
      return;
    }
    this.#queue.done(queued);
    metrics?.attempted('scheduled', this.#secondsSince(startMs));
    metrics?.scheduled(queued.attempts, this.#secondsSince(queued.firstMs));
    events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`);
  }

  /** No node does: says so, and sees to it that one will where that is possible. */
  #reject(queued: QueuedPod, { attempt, diagnosis }: Extract<NodeSelection, { node: undefined }>): void {
    const { clock, metrics } = this.#options;
    const { pod } = queued;
    const given = { budgets: this.#budgets.list(), nowMs: clock.now(), random: this.#random };
    const plan = planPreemption(attempt, diagnosis, given);
    metrics?.preemptionTried();
    this.#queue.reject(queued, this.#hintsOf(rejectingPlugins(diagnosis)));
    const message = describeDiagnosis(diagnosis, plan.do === 'evict' ? '' : plan.message);
    const nominatedNodeName = plan.do === 'nothing' ? undefined : plan.do === 'evict' ? plan.candidate.node.name : null;
    this.#say(pod, { reason: 'Unschedulable', message, nominatedNodeName });
    if (plan.do === 'evict') this.#perform(this.#preempt(pod, plan.candidate));
  }

  async #preempt(preemptor: PodFacts, candidate: Candidate): Promise<void> {
    const { log, metrics } = this.#options;
    const { uid } = preemptor;
    metrics?.preempted(candidate.victims.length);
    this.#queue.hold(uid);
    let failed = false;
    try {
      const behind = this.#watch.nominator.behind(preemptor, candidate.node.name);
      await evictVictims({ preemptor, candidate, behind }, this.#options);
    } catch (error) {
      failed = true;
      if (!this.#stopped) log.warn({ error, pod: `${preemptor.namespace}/${preemptor.name}` }, 'preemption failed');
    }
    this.#queue.release(uid, failed);
  }

  /** Something went wrong that has nothing to do with the pod: it is tried again after a while. */
  #fail(queued: QueuedPod, error: unknown): void {
    const { log, metrics } = this.#options;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    if (this.#stopped) return;
    metrics?.attempted('error', 0);
    this.#queue.fail(queued);
    if (isNotFound(cause) || !this.#queue.get(queued.pod.uid)) return; // gone, or placed by somebody else
    log.warn({ error, pod: `${queued.pod.namespace}/${queued.pod.name}` }, 'scheduling failed');
    this.#say(queued.pod, { reason: 'SchedulerError', message: messageOf(error), nominatedNodeName: null });
  }

  #say(pod: PodFacts, change: PodStatusChange): void {
    if (change.nominatedNodeName !== undefined) this.#watch.nominator.nominate(pod, change.nominatedNodeName ?? undefined);
    this.#options.events.event(pod.pod, 'Warning', 'FailedScheduling', shortened(change.message));
    this.#statuses.write(pod, change);
  }

  #hintsOf(rejecting: ReadonlySet<string>): readonly EventHints[] {
    const hints = this.#plugins.flatMap(({ name, unblockedBy }) => (unblockedBy && rejecting.has(name) ? unblockedBy : []));
    return hints.length ? hints : [{ 'node-added': always }];
  }

  #perform(effect: Promise<void>, among = this.#effects): void {
    const tracked = effect.finally(() => {
      among.delete(tracked);
      this.#onEffectEnded();
    });
    among.add(tracked);
  }

  #effectEnded(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEffectEnded = resolve;
    });
  }

  #secondsSince(startMs: number): number {
    return (this.#options.clock.monotonic() - startMs) / 1000;
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const shortened = (message: string): string => (message.length <= messageMax ? message : `${message.slice(0, messageMax - 4)} ...`);

function tellDecision(log: Log, { namespace, name }: PodFacts, selection: NodeSelection): void {
  const pod = `${namespace}/${name}`;
  if (selection.node) log.debug({ pod, node: selection.node.name }, 'a node was chosen');
  else log.debug({ pod, why: describeDiagnosis(selection.diagnosis) }, 'no node fits');
}
