/**
 * Which pods of a DaemonSet to make and which to take away. Pure. First every node gets its one pod; when nothing is
 * left to do there, pods of old templates are replaced, as many at a time as the strategy allows.
 * Upstream: pkg/controller/daemon/{daemon_controller,update}.go.
 */
import type { DaemonSetStatus } from '../../../api/generated/apps-v1.ts';
import type { DaemonSet, Node, Pod } from '../../../api/generated/kinds.ts';
import { scaleIntOrPercent } from '../../../api/meta/intstr.ts';
import { byCreation } from '../../../api/meta/order.ts';
import { isPodAvailable, isPodReady, isPodTerminal } from '../../../api/predicates/pod-state.ts';
import { type NodeVerdict, nodeJudge, targetNodeOf } from './daemon-nodes.ts';
import { revisionHashLabel } from './revision-history.ts';

export interface DaemonView {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  /** those that the DaemonSet controls */
  readonly pods: readonly Pod[];
  /** of the current template */
  readonly hash: string;
  readonly nowMs: number;
  /** how long a failed pod on this node is left alone; asking counts as a failure when it is 0 */
  readonly backoffMs: (nodeName: string) => number;
}

export interface DaemonPlan {
  /** names of the nodes that get a pod */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  readonly events: readonly (readonly [type: 'Normal' | 'Warning', reason: string, message: string])[];
  readonly againMs?: number | undefined;
}

/** The pods of each node, and what the DaemonSet wants there. */
class Placement {
  readonly view: DaemonView;
  readonly podsOn = new Map<string, readonly Pod[]>();
  readonly verdicts = new Map<string, NodeVerdict>();

  constructor(view: DaemonView) {
    this.view = view;
    const judge = nodeJudge(view.daemonSet);
    for (const node of view.nodes) this.verdicts.set(node.metadata.name, judge(node));
    const present = view.pods.filter((pod) => !(isPodTerminal(pod) && pod.metadata.deletionTimestamp));
    for (const [name, pods] of Map.groupBy(present, targetNodeOf))
      if (name !== undefined) this.podsOn.set(name, pods.toSorted(byPlaceAndAge));
  }

  get desired(): number {
    return [...this.verdicts.values()].filter(({ shouldRun }) => shouldRun).length;
  }
  isUpdated(pod: Pod): boolean {
    return pod.metadata.labels?.[revisionHashLabel] === this.view.hash;
  }
  isAvailable(pod: Pod): boolean {
    return isPodAvailable(pod, this.view.daemonSet.spec.minReadySeconds ?? 0, this.view.nowMs);
  }
  /** The one of the current template and the one of another; undefined when there are too many. */
  pairOn(pods: readonly Pod[]): { fresh: Pod | undefined; stale: Pod | undefined } | undefined {
    const alive = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
    const [fresh, ...moreFresh] = alive.filter((pod) => this.isUpdated(pod));
    const [stale, ...moreStale] = alive.filter((pod) => !this.isUpdated(pod));
    if (moreFresh.length + moreStale.length > 0) return undefined;
    return { fresh, stale };
  }
}

const byPlaceAndAge = (a: Pod, b: Pod): number => Number(!a.spec.nodeName) - Number(!b.spec.nodeName) || byCreation(a, b);

export function planDaemons(view: DaemonView): { readonly plan: DaemonPlan; readonly status: DaemonSetStatus } {
  const placement = new Placement(view);
  let plan = planPlacement(placement);
  if (plan.create.length === 0 && plan.remove.length === 0 && view.daemonSet.spec.updateStrategy?.type !== 'OnDelete') {
    plan = { ...plan, ...planUpdate(placement) };
  }
  return { plan, status: nextStatus(placement) };
}

