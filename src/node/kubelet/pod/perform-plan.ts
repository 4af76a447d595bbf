/**
 * Performs what plan-pod.ts planned, in its order: kill, reset, sandbox, start. What fails becomes an event and the
 * waiting reason of its container; the rest goes on where it can.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_manager.go (SyncPod), kuberuntime_sandbox.go.
 */
import { mkdir } from 'node:fs/promises';
import type { Container, Pod, PodStatus, Secret } from '../../../api/generated/core-v1.ts';
import { RuntimeClass } from '../../../api/generated/kinds.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import type { Log } from '../../../client/log.ts';
import type { PodSandboxConfig } from '../../runtime/cri-types.ts';
import type { BackOffEntry } from '../back-off.ts';
import { containerFieldPath } from '../container/container-identity.ts';
import { startContainer } from '../container/start-container.ts';
import { StartError } from '../container/start-error.ts';
import { countsNextStart, type WaitingReason } from '../status/container-statuses.ts';
import type { ReadyVolumes } from '../volumes/volume-manager.ts';
import { podDNS } from './dns-config.ts';
import { killContainer, killPod } from './kill-pod.ts';
import { sandboxIPs } from './observe-pod.ts';
import { findContainer, type ObservedPod } from './observed-pod.ts';
import { describePod, type PodPlan, type StartContainer } from './plan-pod.ts';
import type { PodContext } from './pod-context.ts';
import { sandboxConfig } from './sandbox-config.ts';

export interface PodSync {
  readonly plan: PodPlan;
  readonly pod: Pod;
  readonly observed: ObservedPod;
  readonly volumes: ReadyVolumes;
  secrets(): Promise<readonly Secret[]>;
  readonly backOffs: Map<string, BackOffEntry>;
  /** why containers wait, by name; kept up to date here */
  readonly waiting: Map<string, WaitingReason>;
  readonly old: PodStatus;
  readonly signal: AbortSignal;
}
export interface PodSyncResult {
  /** Something was done: look again. */
  readonly acted: boolean;
  /** A waiting reason changed: tell it. */
  readonly toldAnew: boolean;
  readonly wakeAtMs?: number;
}

const startRetryMs = 10_000;

export async function performPlan(context: PodContext, task: PodSync): Promise<PodSyncResult> {
  const { plan, pod, observed, signal } = task;
  if (context.log.isDebug) tellPlan(context.log, task);
  let acted = false;
  if (plan.killPod) {
    await killPod(context, { pod, observed, signal });
    acted = true;
    if (plan.createSandbox) await purgeInitContainers(context, pod, observed);
  }
  for (const { observed: seen, container, message, reason } of plan.kill) {
    const target = { pod, container, containerID: seen.id, podIP: observed.sandboxes[0]?.ips[0] };
    await killContainer(context, target, { message, reason, signal });
    acted = true;
  }
  for (const seen of plan.reset) {
    await context.runtime.stopContainer(seen.id, 0, { signal });
    await context.runtime.removeContainer(seen.id);
    acted = true;
  }
  const backingOff = noteBackOffs(context, task);
  if (!plan.createSandbox && plan.start.length === 0) return { acted, toldAnew: backingOff, ...earliest(plan.wakeAtMs) };
  const sandbox = await provideSandbox(context, task);
  if (!pod.spec.hostNetwork && plan.start.length > 0) await becomeReachable(context, task, sandbox.ips);
  const started = await startContainers(context, task, sandbox);
  return {
    acted: acted || started.acted || plan.createSandbox !== undefined,
    toldAnew: backingOff || started.toldAnew,
    ...earliest(plan.wakeAtMs, started.wakeAtMs),
  };
}

/** Each act before it is done; nothing when there is nothing to do. */
function tellPlan(log: Log, { plan, pod, observed }: PodSync): void {
  const { name, namespace } = pod.metadata;
  const tell = (act: string, container?: string): void => log.debug({ pod: `${namespace}/${name}`, container }, act);
  if (plan.killPod && (observed.containers.length > 0 || observed.sandboxes.length > 0)) tell('end the pod');
  for (const { container, message } of plan.kill) tell(`stop a container: ${message}`, container?.name);
  for (const { name: container } of plan.reset) tell('remove a container, to start over', container);
  if (plan.createSandbox) tell('make a sandbox');
  for (const { container } of plan.start) tell('start a container', container.name);
  for (const { container } of plan.waiting) tell('wait with the next start: back-off', container.name);
}

function earliest(...times: readonly (number | undefined)[]): { readonly wakeAtMs?: number } {
  const known = times.filter((t) => t !== undefined);
  return known.length > 0 ? { wakeAtMs: Math.min(...known) } : {};
}

/** A new sandbox begins from the beginning: what its init containers did before no longer counts. */
async function purgeInitContainers({ runtime }: PodContext, pod: Pod, observed: ObservedPod): Promise<void> {
  const inits = new Set(pod.spec.initContainers?.map((c) => c.name));
  for (const container of observed.containers) if (inits.has(container.name)) await runtime.removeContainer(container.id);
}

