/**
 * What to do next for a pod: from its spec, what the runtime says, the probes' verdicts, the back-off state and the
 * time, the list of actions that brings it nearer to what it should be. Pure: the worker performs the plan, observes
 * again, and plans again.
 *
 * Guarantees: a pod that is as it should be plans nothing; init containers run one after the other, sidecars among them
 * keep running and gate the next by their startup probe; a container in back-off is not started before its time, and
 * `wakeAtMs` says when to plan again.
 * It does not plan the end of a pod (kill-pod.ts), nor what changes of a container while it runs (pod-resize.ts).
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions), kuberuntime_container.go
 * (computeInitContainerActions).
 */
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { type BackOffEntry, backOffUntil, describeDuration, nextBackOff } from '../back-off.ts';
import { hashContainer } from '../container/container-identity.ts';
import { allContainersShouldRestart, matchingRestartRule, restartsAfter, shouldBeRestarted } from '../container/restart-policy.ts';
import { findContainer, type ObservedContainer, type ObservedPod } from './observed-pod.ts';

export type ProbeVerdict = 'success' | 'failure' | 'unknown';
export type KillReason = 'startup-probe' | 'liveness-probe' | 'other';
export type ContainerRole = 'init' | 'ephemeral' | 'regular';

export interface PlanInput {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  /** undefined: no probe has said anything of that container yet */
  probe(type: 'liveness' | 'startup', containerID: string): ProbeVerdict | undefined;
  /** by container name and hash: `backOffKey` */
  readonly backOffs: ReadonlyMap<string, BackOffEntry>;
  readonly nowMs: number;
  /** its resources changed, and its policy asks for a restart */
  needsRestart?(containerID: string, name: string): boolean;
}

export interface StartContainer {
  readonly role: ContainerRole;
  readonly container: Container;
  /** what `backOffs` holds for it once it was started */
  readonly backOff?: { readonly key: string; readonly entry: BackOffEntry } | undefined;
}
export interface WaitForBackOff {
  readonly role: ContainerRole;
  readonly container: Container;
  readonly untilMs: number;
  /** the message of CrashLoopBackOff */
  readonly message: string;
}
export interface KillContainer {
  readonly observed: ObservedContainer;
  readonly container: Container;
  readonly message: string;
  readonly reason: KillReason;
}

export interface PodPlan {
  /** Stop all containers and the sandbox first. */
  readonly killPod: boolean;
  /** Then make a sandbox; `replaces` is the one that was there. */
  readonly createSandbox?: { readonly attempt: number; readonly replaces?: string | undefined } | undefined;
  /** the sandbox in use, when none is created */
  readonly sandboxID?: string | undefined;
  readonly attempt: number;
  readonly kill: readonly KillContainer[];
  /** Killed without grace where they run, and removed, in this order: the pod starts over in its sandbox. */
  readonly reset: readonly ObservedContainer[];
  /** In the order in which to start; a failing init container that is no sidecar ends the list. */
  readonly start: readonly StartContainer[];
  readonly waiting: readonly WaitForBackOff[];
  readonly wakeAtMs?: number | undefined;
}

export const backOffKey = (container: Container): string =>
  `${container.name}/${container.image ?? ''}/${JSON.stringify(container.resources ?? {})}`;

export function planPod(input: PlanInput): PodPlan {
  const { pod, observed } = input;
  const sandbox = planSandbox(pod, observed);
  if (sandbox.create) return planNewSandbox(input, sandbox);
  const base = { sandboxID: sandbox.id, attempt: sandbox.attempt };
  if (allContainersShouldRestart(pod, observed)) {
    return { ...base, killPod: false, kill: [], reset: planReset(pod, observed), start: [], waiting: [] };
  }
  const steps = new Steps();
  for (const container of pod.spec.ephemeralContainers ?? []) {
    if (!findContainer(observed, container.name)) steps.start.push({ role: 'ephemeral', container });
  }
  const init = planInitContainers(input, steps);
  if (init === 'failed') return { ...base, killPod: true, kill: [], reset: [], start: [], waiting: [] };
  const done = init === 'initialized' && !planRegularContainers(input, steps);
  const wanted = done ? steps.start.filter((s) => s.role !== 'init') : steps.start;
  return { ...base, killPod: done, kill: steps.kill, reset: [], ...applyBackOff(input, wanted) };
}

class Steps {
  readonly kill: KillContainer[] = [];
  readonly start: { readonly role: ContainerRole; readonly container: Container }[] = [];
}

interface SandboxPlan {
  readonly create: boolean;
  readonly attempt: number;
  readonly id?: string;
}

/** Whether the pod needs a new sandbox. */
export function planSandbox(pod: Pod, observed: ObservedPod): SandboxPlan {
  const latest = observed.sandboxes[0];
  if (!latest) return { create: true, attempt: 0 };
  const hostNetwork = pod.spec.hostNetwork ?? false;
  const again = { create: true, attempt: latest.attempt + 1, id: latest.id };
  if (!latest.ready || observed.sandboxes.filter((s) => s.ready).length > 1) return again;
  if (latest.hostNetwork !== hostNetwork) return again;
  if (!hostNetwork && latest.ips.length === 0) return again;
  return { create: false, attempt: latest.attempt, id: latest.id };
}

