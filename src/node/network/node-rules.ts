/**
 * The node's own nftables table: what leaves the pod network gets the node's address, hostPorts lead to their pods, also from
 * the node itself and from the pod to itself, and a pod sends with its own address only. Pure: the table and what is in it,
 * as data. The Services' rules are the proxy's, in another table.
 * Upstream: containernetworking/plugins plugins/meta/portmap, kube-proxy's masquerading.
 */
import type { PodSpec, PodStatus } from '../../api/generated/core-v1.ts';
import { isSidecar } from '../../api/predicates/pod-resources.ts';
import { isTerminalPhase } from '../../api/predicates/pod-state.ts';
import { type Elements, emptyRuleset, type Ruleset, type Table } from '../nft/ruleset.ts';

export interface HostPortRule {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** absent: every address of the node */
  readonly hostIP?: string | undefined;
  readonly hostPort: number;
  readonly podIP: string;
  readonly containerPort: number;
}

export interface NodeTable {
  readonly name: string;
  /** the pods of all nodes */
  readonly clusterCidr: string;
  /** Where packets of pods go with the pod's own address: ranges that have a way back to pods. */
  readonly keepSource: readonly string[];
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

/** What never changes of it. A link of a pod is a `veth…` with a route to the pod's address alone. */
export const nodeTable = ({ name, clusterCidr, keepSource }: NodeTable): Table => ({
  family: 'ip',
  name,
  base: `  map ports-of-address { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain host-ports {
    dnat ip to ip daddr . meta l4proto . th dport map @ports-of-address
    dnat ip to meta l4proto . th dport map @ports
  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip saddr 127.0.0.0/8 drop
    iifname "veth*" fib saddr . iif oif missing drop
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
`,
});

/** Of several pods that want one port, the one with the first address has it. */
export function planNodeRules(hostPorts: readonly HostPortRule[]): Ruleset {
  const ordered = hostPorts.toSorted((a, b) => (target(a) < target(b) ? 1 : -1));
  const leading = (rules: readonly HostPortRule[], from: (rule: HostPortRule) => string): Elements =>
    new Map(rules.map((rule) => [from(rule), target(rule)]));
  const byAddress = ordered.filter(({ hostIP }) => hostIP !== undefined);
  const byPort = ordered.filter(({ hostIP }) => hostIP === undefined);
  return {
    ...emptyRuleset,
    elements: new Map<string, Elements>([
      ['ports-of-address', leading(byAddress, ({ hostIP, protocol, hostPort }) => `${hostIP} . ${protocol} . ${hostPort}`)],
      ['ports', leading(byPort, ({ protocol, hostPort }) => `${protocol} . ${hostPort}`)],
      ['hairpin', new Map(ordered.map(({ podIP }) => [`${podIP} . ${podIP}`, '']))],
    ]),
  };
}

const target = ({ podIP, containerPort }: HostPortRule): string => `${podIP} . ${containerPort}`;
