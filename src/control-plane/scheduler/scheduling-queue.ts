/**
 * The pods that wait for a node. Active ones are tried by priority, then by age; those that failed wait for an event of
 * the cluster that may have made room (or a long time), and then until their back-off is over, unless there is nothing
 * else to try; those with scheduling gates wait until the gates are gone.
 *
 * Nothing polls: one timer stands for the next moment at which an error's back-off or that long time ends.
 * Upstream: pkg/scheduler/backend/queue/scheduling_queue.go.
 */
import type { Clock, Timer } from '../../client/clock.ts';
import type { ClusterEvent, EventHints } from './framework.ts';
import { Heap } from './heap.ts';
import type { PodFacts } from './pod-facts.ts';

const backOffMs = { initial: 1000, max: 10_000 } as const;
/** Back-offs that end within one window are ordered by priority. */
const backOffWindowMs = 1000;
/** An event can be missed by a plugin's own fault: after this long a pod is tried again anyway. */
const unschedulableMsMax = 5 * 60_000;

export interface QueueCounts {
  readonly active: number;
  readonly backOff: number;
  readonly unschedulable: number;
  readonly gated: number;
}

type State = 'active' | 'back-off' | 'error-back-off' | 'unschedulable' | 'gated' | 'in-flight';

/** A pod in the queue, or out of it to be tried. */
export interface QueuedPod {
  /** as it was seen last */
  readonly pod: PodFacts;
  /** tries, with the one that is under way */
  readonly attempts: number;
  /** when it could first be tried */
  readonly firstMs: number;
}

interface Entry extends QueuedPod {
  pod: PodFacts;
  attempts: number;
  firstMs: number;
  state: State;
  /** changes with the state, so that heaps know what they hold in vain */
  ticket: number;
  /** when it came, or failed last; and which came first at that time */
  sinceMs: number;
  sequence: number;
  /** rejections in all; errors in a row */
  rejections: number;
  errors: number;
  dueMs: number;
  hints: readonly EventHints[];
}

