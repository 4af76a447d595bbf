/**
 * Runtime events by comparing lists: the pod lifecycle event generator of runtimes that do not tell what changed.
 *
 * Hints say when to look. After one the state is listed at once, and again a few times, since a hint comes before the
 * runtime has acted on it: a change that is seen meanwhile may be an earlier one of the same container. Without hints (the runtime has none, or is away) it is listed every
 * second, with them every minute to be safe.
 * Upstream: pkg/kubelet/pleg/generic.go, evented.go.
 */
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { type ContainerRuntime, isRuntimeError, type RuntimeEvent } from './container-runtime.ts';
import { EventQueue } from './event-queue.ts';

export interface RelistOptions {
  readonly runtime: Pick<ContainerRuntime, 'listPodSandbox' | 'listContainers'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Ids of containers of which something may have changed; throws when it can't tell (any more). */
  hints(signal: AbortSignal): AsyncIterable<string>;
  readonly signal: AbortSignal;
}

const relistMs = 1000;
const relistWithHintsMs = 60_000;
/** How long after a hint to look: the first catches hints of the same moment, the others a runtime that is slow to act. */
const hintDelaysMs = [10, 30, 100, 300, 1000];
const hintRetryMs = 1000;

type Life = 'created' | 'running' | 'stopped';
export interface Listed {
  readonly podUid: string;
  readonly podSandboxId: string;
  readonly life: Life;
}
/** By container id; sandboxes are in it too. */
export type Listing = ReadonlyMap<string, Listed>;

const lives = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'stopped',
  CONTAINER_UNKNOWN: 'stopped',
  SANDBOX_READY: 'running',
  SANDBOX_NOTREADY: 'stopped',
} as const;

export function planEvents(before: Listing, after: Listing): RuntimeEvent[] {
  const events: RuntimeEvent[] = [];
  const tell = (type: RuntimeEvent['type'], containerId: string, { podUid, podSandboxId }: Listed): void => {
    events.push({ type, podUid, podSandboxId, containerId });
  };
  for (const [id, now] of after) {
    if (before.get(id)?.life === now.life) continue;
    tell(now.life === 'running' ? 'started' : now.life, id, now);
  }
  for (const [id, then] of before) {
    if (after.has(id)) continue;
    if (then.life === 'running') tell('stopped', id, then);
    tell('deleted', id, then);
  }
  return events;
}

export async function* relistedEvents(options: RelistOptions): AsyncGenerator<RuntimeEvent> {
  const queue = new EventQueue();
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const relister = new Relister(options, queue, signal);
  const work = Promise.all([relister.watch(), relister.followHints()]);
  try {
    yield* queue.read(signal);
  } finally {
    ended.abort();
    await work;
  }
}

class Relister {
  readonly #options: RelistOptions;
  readonly #queue: EventQueue;
  readonly #signal: AbortSignal;
  #listing: Listing = new Map();
  #periodMs: number = relistMs;
  /** how often was looked since the last hint */
  #looks = hintDelaysMs.length;
  #wake: (() => void) | undefined;

  constructor(options: RelistOptions, queue: EventQueue, signal: AbortSignal) {
    this.#options = options;
    this.#queue = queue;
    this.#signal = signal;
  }

  /** Lists when it is time, until aborted. */
  async watch(): Promise<void> {
    while (!this.#signal.aborted) {
      await this.#relist();
      const delayMs = hintDelaysMs[this.#looks++];
      await this.#rest(delayMs ?? this.#periodMs, delayMs !== hintDelaysMs[0]);
    }
  }

  /** Keeps a stream of hints open. */
  async followHints(): Promise<void> {
    const { clock, log, hints } = this.#options;
    while (!this.#signal.aborted) {
      // a stream that can't be opened fails at once
      this.#periodMs = relistWithHintsMs;
      try {
        for await (const _ of hints(this.#signal)) this.#hint();
      } catch (error) {
        this.#periodMs = relistMs;
        this.#wake?.();
        if (isRuntimeError(error, 'Unimplemented')) return;
        log.debug({ error }, 'the runtime tells no events: its containers are listed instead');
      }
      await clock.sleep(hintRetryMs, this.#signal).catch(() => undefined);
    }
  }

  #hint(): void {
    this.#looks = 0;
    this.#wake?.();
  }

  async #relist(): Promise<void> {
    const { runtime, log } = this.#options;
    try {
      const listing = await listAll(runtime, this.#signal);
      const events = planEvents(this.#listing, listing);
      this.#listing = listing;
      for (const event of events) this.#queue.push(event);
    } catch (error) {
      if (!this.#signal.aborted) log.debug({ error }, 'the containers can not be listed');
    }
  }

  /** Until the time is over, a hint comes (when `wakeable`), or all ends. */
  #rest(delayMs: number, wakeable: boolean): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#wake = undefined;
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#options.clock.setTimeout(done, delayMs);
      if (wakeable) this.#wake = done;
      this.#signal.addEventListener('abort', done, { once: true });
    });
  }
}

async function listAll(runtime: RelistOptions['runtime'], signal: AbortSignal): Promise<Listing> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandbox({}, { signal }), runtime.listContainers({}, { signal })]);
  const uids = new Map(sandboxes.map((sandbox) => [sandbox.id, sandbox.metadata.uid]));
  return new Map<string, Listed>([
    ...sandboxes.map(({ id, metadata, state }) => [id, { podUid: metadata.uid, podSandboxId: id, life: lives[state] }] as const),
    ...containers.map(
      ({ id, podSandboxId, state }) => [id, { podUid: uids.get(podSandboxId) ?? '', podSandboxId, life: lives[state] }] as const,
    ),
  ]);
}
