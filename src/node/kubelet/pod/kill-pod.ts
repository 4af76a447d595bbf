/**
 * Ends containers, and whole pods: preStop hook, stop signal, grace period, kill. Sidecars end after the regular
 * containers, the last one first. A signal that is aborted ends the waiting, so that it can be begun again with a
 * shorter grace period.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer), kuberuntime_termination_order.go.
 */
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { allContainers } from '../../../api/predicates/pod-references.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import type { Clock } from '../../../client/clock.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { Log } from '../../../client/log.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import { containerFieldPath } from '../container/container-identity.ts';
import { runHook } from '../container/lifecycle-hook.ts';
import type { ObservedContainer, ObservedPod } from './observed-pod.ts';
import type { KillReason } from './plan-pod.ts';

export interface KillContext {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly log: Log;
}

export interface KillTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerID: string;
  readonly podIP: string | undefined;
}

export interface KillOptions {
  readonly reason: KillReason;
  readonly message?: string | undefined;
  /** instead of what pod, probe and deletion say */
  readonly graceSeconds?: number | undefined;
  readonly signal: AbortSignal;
  /** Resolves when it is this container's turn, at the latest after that many seconds. */
  readonly turn?: ((graceSeconds: number) => Promise<void>) | undefined;
}

/** Whatever is asked for, so that nobody is killed before he has heard of it. */
export const graceSecondsMin = 2;
/** On top of the grace period, until a runtime that does not answer is given up. */
const stopMarginMs = 120_000;

export function terminationGraceSeconds(pod: Pod, container: Container, reason: KillReason): number {
  const { deletionGracePeriodSeconds } = pod.metadata;
  const { terminationGracePeriodSeconds } = pod.spec;
  if (deletionGracePeriodSeconds !== undefined) return deletionGracePeriodSeconds;
  if (terminationGracePeriodSeconds === undefined) return graceSecondsMin;
  const probe = reason === 'startup-probe' ? container.startupProbe : reason === 'liveness-probe' ? container.livenessProbe : undefined;
  return probe?.terminationGracePeriodSeconds ?? terminationGracePeriodSeconds;
}

export async function killContainer(context: KillContext, target: KillTarget, options: KillOptions): Promise<void> {
  const { runtime, clock, events } = context;
  const { pod, container, containerID } = target;
  const { signal } = options;
  const fieldPath = containerFieldPath(pod, container.name);
  events.event(pod, 'Normal', 'Killing', options.message ?? `Stopping container ${container.name}`, fieldPath);
  const startedMs = clock.monotonic();
  const totalSeconds = options.graceSeconds ?? terminationGraceSeconds(pod, container, options.reason);
  const left = (): number => totalSeconds - Math.floor((clock.monotonic() - startedMs) / 1000);
  if (container.lifecycle?.preStop && totalSeconds > 0) await runPreStop(context, target, { graceSeconds: totalSeconds, signal });
  if (options.turn && left() > 0) await options.turn(left());
  signal.throwIfAborted();
  const graceSeconds = Math.max(left(), graceSecondsMin);
  const stopped = runtime.stopContainer(containerID, graceSeconds, { signal, timeoutMs: graceSeconds * 1000 + stopMarginMs });
  await Promise.race([stopped, aborted(signal)]);
  signal.throwIfAborted();
}

async function runPreStop(
  context: KillContext,
  target: KillTarget,
  { graceSeconds, signal }: { readonly graceSeconds: number; readonly signal: AbortSignal },
): Promise<void> {
  const { pod, container } = target;
  const handler = container.lifecycle?.preStop;
  if (!handler) return;
  const expired = new AbortController();
  using _timer = context.clock.setTimeout(() => expired.abort(), graceSeconds * 1000);
  const over = AbortSignal.any([signal, expired.signal]);
  const hook = runHook(handler, { ...context, ...target, signal: over }).catch((error: unknown) => {
    if (over.aborted) return;
    context.log.info({ why: messageOf(error), pod: pod.metadata.name, container: container.name }, 'preStop hook failed');
    // The message stays out of the event: it may hold secrets.
    context.events.event(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', containerFieldPath(pod, container.name));
  });
  await Promise.race([hook, aborted(over)]);
}

/** Resolves when it is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Stops all containers of the pod, then its sandboxes. Rejects when something would not stop. */
export async function killPod(
  context: KillContext,
  at: { readonly pod: Pod; readonly observed: ObservedPod; readonly graceSeconds?: number | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const { pod, observed, graceSeconds, signal } = at;
  const alive = observed.containers.filter((c) => c.state === 'running' || c.state === 'unknown');
  const order = new TerminationOrder(context.clock, pod, alive);
  const podIP = observed.sandboxes.find((s) => s.ready)?.ips[0];
  const results = await Promise.allSettled(
    alive.map(async (seen) => {
      const container = containerOf(pod, seen.name);
      const turn = order.concerns(container) ? (seconds: number) => order.turn(container, seconds) : undefined;
      await killContainer(context, { pod, container, containerID: seen.id, podIP }, { reason: 'other', signal, graceSeconds, turn });
      order.ended(seen.name);
    }),
  );
  throwFailures(results);
  for (const sandbox of observed.sandboxes) await context.runtime.stopPodSandbox(sandbox.id, { signal });
}

function throwFailures(results: readonly PromiseSettledResult<void>[]): void {
  const failures = results.flatMap((r) => (r.status === 'rejected' ? [r.reason as unknown] : []));
  const [first] = failures;
  if (failures.length === 1) throw first;
  if (failures.length > 1) throw new AggregateError(failures, failures.map(messageOf).join(', '));
}

/** One that the spec no longer has ends as one without hooks. */
const containerOf = (pod: Pod, name: string): Container => allContainers(pod.spec).find((c) => c.name === name) ?? { name };

/** Whom a sidecar waits for: all regular containers, and the sidecars after it. */
class TerminationOrder {
  readonly #clock: Clock;
  readonly #ended = new Map<string, PromiseWithResolvers<void>>();
  readonly #before = new Map<string, readonly string[]>();

  constructor(clock: Clock, pod: Pod, alive: readonly ObservedContainer[]) {
    this.#clock = clock;
    for (const { name } of alive) this.#ended.set(name, Promise.withResolvers());
    const regular = pod.spec.containers.map((c) => c.name);
    let later: readonly string[] = [];
    for (const container of (pod.spec.initContainers ?? []).toReversed()) {
      if (!isSidecar(container)) continue;
      this.#before.set(container.name, [...regular, ...later]);
      later = [container.name];
    }
  }

  concerns(container: Container): boolean {
    return this.#before.has(container.name);
  }

  ended(name: string): void {
    this.#ended.get(name)?.resolve();
  }

  async turn(container: Container, seconds: number): Promise<void> {
    const others = (this.#before.get(container.name) ?? []).map((name) => this.#ended.get(name)?.promise);
    const expired = Promise.withResolvers<void>();
    using _timer = this.#clock.setTimeout(() => expired.resolve(), seconds * 1000);
    await Promise.race([Promise.all(others), expired.promise]);
  }
}
