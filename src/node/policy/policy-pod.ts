/** A pod as policies see it: where it is, what it is called by, and its named ports. Pods of the node's own network are none. */
import type { Namespace, Pod } from '../../api/generated/core-v1.ts';
import { canonicalIP } from '../../api/meta/addresses.ts';
import { isSidecar } from '../../api/predicates/pod-resources.ts';
import { isPodTerminal } from '../../api/predicates/pod-state.ts';
import type { LabelledPod } from './policy-rules.ts';

export interface PolicyPod extends LabelledPod {
  readonly ips: readonly string[];
  /** `tcp/http` → 80 */
  readonly namedPorts: Readonly<Record<string, number>>;
  /** of this node: policies isolate it here */
  readonly isLocal: boolean;
}

interface Seen {
  readonly nodeName: string;
  readonly namespace: Namespace | undefined;
  /** as the sandbox has them; default: what its status says */
  readonly ips?: readonly string[] | undefined;
}

/** Undefined: without an address of its own, or over. */
export function policyPod(pod: Pod, { nodeName, namespace, ips }: Seen): PolicyPod | undefined {
  const { spec, status, metadata } = pod;
  const own = (ips ?? status?.podIPs?.map(({ ip }) => ip) ?? []).map(canonicalIP);
  if (spec.hostNetwork || isPodTerminal(pod) || own.length === 0) return undefined;
  const containers = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
  const named = containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ name, protocol = 'TCP', containerPort }) =>
      name ? [[`${protocol.toLowerCase()}/${name}`, containerPort] as const] : [],
    ),
  );
  return {
    namespace: metadata.namespace,
    namespaceLabels: namespace?.metadata.labels ?? {},
    labels: metadata.labels ?? {},
    ips: own,
    namedPorts: Object.fromEntries(named),
    isLocal: spec.nodeName === nodeName,
  };
}