/** True when a reason is new. */
function noteBackOffs({ events }: PodContext, { plan, pod, waiting }: PodSync): boolean {
  let changed = false;
  for (const { container, message } of plan.waiting) {
    const before = waiting.get(container.name);
    waiting.set(container.name, { reason: 'CrashLoopBackOff', message });
    if (before?.reason === 'CrashLoopBackOff' && before.message === message) continue;
    changed = true;
    const text = `Back-off restarting failed container ${container.name} in pod ${describePod(pod)}`;
    events.event(pod, 'Warning', 'BackOff', text, containerFieldPath(pod, container.name));
  }
  return changed;
}

interface Sandbox {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly ips: readonly string[];
}

async function provideSandbox(context: PodContext, task: PodSync): Promise<Sandbox> {
  const { runtime, events, node, cgroups, simulated } = context;
  const { plan, pod, observed } = task;
  const dns = podDNS({ pod, host: node.resolvConf, clusterDNS: node.clusterDNS, clusterDomain: node.clusterDomain });
  const config = sandboxConfig({
    pod,
    attempt: plan.createSandbox?.attempt ?? plan.attempt,
    dns: dns.config,
    clusterDomain: node.clusterDomain,
    logsRoot: node.logsRoot,
    cgroupParent: simulated ? undefined : cgroups.parentOf(pod),
  });
  const hostIPs = pod.spec.hostNetwork ? node.hostIPs : undefined;
  if (!plan.createSandbox) {
    return { id: plan.sandboxID ?? '', config, ips: hostIPs ?? observed.sandboxes[0]?.ips ?? [] };
  }
  if (plan.createSandbox.replaces !== undefined) {
    events.event(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
  }
  for (const { reason, message } of dns.warnings) events.event(pod, 'Warning', reason, message);
  try {
    if (!runtime.simulation && config.logDirectory) await mkdir(config.logDirectory, { recursive: true, mode: 0o755 });
    const runtimeHandler = await runtimeHandlerOf(context, pod);
    const id = await runtime.runPodSandbox(config, runtimeHandler ? { runtimeHandler } : {});
    return { id, config, ips: hostIPs ?? sandboxIPs(await runtime.podSandboxStatus(id)) };
  } catch (error) {
    if (!task.signal.aborted) {
      const why = messageOf(error);
      events.event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${why}`);
    }
    throw error;
  }
}

/** A pod whose network is not ready waits without containers, and is told why. */
async function becomeReachable({ networkReady, events }: PodContext, { pod, signal }: PodSync, ips: readonly string[]): Promise<void> {
  try {
    await networkReady?.(pod, ips);
  } catch (error) {
    if (!signal.aborted) events.event(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${messageOf(error)}`);
    throw error;
  }
}

async function runtimeHandlerOf({ client }: PodContext, pod: Pod): Promise<string> {
  const name = pod.spec.runtimeClassName;
  if (!name) return '';
  return (await client.get(RuntimeClass, { name })).handler;
}

async function startContainers(context: PodContext, task: PodSync, sandbox: Sandbox): Promise<PodSyncResult> {
  const { plan, waiting, backOffs, signal } = task;
  let acted = false;
  let toldAnew = false;
  let wakeAtMs: number | undefined;
  const secrets = plan.start.length > 0 ? await task.secrets() : [];
  for (const start of plan.start) {
    signal.throwIfAborted();
    const { name } = start.container;
    if (start.backOff) backOffs.set(start.backOff.key, start.backOff.entry);
    try {
      await startOne(context, task, { start, sandbox, secrets });
      waiting.delete(name);
      acted = true;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      const before = waiting.get(name);
      waiting.set(name, { reason: error.reason, message: error.message });
      if (before?.reason !== error.reason || before.message !== error.message) toldAnew = true;
      const retryAtMs = error.retryAtMs ?? context.clock.now() + startRetryMs;
      wakeAtMs = Math.min(retryAtMs, wakeAtMs ?? retryAtMs);
      if (start.role === 'init' && !isSidecar(start.container)) break;
    }
  }
  return { acted, toldAnew, ...earliest(wakeAtMs) };
}

async function startOne(
  context: PodContext,
  { pod, observed, volumes, old, signal }: PodSync,
  at: { readonly start: StartContainer; readonly sandbox: Sandbox; readonly secrets: readonly Secret[] },
): Promise<void> {
  const { container } = at.start;
  await startContainer(context, {
    pod,
    container,
    observed,
    sandboxID: at.sandbox.id,
    sandbox: at.sandbox.config,
    podIPs: at.sandbox.ips,
    volumes,
    secrets: at.secrets,
    restartCount: nextRestartCount(observed, old, container),
    signal,
  });
}

/** One more than the last, wherever that is still known. */
function nextRestartCount(observed: ObservedPod, old: PodStatus, container: Container): number {
  const seen = findContainer(observed, container.name);
  if (seen) return seen.restartCount + 1;
  const status = [...(old.containerStatuses ?? []), ...(old.initContainerStatuses ?? []), ...(old.ephemeralContainerStatuses ?? [])].find(
    (s) => s.name === container.name,
  );
  if (status && countsNextStart(status)) return status.restartCount;
  const ran = status?.containerID !== undefined || status?.lastState?.terminated !== undefined;
  return ran ? (status?.restartCount ?? 0) + 1 : 0;
}
