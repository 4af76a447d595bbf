/**
 * Kernel parameters that a pod may set for itself: those that are confined to it. Pure.
 * Upstream: pkg/kubelet/sysctl/{allowlist,safe_sysctls}.go.
 */
import type { Pod } from '../../../api/generated/core-v1.ts';

const safe = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

/** Why the first one that is wrong is, or undefined. */
export function judgeSysctls({ spec }: Pod): string | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll('/', '.');
    if (!safe.has(dotted)) return `forbidden sysctl: "${dotted}" not allowlisted`;
    if (dotted.startsWith('net.') && spec.hostNetwork) return `forbidden sysctl: "${dotted}" not allowed with host net enabled`;
    if (dotted.startsWith('kernel.shm') && spec.hostIPC) return `forbidden sysctl: "${dotted}" not allowed with host ipc enabled`;
  }
  return undefined;
}
