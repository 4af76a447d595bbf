/**
 * What follows from a node's health: its conditions when the kubelet falls silent, and its taints. Pure.
 * Upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go.
 */
import type { NodeCondition, Taint } from '../../../api/generated/core-v1.ts';
import type { Node } from '../../../api/generated/kinds.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { notReadyTaint, unreachableTaint, unschedulableTaint } from '../../../api/meta/well-known.ts';
import { own } from '../../../api/meta/words.ts';
import { zoneOf } from '../../../api/predicates/node-selection.ts';

/** What the kubelet reports; all become Unknown when it no longer does. */
const reportedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The NoSchedule taint that a condition of this status brings. */
const taintOfCondition: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};
const scheduleTaints = new Set([...Object.values(taintOfCondition).flatMap(Object.values), unschedulableTaint]);
const executeTaints = new Set([notReadyTaint, unreachableTaint]);

export const readyStatusOf = (node: Node): string => findCondition(node.status?.conditions, 'Ready')?.status ?? 'Unknown';

/** The conditions of a node whose kubelet has fallen silent. The same list when they say so already. */
export function silentConditions(node: Node, nowMs: number): readonly NodeCondition[] {
  const conditions = node.status?.conditions ?? [];
  const lastTransitionTime = formatTime(nowMs);
  const known = conditions.map((condition): NodeCondition => {
    if (!reportedConditions.includes(condition.type) || condition.status === 'Unknown') return condition;
    const message = 'Kubelet stopped posting node status.';
    return { ...condition, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime };
  });
  const missing = reportedConditions.filter((type) => !findCondition(conditions, type));
  const added = missing.map(
    (type): NodeCondition => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: node.metadata.creationTimestamp,
      lastTransitionTime,
    }),
  );
  const isSame = added.length === 0 && known.every((condition, i) => condition === conditions[i]);
  return isSame ? conditions : [...known, ...added];
}

/**
 * The node's taints. `evicts`: whether pods are to leave a node that is not ready; a taint that is there already stays
 * as long as it is true. undefined: nothing changes.
 */
export function nextTaints(node: Node, evicts: boolean, nowMs: number): readonly Taint[] | undefined {
  const current = node.spec?.taints ?? [];
  const wanted = [...wantedScheduleTaints(node), ...(evicts ? wantedExecuteTaints(node) : [])];
  const isOurs = ({ key, effect }: Taint): boolean =>
    effect === 'NoSchedule' ? scheduleTaints.has(key) : effect === 'NoExecute' && executeTaints.has(key);
  const isSame = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  const kept = current.filter((taint) => !isOurs(taint) || wanted.some((each) => isSame(each, taint)));
  const added = wanted.filter((taint) => !current.some((each) => isSame(each, taint)));
  if (kept.length === current.length && added.length === 0) return undefined;
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: formatTime(nowMs) }))];
}

function wantedScheduleTaints(node: Node): readonly Taint[] {
  const keys = (node.status?.conditions ?? []).flatMap(({ type, status }) => own(own(taintOfCondition, type), status) ?? []);
  return [...keys, ...(node.spec?.unschedulable ? [unschedulableTaint] : [])].map((key): Taint => ({ key, effect: 'NoSchedule' }));
}

export function wantedExecuteTaints(node: Node): readonly Taint[] {
  const status = findCondition(node.status?.conditions, 'Ready')?.status;
  if (status === undefined || status === 'True') return [];
  return [{ key: status === 'False' ? notReadyTaint : unreachableTaint, effect: 'NoExecute' }];
}

export type ZoneState = 'normal' | 'partial disruption' | 'full disruption';

const zoneThreshold = 0.55;
const exclusionLabel = 'node.kubernetes.io/exclude-disruption';

/** How the zones fare: many nodes that fail at once are rather a failed network. */
export function zoneStates(nodes: readonly Node[]): ReadonlyMap<string, { readonly state: ZoneState; readonly size: number }> {
  const zones = Map.groupBy(
    nodes.filter(({ metadata }) => metadata.labels?.[exclusionLabel] === undefined),
    zoneOf,
  );
  return new Map([...zones].map(([zone, members]) => [zone, { state: stateOf(members), size: members.length }]));
}

function stateOf(nodes: readonly Node[]): ZoneState {
  const notReady = nodes.filter((node) => readyStatusOf(node) !== 'True').length;
  if (notReady === nodes.length) return 'full disruption';
  return notReady > 2 && notReady / nodes.length >= zoneThreshold ? 'partial disruption' : 'normal';
}