interface Place {
  readonly entry: Entry;
  readonly ticket: number;
}

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #onReady: () => void;
  readonly #entries = new Map<string, Entry>();
  readonly #active = new Heap<Place>((a, b) => isBefore(a.entry, b.entry));
  readonly #backOff = new Heap<Place>((a, b) => isDueBefore(a.entry, b.entry));
  readonly #errors = new Heap<Place>((a, b) => isDueBefore(a.entry, b.entry));
  /** in the order in which they failed */
  readonly #unschedulable = new Map<string, Entry>();
  /** the same, by the events that they wait for */
  readonly #waitingFor = new Map<ClusterEvent['type'], Set<Entry>>();
  /** not to be tried for now; true: an event has come for them */
  readonly #held = new Map<string, boolean>();
  #sequence = 0;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  /** `onReady`: there is something to pop. */
  constructor(clock: Clock, onReady: () => void) {
    this.#clock = clock;
    this.#onReady = onReady;
  }

  get counts(): QueueCounts {
    const counts = { active: 0, backOff: 0, unschedulable: 0, gated: 0 };
    for (const { state } of this.#entries.values()) {
      if (state === 'back-off' || state === 'error-back-off') counts.backOff++;
      else if (state !== 'in-flight') counts[state]++;
    }
    return counts;
  }

  /** As it was seen last; also of a pod that is being tried. */
  get(uid: string): PodFacts | undefined {
    return this.#entries.get(uid)?.pod;
  }

  add(pod: PodFacts): void {
    const nowMs = this.#clock.monotonic();
    const entry: Entry = {
      pod,
      attempts: 0,
      firstMs: Number.NaN,
      state: 'gated',
      ticket: 0,
      sinceMs: nowMs,
      sequence: this.#sequence++,
      rejections: 0,
      errors: 0,
      dueMs: 0,
      hints: [],
    };
    this.#entries.set(pod.uid, entry);
    this.#activate(entry);
  }

  /** The pod's own object changed. */
  update(pod: PodFacts): void {
    const entry = this.#entries.get(pod.uid);
    if (!entry) return;
    const old = entry.pod;
    entry.pod = pod;
    if (entry.state === 'gated') this.#activate(entry);
    else if (entry.state === 'unschedulable' && helps(entry, { type: 'own-pod-changed', pod, old })) this.#retry(entry);
  }

  delete(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#leave(entry, 'in-flight');
    this.#entries.delete(uid);
    this.#held.delete(uid);
  }

  /** The next to try. It stays known until it is rejected, failed or done. */
  pop(): QueuedPod | undefined {
    this.#activateDue();
    const entry = take(this.#active, 'active') ?? take(this.#backOff, 'back-off');
    if (!entry) return undefined;
    this.#leave(entry, 'in-flight');
    entry.attempts++;
    return entry;
  }

  /** It has a node, or needs none. */
  done(queued: QueuedPod): void {
    if (this.#isInFlight(queued)) this.#entries.delete(queued.pod.uid);
  }

  /** No node does. It waits for an event that one of these expects help from. */
  reject(queued: QueuedPod, hints: readonly EventHints[]): void {
    const entry = this.#isInFlight(queued);
    if (!entry) return; // deleted while it was tried
    entry.rejections++;
    entry.errors = 0;
    entry.hints = hints;
    this.#restart(entry);
    this.#leave(entry, 'unschedulable');
    this.#unschedulable.set(entry.pod.uid, entry);
    for (const type of eventTypes(hints)) {
      const waiting = this.#waitingFor.get(type) ?? new Set();
      waiting.add(entry);
      this.#waitingFor.set(type, waiting);
    }
    this.#wakeAt(entry.sinceMs + unschedulableMsMax);
  }

  /** Something went wrong on the way (a conflict, a lost connection): again after its back-off. */
  fail(queued: QueuedPod): void {
    const entry = this.#isInFlight(queued);
    if (!entry) return;
    entry.errors++;
    this.#restart(entry);
    this.#leave(entry, 'error-back-off');
    this.#errors.push({ entry, ticket: entry.ticket });
    this.#wakeAt(entry.dueMs);
  }

  /** Moves the pods that wait for this on; `concerns` says which it is about, when not about all. */
  happened(event: ClusterEvent, concerns?: (pod: PodFacts) => boolean): void {
    const waiting = this.#waitingFor.get(event.type);
    if (!waiting?.size) return;
    for (const entry of [...waiting]) {
      if ((concerns?.(entry.pod) ?? true) && helps(entry, event)) this.#retry(entry);
    }
  }

  /** The pod, which was just rejected, is not tried before `release`: what it waits for is on its way. */
  hold(uid: string): void {
    if (this.#unschedulable.has(uid)) this.#held.set(uid, false);
  }

  /** `again`: it is tried even if no event came for it. */
  release(uid: string, again = false): void {
    const wanted = this.#held.get(uid);
    this.#held.delete(uid);
    const entry = this.#unschedulable.get(uid);
    if (entry && (wanted || again)) this.#retry(entry);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#entries.clear();
    this.#unschedulable.clear();
    this.#waitingFor.clear();
    for (const heap of [this.#active, this.#backOff, this.#errors]) heap.clear();
  }

  #isInFlight(queued: QueuedPod): Entry | undefined {
    const entry = this.#entries.get(queued.pod.uid);
    return entry === queued && entry.state === 'in-flight' ? entry : undefined;
  }

  /** It failed now: its age and its back-off begin anew. */
  #restart(entry: Entry): void {
    entry.sinceMs = this.#clock.monotonic();
    entry.sequence = this.#sequence++;
    const failures = entry.errors || entry.rejections;
    entry.dueMs = entry.sinceMs + Math.min(backOffMs.max, backOffMs.initial * 2 ** (failures - 1));
  }

  /** An event came for it: it can be tried, and is once its back-off is over or nothing else is there to try. */
  #retry(entry: Entry): void {
    if (this.#held.has(entry.pod.uid)) {
      this.#held.set(entry.pod.uid, true);
      return;
    }
    if (entry.dueMs <= this.#clock.monotonic()) {
      this.#activate(entry);
      return;
    }
    this.#leave(entry, 'back-off');
    this.#backOff.push({ entry, ticket: entry.ticket });
    this.#onReady();
  }

  #activate(entry: Entry): void {
    if (entry.pod.pod.spec.schedulingGates?.length) {
      this.#leave(entry, 'gated');
      return;
    }
    if (Number.isNaN(entry.firstMs)) entry.firstMs = this.#clock.monotonic();
    this.#leave(entry, 'active');
    this.#active.push({ entry, ticket: entry.ticket });
    this.#onReady();
  }

  #leave(entry: Entry, next: State): void {
    if (entry.state === 'unschedulable') {
      this.#unschedulable.delete(entry.pod.uid);
      for (const type of eventTypes(entry.hints)) this.#waitingFor.get(type)?.delete(entry);
    }
    entry.state = next;
    entry.ticket++;
  }

  #activateDue(): void {
    const nowMs = this.#clock.monotonic();
    for (const heap of [this.#backOff, this.#errors]) {
      for (let top = heap.peek(); top && top.entry.dueMs <= nowMs; top = heap.peek()) {
        heap.pop();
        if (top.ticket === top.entry.ticket) this.#activate(top.entry);
      }
    }
    for (const entry of this.#unschedulable.values()) {
      if (entry.sinceMs + unschedulableMsMax > nowMs) break;
      this.#retry(entry);
    }
  }

  #wakeAt(dueMs: number): void {
    if (dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      this.#activateDue();
      this.#wakeAt(this.#errors.peek()?.entry.dueMs ?? Number.POSITIVE_INFINITY);
      const oldest = this.#unschedulable.values().next();
      // one that is overdue is held back
      if (!oldest.done) this.#wakeAt(Math.max(oldest.value.sinceMs + unschedulableMsMax, this.#clock.monotonic() + backOffMs.max));
    }, dueMs - this.#clock.monotonic());
  }
}

const helps = ({ hints, pod }: Entry, event: ClusterEvent): boolean =>
  hints.some((hint) => (hint[event.type] as ((pod: PodFacts, event: ClusterEvent) => boolean) | undefined)?.(pod, event));

function eventTypes(hints: readonly EventHints[]): ReadonlySet<ClusterEvent['type']> {
  return new Set(hints.flatMap((hint) => Object.keys(hint) as ClusterEvent['type'][]));
}

const isBefore = (a: Entry, b: Entry): boolean => {
  if (a.pod.priority !== b.pod.priority) return a.pod.priority > b.pod.priority;
  return a.sinceMs === b.sinceMs ? a.sequence < b.sequence : a.sinceMs < b.sinceMs;
};

const isDueBefore = (a: Entry, b: Entry): boolean => {
  const window = (entry: Entry): number => Math.floor(entry.dueMs / backOffWindowMs);
  return window(a) === window(b) ? isBefore(a, b) : window(a) < window(b);
};

function take(heap: Heap<Place>, state: State): Entry | undefined {
  for (let place = heap.pop(); place; place = heap.pop()) {
    if (place.ticket === place.entry.ticket && place.entry.state === state) return place.entry;
  }
  return undefined;
}
