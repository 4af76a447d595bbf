/**
 * The pods that wait for a node: active ones by priority, then by age; those that just failed, until their back-off is
 * over; and unschedulable ones, until an event of the cluster may have made room, or a long time has passed.
 *
 * Nothing polls: one timer stands for the next moment at which a back-off or that long time ends.
 * Upstream: pkg/scheduler/backend/queue/scheduling_queue.go.
 */
import type { Clock, Timer } from '../../client/clock.ts';
import type { ClusterEvent } from './framework.ts';
import type { PodFacts } from './pod-facts.ts';

const backOffMs = { initial: 1000, max: 10_000 } as const;
/** An event can be missed by a plugin's own fault: after this long a pod is tried again anyway. */
const unschedulableMsMax = 5 * 60_000;

export interface QueuedPod {
  readonly pod: PodFacts;
  readonly addedMs: number;
  readonly attempts: number;
}

interface Waiting extends QueuedPod {
  /** active, or waiting until `dueMs`; an unschedulable one also for these events */
  readonly state: 'active' | 'back-off' | 'unschedulable';
  readonly dueMs: number;
  readonly failedMs: number;
  readonly unblockedBy: ReadonlySet<ClusterEvent>;
}

const noEvents: ReadonlySet<ClusterEvent> = new Set();

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #onActive: () => void;
  readonly #pods = new Map<string, Waiting>();
  /** a binary heap of uids; entries whose pod is no longer active are skipped when they come up */
  readonly #heap: QueuedPod[] = [];
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  /** events that came while a pod was being tried: it must not sleep through them */
  readonly #inFlight = new Map<string, Set<ClusterEvent>>();

  constructor(clock: Clock, onActive: () => void) {
    this.#clock = clock;
    this.#onActive = onActive;
  }

  get counts(): { active: number; backOff: number; unschedulable: number } {
    const counts = { active: 0, backOff: 0, unschedulable: 0 };
    for (const { state } of this.#pods.values()) counts[state === 'back-off' ? 'backOff' : state]++;
    return counts;
  }

  has(uid: string): boolean {
    return this.#pods.has(uid);
  }

  /** It was popped, and nothing has come of it yet. */
  isInFlight(uid: string): boolean {
    return this.#inFlight.has(uid);
  }

  add(pod: PodFacts): void {
    const known = this.#pods.get(pod.uid);
    this.#activate({ pod, addedMs: known?.addedMs ?? this.#clock.monotonic(), attempts: known?.attempts ?? 0 });
  }

  /** The pod's own object changed. */
  update(pod: PodFacts, unblocks: boolean): void {
    const known = this.#pods.get(pod.uid);
    if (!known) return;
    if (known.state === 'unschedulable' && unblocks) this.#retry({ ...known, pod });
    else this.#pods.set(pod.uid, { ...known, pod });
  }

  delete(uid: string): void {
    this.#pods.delete(uid);
    this.#inFlight.delete(uid);
  }

  /** The next to try. It is out of the queue until `fail` or `requeue` puts it back, or `done`. */
  pop(): QueuedPod | undefined {
    for (;;) {
      const top = popHeap(this.#heap);
      if (!top) return undefined;
      const waiting = this.#pods.get(top.pod.uid);
      if (waiting?.state !== 'active' || waiting.addedMs !== top.addedMs || waiting.attempts !== top.attempts) continue;
      this.#pods.delete(top.pod.uid);
      this.#inFlight.set(top.pod.uid, new Set());
      return { pod: waiting.pod, addedMs: waiting.addedMs, attempts: waiting.attempts + 1 };
    }
  }

  done(uid: string): void {
    this.#inFlight.delete(uid);
  }

  /** No node does. It waits for one of these events. */
  fail(queued: QueuedPod, unblockedBy: ReadonlySet<ClusterEvent>): void {
    const meanwhile = this.#inFlight.get(queued.pod.uid);
    if (!meanwhile) return; // deleted while it was tried
    this.#inFlight.delete(queued.pod.uid);
    const nowMs = this.#clock.monotonic();
    const waiting: Waiting = { ...queued, state: 'unschedulable', dueMs: nowMs + unschedulableMsMax, failedMs: nowMs, unblockedBy };
    if (intersects(meanwhile, unblockedBy)) this.#retry(waiting);
    else this.#wait(waiting);
  }

  /** Something went wrong on the way (a conflict, a lost connection): again after its back-off. */
  requeue(queued: QueuedPod): void {
    if (!this.#inFlight.delete(queued.pod.uid)) return;
    this.#retry({ ...queued, state: 'unschedulable', dueMs: 0, failedMs: this.#clock.monotonic(), unblockedBy: noEvents });
  }

  /** Moves the pods that wait for this event on; `mayHelp` can spare one of them a vain try. */
  happened(event: ClusterEvent, mayHelp?: (pod: PodFacts) => boolean): void {
    for (const events of this.#inFlight.values()) events.add(event);
    for (const waiting of [...this.#pods.values()]) {
      if (waiting.state === 'unschedulable' && waiting.unblockedBy.has(event) && (mayHelp?.(waiting.pod) ?? true)) this.#retry(waiting);
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#pods.clear();
    this.#heap.length = 0;
  }

  /** At once when its back-off is over, else when it ends. */
  #retry(waiting: Waiting): void {
    const dueMs = waiting.failedMs + Math.min(backOffMs.max, backOffMs.initial * 2 ** Math.max(0, waiting.attempts - 1));
    if (dueMs <= this.#clock.monotonic()) this.#activate(waiting);
    else this.#wait({ ...waiting, state: 'back-off', dueMs });
  }

  #activate({ pod, addedMs, attempts }: QueuedPod): void {
    this.#pods.set(pod.uid, { pod, addedMs, attempts, state: 'active', dueMs: 0, failedMs: 0, unblockedBy: noEvents });
    pushHeap(this.#heap, { pod, addedMs, attempts });
    this.#onActive();
  }

  #wait(waiting: Waiting): void {
    this.#pods.set(waiting.pod.uid, waiting);
    if (waiting.dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = waiting.dueMs;
    this.#timer = this.#clock.setTimeout(() => this.#due(), waiting.dueMs - this.#clock.monotonic());
  }

  #due(): void {
    const nowMs = this.#clock.monotonic();
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const waiting of [...this.#pods.values()]) {
      if (waiting.state === 'active') continue;
      if (waiting.dueMs <= nowMs) this.#activate(waiting);
      else nextMs = Math.min(nextMs, waiting.dueMs);
    }
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timerDueMs = nextMs;
    this.#timer = this.#clock.setTimeout(() => this.#due(), nextMs - nowMs);
  }
}

const intersects = (a: ReadonlySet<ClusterEvent>, b: ReadonlySet<ClusterEvent>): boolean => [...a].some((event) => b.has(event));

const isBefore = (a: QueuedPod, b: QueuedPod): boolean =>
  a.pod.priority === b.pod.priority ? a.addedMs < b.addedMs : a.pod.priority > b.pod.priority;

function pushHeap(heap: QueuedPod[], item: QueuedPod): void {
  let i = heap.push(item) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    const above = heap[parent];
    if (!above || !isBefore(item, above)) break;
    heap[i] = above;
    heap[parent] = item;
    i = parent;
  }
}

function popHeap(heap: QueuedPod[]): QueuedPod | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (!last || heap.length === 0) return top;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    const left = heap[child];
    if (!left) break;
    const right = heap[child + 1];
    const smaller = right && isBefore(right, left) ? right : left;
    if (smaller === right) child++;
    if (!isBefore(smaller, last)) break;
    heap[i] = smaller;
    i = child;
  }
  heap[i] = last;
  return top;
}