function planNewSandbox(input: PlanInput, sandbox: SandboxPlan): PodPlan {
  const { pod, observed } = input;
  const nothing = { killPod: true, attempt: sandbox.attempt, kill: [], reset: [], start: [], waiting: [] };
  const { restartPolicy } = pod.spec;
  if (restartPolicy === 'Never' && sandbox.attempt !== 0 && observed.containers.length > 0) return nothing;
  const wanted = pod.spec.containers.filter((container) => {
    const status = findContainer(observed, container.name);
    const succeeded = status?.state === 'exited' && status.exitCode === 0;
    return !(succeeded && (container.restartPolicy ?? restartPolicy) === 'OnFailure');
  });
  if (wanted.length === 0 && anyRegularCreated(pod, observed)) return nothing;
  const first = pod.spec.initContainers?.[0];
  const start = first
    ? [{ role: 'init' as const, container: first }]
    : wanted.map((container) => ({ role: 'regular' as const, container }));
  return {
    ...nothing,
    createSandbox: { attempt: sandbox.attempt, replaces: sandbox.id },
    ...applyBackOff(input, start),
  };
}

const anyRegularCreated = (pod: Pod, observed: ObservedPod): boolean =>
  pod.spec.containers.some((c) => {
    const status = findContainer(observed, c.name);
    return status !== undefined && status.state !== 'unknown';
  });

/** `failed`: an init container failed for good. */
function planInitContainers(input: PlanInput, steps: Steps): 'initialized' | 'going-on' | 'failed' {
  const { pod, observed } = input;
  const inits = pod.spec.initContainers ?? [];
  if (inits.length === 0) return 'initialized';
  let initialized = pod.spec.containers.some((c) => {
    const state = findContainer(observed, c.name)?.state;
    return state === 'created' || state === 'running';
  });
  let beyond = initialized;
  const start: Container[] = [];
  // Backwards, as finished ones may have been removed: the last one that is known decides.
  for (let i = inits.length - 1; i >= 0; i--) {
    const container = inits[i];
    if (!container) continue;
    const status = findContainer(observed, container.name);
    const sidecar = isSidecar(container);
    if (!status) {
      if (beyond && sidecar) start.push(container);
      continue;
    }
    if (beyond && !sidecar) continue;
    const verdict = sidecar ? judgeSidecar(input, container, status) : judgeInit(input, container, status);
    if (verdict.kind === 'failed') return 'failed';
    if (verdict.kill) steps.kill.push(verdict.kill);
    if (verdict.kind === 'restart') start.push(container);
    if (verdict.kind === 'done' || verdict.passed) {
      const next = inits[i + 1];
      if (!next) initialized = true;
      else if (!beyond) start.push(next);
    }
    beyond = true;
  }
  const first = inits[0];
  if (!beyond && first) start.push(first);
  const inOrder = inits.filter((c) => start.includes(c));
  for (const container of inOrder) steps.start.push({ role: 'init', container });
  return initialized ? 'initialized' : 'going-on';
}

interface InitVerdict {
  readonly kind: 'done' | 'wait' | 'restart' | 'failed';
  /** A sidecar that has started lets the next one start, even when it is itself restarted now. */
  readonly passed?: boolean;
  readonly kill?: KillContainer;
}

function judgeInit(input: PlanInput, container: Container, status: ObservedContainer): InitVerdict {
  const { pod } = input;
  switch (status.state) {
    case 'created':
      return { kind: 'restart' };
    case 'running':
      return { kind: 'wait' };
    case 'exited':
      if (status.exitCode === 0 && status.reason !== 'OOMKilled') return { kind: 'done' };
      return { kind: restartsAfter(container, pod.spec, status.exitCode) ? 'restart' : 'failed' };
    case 'unknown': {
      if ((container.restartPolicy ?? pod.spec.restartPolicy) === 'Never') return { kind: 'failed' };
      return { kind: 'restart', kill: unknownState('Init container', container, status) };
    }
  }
}

function judgeSidecar(input: PlanInput, container: Container, status: ObservedContainer): InitVerdict {
  if (status.state === 'created' || status.state === 'exited') return { kind: 'restart' };
  if (status.state === 'unknown') return { kind: 'restart', kill: unknownState('Init container', container, status) };
  const killed = (why: string, reason: KillReason): KillContainer => ({
    observed: status,
    container,
    message: `Init container ${container.name} ${why}`,
    reason,
  });
  if (container.startupProbe) {
    const verdict = input.probe('startup', status.id);
    if (verdict === 'failure') return { kind: 'restart', kill: killed('failed startup probe', 'startup-probe') };
    if (verdict !== 'success') return { kind: 'wait' };
  }
  if (changed(container, status)) return { kind: 'restart', passed: true, kill: killed('definition changed', 'other') };
  if (container.livenessProbe && input.probe('liveness', status.id) === 'failure') {
    return { kind: 'restart', passed: true, kill: killed('failed liveness probe', 'liveness-probe') };
  }
  if (input.needsRestart?.(status.id, container.name)) {
    return {
      kind: 'restart',
      passed: true,
      kill: { ...killed('', 'other'), message: `Container ${container.name} resize requires restart` },
    };
  }
  return { kind: 'wait', passed: true };
}

