/**
 * Tells the API what has become of the pods: the last status of each, only when it changed, one write per pod at a time
 * and a bounded number in all. A pod that is marked for deletion and has ended is deleted for good.
 *
 * Guarantees: a later status is never overtaken by an earlier one; a failed write is tried again; a pod of the same name
 * but another uid is never touched.
 * Upstream: pkg/kubelet/status/status_manager.go.
 */
import type { Pod, PodStatus } from '../../../api/generated/core-v1.ts';
import { Pod as PodKind } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { compareResourceVersions } from '../../../api/meta/resource-version.ts';
import { isConflict, isNotFound, isStatusError } from '../../../api/meta/status-error.ts';
import { own, put } from '../../../api/meta/words.ts';
import { isTerminalPhase } from '../../../api/predicates/pod-state.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock, Timer } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import type { Log } from '../../../client/log.ts';
import { ContainerTerminations } from './container-terminations.ts';
import { mergePodStatus, sameStatus } from './pod-status.ts';

export interface StatusManagerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** the newest pod of that uid that the API told of */
  currentPod(uid: string): Pod | undefined;
  /** Its containers may still run: it must not become terminal yet. */
  mayHaveRunningContainers(uid: string): boolean;
}

interface Told {
  pod: Pod;
  status: PodStatus;
  version: number;
  written: number;
  /** Everything of it is cleaned up. */
  finished: boolean;
  writing: boolean;
  /** in a row */
  failures: number;
  /** as the last write left it */
  latest?: Pod;
}

const writesMax = 16;
const retryMs = { first: 2_000, max: 60_000 } as const;

export class StatusManager implements Disposable {
  readonly terminations = new ContainerTerminations();
  readonly #options: StatusManagerOptions;
  readonly #told = new Map<string, Told>();
  readonly #queue = new Set<string>();
  readonly #retries = new Set<Timer>();
  #writes = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: StatusManagerOptions) {
    this.#options = options;
  }

  /** The last one that was set. */
  get(uid: string): PodStatus | undefined {
    return this.#told.get(uid)?.status;
  }

  set(pod: Pod, status: PodStatus): void {
    const { uid } = pod.metadata;
    const before = this.#told.get(uid);
    this.terminations.observe(before?.status ?? pod.status, status);
    if (!before) {
      this.#told.set(uid, { pod, status, version: 1, written: 0, finished: false, writing: false, failures: 0 });
    } else {
      before.pod = pod;
      if (sameStatus(before.status, status)) return;
      before.status = status;
      before.version++;
    }
    this.#enqueue(uid);
  }

  /** Its containers and volumes are gone: what is marked for deletion can be deleted. */
  finish(pod: Pod): void {
    const told = this.#told.get(pod.metadata.uid);
    if (!told) return;
    told.finished = true;
    told.version++;
    this.#enqueue(pod.metadata.uid);
  }

  /** The API told of a change: what it says may differ from what was told, and the pod may be deletable now. */
  reconcile(pod: Pod): void {
    const told = this.#told.get(pod.metadata.uid);
    if (!told || told.written < told.version) return;
    const differs = !sameStatus(
      pod.status,
      mergePodStatus(pod.status, told.status, this.#options.mayHaveRunningContainers(pod.metadata.uid)),
    );
    if (differs || this.#deletable(pod, told)) {
      told.version++;
      this.#enqueue(pod.metadata.uid);
    }
  }

  /** The pod is gone from the API. */
  forget(uid: string): void {
    this.#told.delete(uid);
    this.#queue.delete(uid);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#retries) timer.cancel();
    this.#queue.clear();
  }

  /** Resolves when there is nothing to write. */
  async settled(): Promise<void> {
    if (this.#writes === 0 && this.#queue.size === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #enqueue(uid: string): void {
    this.#queue.add(uid);
    this.#pump();
  }

  #pump(): void {
    for (const uid of this.#queue) {
      if (this.#writes >= writesMax) return;
      const told = this.#told.get(uid);
      if (told?.writing) continue;
      this.#queue.delete(uid);
      if (!told) continue;
      this.#writes++;
      told.writing = true;
      detach(
        () =>
          this.#write(uid, told).finally(() => {
            told.writing = false;
            this.#writes--;
            this.#pump();
          }),
        (error) => this.#options.log.error({ error, pod: told.pod.metadata.name }, 'pod status not written'),
      );
    }
    if (this.#writes === 0 && this.#queue.size === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  async #write(uid: string, told: Told): Promise<void> {
    const { clock, log, signal } = this.#options;
    const { version } = told;
    try {
      const pod = await this.#writeStatus(uid, told);
      told.written = Math.max(told.written, version);
      told.failures = 0;
      if (pod && this.#deletable(pod, told)) await this.#delete(pod);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ error, pod: told.pod.metadata.name, namespace: told.pod.metadata.namespace }, 'pod status not written');
      const timer = clock.setTimeout(
        () => {
          this.#retries.delete(timer);
          if (this.#told.get(uid) === told) this.#enqueue(uid);
        },
        Math.min(retryMs.first * 2 ** told.failures++, retryMs.max),
      );
      this.#retries.add(timer);
    }
  }

  /** The pod as it is then; undefined when it is gone. */
  async #writeStatus(uid: string, told: Told): Promise<Pod | undefined> {
    const { client, signal } = this.#options;
    const { name, namespace } = told.pod.metadata;
    const at = { name, namespace };
    try {
      const current = newer(told.latest, this.#options.currentPod(uid)) ?? (await client.get(PodKind, at, { signal }));
      if (current.metadata.uid !== uid) return undefined;
      const merged = mergePodStatus(current.status, told.status, this.#options.mayHaveRunningContainers(uid));
      const body = planStatusPatch(uid, current.status, merged);
      if (!body) return current;
      told.latest = await client.patch(PodKind, at, { type: 'strategic', body }, { subresource: 'status', signal });
      return told.latest;
    } catch (error) {
      // Gone, or replaced by another of the same name.
      if (isNotFound(error) || isConflict(error)) return undefined;
      throw error;
    }
  }

  #deletable(pod: Pod, told: Told): boolean {
    return pod.metadata.deletionTimestamp !== undefined && told.finished && isTerminalPhase(pod.status.phase);
  }

  async #delete(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    try {
      const { signal } = this.#options;
      await this.#options.client.delete(PodKind, { name, namespace }, { gracePeriodSeconds: 0, preconditions: { uid }, signal });
    } catch (error) {
      if (!isStatusError(error) || !(isNotFound(error) || isConflict(error))) throw error;
    }
  }
}

