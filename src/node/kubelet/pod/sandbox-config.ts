/**
 * The CRI's configuration of a pod's sandbox. Pure.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_sandbox.go (generatePodSandboxConfig).
 */
import { join } from 'node:path';
import type { Pod } from '../../../api/generated/core-v1.ts';
import { checkedName } from '../../files/held-directory.ts';
import type { DNSConfig, PodSandboxConfig, PortMapping } from '../../runtime/cri-types.ts';
import { podCgroupResources } from '../container/container-resources.ts';
import { sandboxSecurityContext } from '../container/security-context.ts';
import { kernelHostname, podHostname } from './pod-hostname.ts';
import { labelsOfPod } from './runtime-labels.ts';

export interface SandboxInput {
  readonly pod: Pod;
  readonly attempt: number;
  readonly dns: DNSConfig;
  readonly clusterDomain: string;
  /** the directory of all pods' logs */
  readonly logsRoot: string;
  readonly cgroupParent?: string | undefined;
}

export const podLogsDirectory = (logsRoot: string, pod: Pod): string =>
  join(logsRoot, checkedName(`${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`));

/** Whose logs lie in a directory of this name. */
export const podUIDOfLogs = (name: string): string => name.slice(name.lastIndexOf('_') + 1);

export function sandboxConfig(input: SandboxInput): PodSandboxConfig {
  const { pod, attempt, dns } = input;
  const { metadata, spec } = pod;
  const ports = spec.hostNetwork ? [] : portMappings(pod);
  const sysctls = Object.fromEntries((spec.securityContext?.sysctls ?? []).map((s) => [s.name.replaceAll('/', '.'), s.value]));
  return {
    metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid, attempt },
    labels: labelsOfPod(pod),
    ...(metadata.annotations && { annotations: metadata.annotations }),
    dnsConfig: dns,
    ...(!spec.hostNetwork && { hostname: kernelHostname(pod, podHostname(pod, input.clusterDomain)) }),
    logDirectory: podLogsDirectory(input.logsRoot, pod),
    ...(ports.length > 0 && { portMappings: ports }),
    linux: {
      ...(input.cgroupParent !== undefined && { cgroupParent: input.cgroupParent }),
      securityContext: sandboxSecurityContext(pod),
      sysctls,
      resources: podCgroupResources(pod),
    },
  };
}

/** Sidecars publish ports as regular containers do. */
function portMappings(pod: Pod): readonly PortMapping[] {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')];
  return containers.flatMap((container) =>
    (container.ports ?? []).map(({ containerPort, hostPort, protocol, hostIP }) => ({
      containerPort,
      hostPort: hostPort ?? 0,
      protocol: protocol ?? 'TCP',
      ...(hostIP && { hostIp: hostIP }),
    })),
  );
}
