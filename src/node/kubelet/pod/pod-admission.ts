/**
 * Whether a pod that was bound to this node can run here after all: the scheduler may not have known everything. Pure.
 * Upstream: pkg/kubelet/lifecycle/predicate.go, pkg/scheduler (AdmissionCheck).
 */
import type { Node, Pod } from '../../../api/generated/core-v1.ts';
import { quantityMilliValue, quantityValue } from '../../../api/meta/quantity.ts';
import { requiredNodeMatcher } from '../../../api/predicates/node-selection.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { untoleratedTaint } from '../../../api/predicates/taints.ts';
import { podTotals } from '../container/container-resources.ts';
import { judgeSysctls } from './sysctls.ts';

export interface PodRejection {
  readonly reason: string;
  readonly message: string;
}

export interface AdmissionInput {
  readonly pod: Pod;
  readonly node: Pick<Node, 'metadata' | 'spec'>;
  readonly allocatable: Readonly<Record<string, string>>;
  /** that are admitted and have not ended */
  readonly others: readonly Pod[];
}

export function judgeAdmission(input: AdmissionInput): PodRejection | undefined {
  const { pod, node } = input;
  const os = pod.spec.os?.name;
  if (os !== undefined && os !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  }
  const wantedOS = pod.spec.nodeSelector?.['kubernetes.io/os'];
  if (wantedOS !== undefined && wantedOS !== 'linux') {
    const message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message };
  }
  const sysctls = judgeSysctls(pod);
  if (sysctls !== undefined) return { reason: 'SysctlForbidden', message: sysctls };
  const lacking = judgeResources(input);
  if (lacking) return lacking;
  if (requiredNodeMatcher(pod.spec)?.(node) === false) return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  if (pod.spec.nodeName !== undefined && pod.spec.nodeName !== node.metadata.name) {
    return failed('NodeName', "node(s) didn't match the requested node name");
  }
  if (portsTaken(input)) return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  if (untoleratedTaint(node.spec.taints, pod.spec.tolerations, ['NoExecute']))
    return failed('TaintToleration', "node(s) had taints that the pod didn't tolerate");
  return undefined;
}

const failed = (name: string, why: string): PodRejection => ({ reason: name, message: `Predicate ${name} failed: ${why}` });

/** What the node lacks for the pod, beside the others. */
export function judgeResources({ pod, others, allocatable }: Omit<AdmissionInput, 'node'>): PodRejection | undefined {
  const podsMax = quantityValue(allocatable['pods'] ?? '0');
  if (others.length + 1 > podsMax) return lacks('pods', { requested: 1, used: others.length, capacity: podsMax });
  const totals = podTotals(pod);
  const used = others.map(podTotals);
  const cpu = {
    requested: totals.cpuRequestMilli,
    used: used.reduce((sum, t) => sum + t.cpuRequestMilli, 0),
    capacity: quantityMilliValue(allocatable['cpu'] ?? '0'),
  };
  if (cpu.requested > 0 && cpu.requested + cpu.used > cpu.capacity) return lacks('cpu', cpu);
  const memory = {
    requested: totals.memoryRequestBytes,
    used: used.reduce((sum, t) => sum + t.memoryRequestBytes, 0),
    capacity: quantityValue(allocatable['memory'] ?? '0'),
  };
  return memory.requested > 0 && memory.requested + memory.used > memory.capacity ? lacks('memory', memory) : undefined;
}

function lacks(
  resource: string,
  { requested, used, capacity }: { readonly requested: number; readonly used: number; readonly capacity: number },
): PodRejection {
  const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { reason: `OutOf${resource}`, message };
}

const hostPorts = (pod: Pod) =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)].flatMap((c) =>
    (c.ports ?? []).filter((p) => p.hostPort).map((p) => ({ port: p.hostPort, protocol: p.protocol ?? 'TCP', ip: p.hostIP || '0.0.0.0' })),
  );

function portsTaken({ pod, others }: AdmissionInput): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return false;
  const taken = others.flatMap(hostPorts);
  return wanted.some((w) =>
    taken.some((t) => t.port === w.port && t.protocol === w.protocol && (t.ip === w.ip || t.ip === '0.0.0.0' || w.ip === '0.0.0.0')),
  );
}