/** The informer may lag behind the own writes. */
function newer(written: Pod | undefined, watched: Pod | undefined): Pod | undefined {
  if (!written || !watched) return watched;
  return compareResourceVersions(written.metadata.resourceVersion, watched.metadata.resourceVersion) > 0 ? written : watched;
}

/** Lists that the server merges by key: elements that are gone have to be named. */
const mergeKeys: Readonly<Record<string, string>> = { conditions: 'type', podIPs: 'ip', hostIPs: 'ip' };

/** A strategic merge patch with what differs, or undefined when nothing does. */
export function planStatusPatch(uid: string, current: PodStatus, next: PodStatus): unknown {
  const before = current as Readonly<Record<string, unknown>>;
  const after = next as Readonly<Record<string, unknown>>;
  const status: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(after)) {
    if (equalSemantically(own(before, field), value)) continue;
    const key = own(mergeKeys, field);
    if (key) Object.assign(status, planListPatch(field, key, { before: listOf(own(before, field)), after: listOf(value) }));
    else put(status, field, value);
  }
  for (const field of ownedFields) if (own(before, field) !== undefined && own(after, field) === undefined) put(status, field, null);
  return Object.keys(status).length > 0 ? { metadata: { uid }, status } : undefined;
}

/** Fields that the kubelet takes away again. */
const ownedFields = ['reason', 'message', 'podIP', 'podIPs', 'initContainerStatuses', 'ephemeralContainerStatuses'];

type Item = Readonly<Record<string, unknown>>;
const listOf = (value: unknown): readonly Item[] => (Array.isArray(value) ? (value as Item[]) : []);

function planListPatch(
  field: string,
  key: string,
  { before, after }: { readonly before: readonly Item[]; readonly after: readonly Item[] },
): Record<string, unknown> {
  const changed = after.flatMap((item) => {
    const old = before.find((o) => own(o, key) === own(item, key));
    if (!old) return [item];
    if (equalSemantically(old, item)) return [];
    const gone = Object.keys(old).filter((name) => own(item, name) === undefined);
    return [{ ...item, ...Object.fromEntries(gone.map((name) => [name, null])) }];
  });
  const removed = before
    .filter((old) => !after.some((item) => own(item, key) === own(old, key)))
    .map((old) => ({ [key]: own(old, key), $patch: 'delete' }));
  return { [`$setElementOrder/${field}`]: after.map((item) => ({ [key]: own(item, key) })), [field]: [...changed, ...removed] };
}