const changed = (container: Container, status: ObservedContainer): boolean =>
  status.hash !== '' && status.hash !== hashContainer(container);

const unknownState = (what: string, container: Container, observed: ObservedContainer): KillContainer => ({
  observed,
  container,
  message: `${what} is in "unknown" state, try killing it before restart`,
  reason: 'other',
});

/** False when nothing runs and nothing is to be started: the pod is done. */
function planRegularContainers(input: PlanInput, steps: Steps): boolean {
  const { pod, observed } = input;
  let alive = false;
  for (const container of pod.spec.containers) {
    const status = findContainer(observed, container.name);
    if (status?.state !== 'running') {
      if (!shouldBeRestarted(container, pod, observed)) continue;
      alive = true;
      steps.start.push({ role: 'regular', container });
      if (status?.state === 'unknown') steps.kill.push(unknownState('Container', container, status));
      continue;
    }
    const verdict = judgeRunning(input, container, status);
    if (!verdict) {
      alive = true;
      continue;
    }
    if (verdict.restart) {
      alive = true;
      steps.start.push({ role: 'regular', container });
    }
    const message = verdict.restart ? `${verdict.message}, will be restarted` : verdict.message;
    steps.kill.push({ observed: status, container, message, reason: verdict.reason });
  }
  return alive;
}

function judgeRunning(
  input: PlanInput,
  container: Container,
  status: ObservedContainer,
): { readonly message: string; readonly reason: KillReason; readonly restart: boolean } | undefined {
  const restart = (container.restartPolicy ?? input.pod.spec.restartPolicy) !== 'Never';
  if (changed(container, status)) return { message: `Container ${container.name} definition changed`, reason: 'other', restart: true };
  if (input.probe('liveness', status.id) === 'failure') {
    return { message: `Container ${container.name} failed liveness probe`, reason: 'liveness-probe', restart };
  }
  if (input.probe('startup', status.id) === 'failure') {
    return { message: `Container ${container.name} failed startup probe`, reason: 'startup-probe', restart };
  }
  if (input.needsRestart?.(status.id, container.name)) {
    return { message: `Container ${container.name} resize requires restart`, reason: 'other', restart: true };
  }
  return undefined;
}

/** All containers start over: first the others, those that asked for it last, so that the wish is not lost half way. */
function planReset(pod: Pod, observed: ObservedPod): readonly ObservedContainer[] {
  const regular = new Set(pod.spec.containers.map((c) => c.name));
  const asked = (c: ObservedContainer): boolean => {
    const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((spec) => spec.name === c.name);
    return container !== undefined && c.state === 'exited' && matchingRestartRule(container, c.exitCode)?.action === 'RestartAllContainers';
  };
  const rank = (c: ObservedContainer): number => (asked(c) ? 2 : 0) + (regular.has(c.name) ? 0 : 1);
  const names = new Set([...regular, ...(pod.spec.initContainers ?? []).map((c) => c.name)]);
  return observed.containers.filter((c) => names.has(c.name)).toSorted((a, b) => rank(a) - rank(b));
}

function applyBackOff(
  input: PlanInput,
  wanted: readonly { readonly role: ContainerRole; readonly container: Container }[],
): Pick<PodPlan, 'start' | 'waiting' | 'wakeAtMs'> {
  const { pod, observed, backOffs, nowMs } = input;
  const start: StartContainer[] = [];
  const waiting: WaitForBackOff[] = [];
  for (const { role, container } of wanted) {
    const last = observed.containers.find((c) => c.name === container.name && c.state === 'exited');
    if (!last) {
      start.push({ role, container });
      continue;
    }
    const key = backOffKey(container);
    const entry = backOffs.get(key);
    const at = { endedAtMs: last.finishedAtMs, nowMs };
    const untilMs = backOffUntil(entry, at);
    if (untilMs === undefined) {
      start.push({ role, container, backOff: { key, entry: nextBackOff(entry, at) } });
      continue;
    }
    const delay = describeDuration(entry?.delayMs ?? 0);
    waiting.push({
      role,
      container,
      untilMs,
      message: `back-off ${delay} restarting failed container=${container.name} pod=${describePod(pod)}`,
    });
    if (role === 'init' && !isSidecar(container)) break;
  }
  const wakeAtMs = waiting.length > 0 ? Math.min(...waiting.map((w) => w.untilMs)) : undefined;
  return { start, waiting, wakeAtMs };
}

/** `name_namespace(uid)`, as messages name a pod. */
export const describePod = (pod: Pod): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
