/**
 * Which nodes a DaemonSet runs on, and how its pod is pinned to one of them. Pure.
 * Upstream: pkg/controller/daemon/{daemon_controller.go,util/daemonset_util.go}.
 */
import type { PodSpec, Toleration } from '../../../api/generated/core-v1.ts';
import type { DaemonSet, Node, Pod } from '../../../api/generated/kinds.ts';
import { requiredNodeMatcher } from '../../../api/predicates/node-selection.ts';
import { untoleratedTaint } from '../../../api/predicates/taints.ts';

const nodeTaint = (name: string): string => `node.kubernetes.io/${name}`;

/** Daemons stay on nodes in trouble. */
const daemonTolerations: readonly Toleration[] = [
  ...['not-ready', 'unreachable'].map((name): Toleration => ({ key: nodeTaint(name), operator: 'Exists', effect: 'NoExecute' })),
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map(
    (name): Toleration => ({ key: nodeTaint(name), operator: 'Exists', effect: 'NoSchedule' }),
  ),
];
const hostNetworkToleration: Toleration = { key: nodeTaint('network-unavailable'), operator: 'Exists', effect: 'NoSchedule' };

function tolerationsOf(spec: PodSpec): readonly Toleration[] {
  const wanted = spec.hostNetwork ? [...daemonTolerations, hostNetworkToleration] : daemonTolerations;
  const given = spec.tolerations ?? [];
  const isGiven = ({ key, effect }: Toleration): boolean =>
    given.some((each) => each.key === key && each.effect === effect && each.operator === 'Exists' && each.tolerationSeconds === undefined);
  return [...given, ...wanted.filter((toleration) => !isGiven(toleration))];
}

export interface NodeVerdict {
  readonly shouldRun: boolean;
  /** a pod that is there may stay */
  readonly mayStay: boolean;
}

/** The judge for one DaemonSet: asked for every node, so what can be is worked out once. */
export function nodeJudge({ spec }: DaemonSet): (node: Node) => NodeVerdict {
  const pod = spec.template.spec ?? { containers: [] };
  const tolerations = tolerationsOf(pod);
  const fits = requiredNodeMatcher(pod);
  return (node) => {
    if ((pod.nodeName && pod.nodeName !== node.metadata.name) || (fits && !fits(node))) return { shouldRun: false, mayStay: false };
    const taints = node.spec?.taints;
    if (!taints?.length) return { shouldRun: true, mayStay: true };
    return {
      shouldRun: !untoleratedTaint(taints, tolerations, ['NoExecute', 'NoSchedule']),
      mayStay: !untoleratedTaint(taints, tolerations, ['NoExecute']),
    };
  };
}

/** The pod's spec for one node. The scheduler places it there; other terms of node affinity have been judged already. */
export function pinToNode(spec: PodSpec, nodeName: string): PodSpec {
  const nodeSelectorTerms = [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [nodeName] }] }];
  const { affinity } = spec;
  return {
    ...spec,
    tolerations: tolerationsOf(spec),
    affinity: {
      ...affinity,
      nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    },
  };
}

/** The node of a daemon's pod, bound to it or still waiting for it. */
export function targetNodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const term of terms) {
    const field = term.matchFields?.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    if (field?.values?.length === 1) return field.values[0];
  }
  return undefined;
}
