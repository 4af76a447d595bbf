/**
 * The node's own nftables table: what leaves the pod network gets the node's address, and hostPorts lead to their pods,
 * also from the node itself and from the pod to itself. Pure: the rules as a script that replaces the table whole.
 * The Services' rules are the proxy's, in another table.
 * Upstream: containernetworking/plugins plugins/meta/portmap, kube-proxy's masquerading.
 */
import type { PodSpec, PodStatus } from '../../api/generated/core-v1.ts';
import { isSidecar } from '../../api/predicates/pod-resources.ts';
import { isTerminalPhase } from '../../api/predicates/pod-state.ts';

export interface HostPortRule {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** absent: every address of the node */
  readonly hostIP?: string | undefined;
  readonly hostPort: number;
  readonly podIP: string;
  readonly containerPort: number;
}

export interface NodeRules {
  readonly table: string;
  /** the pods of all nodes */
  readonly clusterCidr: string;
  /** Where packets of pods go with the pod's own address: ranges that have a way back to pods. */
  readonly keepSource: readonly string[];
  readonly hostPorts: readonly HostPortRule[];
}

/** A Pod, as far as its hostPorts need it. */
export interface RoutedPod {
  readonly spec?: Pick<PodSpec, 'containers' | 'initContainers' | 'hostNetwork'>;
  readonly status?: Pick<PodStatus, 'podIP' | 'phase'>;
}

/** The hostPorts of pods that have an address and are not over. */
export function planHostPorts(pods: readonly RoutedPod[]): HostPortRule[] {
  return pods.flatMap(({ spec, status }) => {
    const podIP = status?.podIP;
    if (!podIP || spec?.hostNetwork || isTerminalPhase(status?.phase)) return [];
    const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isSidecar)];
    return containers.flatMap(({ ports = [] }) =>
      ports
        .filter(({ hostPort, hostIP }) => hostPort && !hostIP?.includes(':'))
        .map(({ protocol = 'TCP', hostIP, hostPort = 0, containerPort }) => ({
          protocol: protocol.toLowerCase() as HostPortRule['protocol'],
          hostIP: hostIP && hostIP !== '0.0.0.0' ? hostIP : undefined,
          hostPort,
          podIP,
          containerPort,
        })),
    );
  });
}

export function renderNodeRules({ table, clusterCidr, keepSource, hostPorts }: NodeRules): string {
  const byAddress = hostPorts.filter(({ hostIP }) => hostIP !== undefined);
  const byPort = hostPorts.filter(({ hostIP }) => hostIP === undefined);
  const target = ({ podIP, containerPort }: HostPortRule): string => `${podIP} . ${containerPort}`;
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  map ports-of-address {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
${elements(byAddress.map((port) => `${port.hostIP} . ${port.protocol} . ${port.hostPort} : ${target(port)}`))}  }
  map ports {
    type inet_proto . inet_service : ipv4_addr . inet_service
${elements(byPort.map((port) => `${port.protocol} . ${port.hostPort} : ${target(port)}`))}  }
  set hairpin {
    type ipv4_addr . ipv4_addr
${elements(hostPorts.map(({ podIP }) => `${podIP} . ${podIP}`))}  }
  chain host-ports {
    dnat ip to ip daddr . meta l4proto . th dport map @ports-of-address
    dnat ip to meta l4proto . th dport map @ports
  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip saddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local meta l4proto { tcp, udp, sctp } jump host-ports
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local meta l4proto { tcp, udp, sctp } jump host-ports
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr . ip daddr @hairpin ct status dnat masquerade
    oifname != "lo" ip saddr 127.0.0.0/8 ct status dnat masquerade
    ip saddr ${clusterCidr} ip daddr != { ${[clusterCidr, '224.0.0.0/4', ...keepSource].join(', ')} } masquerade
  }
}
`;
}

const elements = (items: readonly string[]): string =>
  items.length === 0 ? '' : `    elements = { ${[...new Set(items)].sort().join(', ')} }\n`;

/** Harmless where there is none. */
export const renderRemoval = (table: string): string => `table ip ${table}\ndelete table ip ${table}\n`;