export function updateLimitsOf({ spec }: DaemonSet, desired: number): { readonly surge: number; readonly unavailable: number } {
  const { rollingUpdate, type } = spec.updateStrategy ?? {};
  if (type === 'OnDelete') return { surge: 0, unavailable: 0 };
  const surge = scaleIntOrPercent(rollingUpdate?.maxSurge ?? 0, desired, 'up');
  const unavailable = scaleIntOrPercent(rollingUpdate?.maxUnavailable ?? (surge > 0 ? 0 : 1), desired, 'up');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** One pod on every node that should have one, none elsewhere. */
function planPlacement(placement: Placement): DaemonPlan {
  const create: string[] = [];
  const remove: Pod[] = [];
  const events: DaemonPlan['events'][number][] = [];
  let againMs: number | undefined;
  for (const [name, { shouldRun, mayStay }] of placement.verdicts) {
    const pods = placement.podsOn.get(name);
    const alive = pods?.filter(({ metadata }) => !metadata.deletionTimestamp) ?? [];
    if (!pods) {
      if (shouldRun) create.push(name);
    } else if (!mayStay) remove.push(...alive);
    else {
      const running: Pod[] = [];
      for (const pod of alive) {
        if (!isPodTerminal(pod)) {
          running.push(pod);
          continue;
        }
        const waitMs = pod.status.phase === 'Failed' ? placement.view.backoffMs(name) : 0;
        if (waitMs > 0) againMs = Math.min(againMs ?? waitMs, waitMs);
        else {
          remove.push(pod);
          events.push(endedEvent(pod, name));
        }
      }
      const settled = settle(placement, running, shouldRun);
      remove.push(...settled.remove);
      if (settled.needsPod) create.push(name);
    }
  }
  // Pods that still wait for a node that is gone.
  for (const [name, pods] of placement.podsOn) if (!placement.verdicts.has(name)) remove.push(...pods.filter(({ spec }) => !spec.nodeName));
  return { create, remove, events, againMs };
}

function endedEvent({ metadata, status }: Pod, node: string): DaemonPlan['events'][number] {
  const name = `${metadata.namespace}/${metadata.name}`;
  return status.phase === 'Failed'
    ? ['Warning', 'FailedDaemonPod', `Found failed daemon pod ${name} on node ${node}, will try to kill it`]
    : ['Normal', 'SucceededDaemonPod', `Found succeeded daemon pod ${name} on node ${node}, will try to delete it`];
}

/** Of several running pods on one node the oldest stays; with surge, the oldest of each template while the new one is not available. */
function settle(placement: Placement, running: readonly Pod[], shouldRun: boolean): { remove: readonly Pod[]; needsPod: boolean } {
  const { surge } = updateLimitsOf(placement.view.daemonSet, 1);
  if (surge === 0) return { remove: running.slice(1), needsPod: false };
  if (running.length <= 1) return { remove: [], needsPod: running.length === 0 && shouldRun };
  const fresh = running.find((pod) => placement.isUpdated(pod));
  const stale = running.find((pod) => !placement.isUpdated(pod));
  const remove = running.filter((pod) => pod !== fresh && pod !== stale);
  const isReplaced = fresh && stale && (!isPodReady(stale) || placement.isAvailable(fresh));
  return { remove: isReplaced ? [...remove, stale] : remove, needsPod: false };
}

function planUpdate(placement: Placement): Pick<DaemonPlan, 'create' | 'remove'> {
  const { desired } = placement;
  const { surge, unavailable } = updateLimitsOf(placement.view.daemonSet, desired);
  return surge === 0 ? replaceInPlace(placement, unavailable) : replaceBySurge(placement, surge, desired);
}

/** Deletes old pods: those that are not available anyway, and others while few enough are missing. */
function replaceInPlace(placement: Placement, unavailableMax: number): Pick<DaemonPlan, 'create' | 'remove'> {
  let unavailable = 0;
  const useless: Pod[] = [];
  const candidates: Pod[] = [];
  const names = new Set([
    ...placement.podsOn.keys(),
    ...[...placement.verdicts].filter(([, { shouldRun }]) => shouldRun).map(([name]) => name),
  ]);
  for (const name of names) {
    const pair = placement.pairOn(placement.podsOn.get(name) ?? []);
    const { fresh, stale } = pair ?? {};
    if (!pair || (fresh && stale) || (!fresh && !stale)) unavailable++;
    else if (fresh && !placement.isAvailable(fresh)) unavailable++;
    else if (stale && !placement.isAvailable(stale)) {
      useless.push(stale);
      unavailable++;
    } else if (stale) candidates.push(stale);
  }
  return { create: [], remove: [...useless, ...candidates.slice(0, Math.max(0, unavailableMax - unavailable))] };
}

/** Makes new pods beside old ones, and deletes an old one when its new one is available. */
function replaceBySurge(placement: Placement, surgeMax: number, desired: number): Pick<DaemonPlan, 'create' | 'remove'> {
  let surging = 0;
  let available = 0;
  const remove: Pod[] = [];
  const leaving: Pod[] = [];
  const urgent: string[] = [];
  const candidates: string[] = [];
  for (const [name, pods] of placement.podsOn) {
    const pair = placement.pairOn(pods);
    if (!pair) {
      surging++;
      continue;
    }
    const { fresh, stale } = pair;
    const counted = stale ?? fresh;
    if (counted && placement.isAvailable(counted)) available++;
    if (!stale) continue;
    const shouldRun = placement.verdicts.get(name)?.shouldRun ?? false;
    if (fresh) {
      if (placement.isAvailable(fresh)) remove.push(stale);
      else surging++;
    } else if (!placement.isAvailable(stale)) {
      if (shouldRun) urgent.push(name);
      else remove.push(stale);
    } else if (shouldRun) candidates.push(name);
    else leaving.push(stale);
  }
  remove.push(...leaving.slice(0, Math.max(0, available - desired)));
  return { create: [...urgent, ...candidates.slice(0, Math.max(0, surgeMax - surging))], remove };
}

function nextStatus(placement: Placement): DaemonSetStatus {
  const { daemonSet } = placement.view;
  let current = 0;
  let misscheduled = 0;
  let ready = 0;
  let available = 0;
  let updated = 0;
  for (const [name, { shouldRun }] of placement.verdicts) {
    const [pod] = placement.podsOn.get(name) ?? [];
    if (!pod) continue;
    if (!shouldRun) {
      misscheduled++;
      continue;
    }
    current++;
    if (isPodReady(pod)) ready++;
    if (placement.isAvailable(pod)) available++;
    if (placement.isUpdated(pod)) updated++;
  }
  const { desired } = placement;
  const { observedGeneration: _, ...before } = daemonSet.status ?? {};
  return {
    ...(before.conditions && { conditions: before.conditions }),
    ...(before.collisionCount !== undefined && { collisionCount: before.collisionCount }),
    ...(daemonSet.metadata.generation !== undefined && { observedGeneration: daemonSet.metadata.generation }),
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: desired,
    numberReady: ready,
    // Counts of 0 are left out, as the API has it.
    ...(updated && { updatedNumberScheduled: updated }),
    ...(available && { numberAvailable: available }),
    ...(desired - available && { numberUnavailable: desired - available }),
  };
}
