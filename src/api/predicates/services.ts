/** What a Service has, by its type. Upstream: pkg/api/service, pkg/apis/core/helper. */
import type { Service, ServiceSpec } from '../generated/core-v1.ts';

export const hasClusterIP = ({ type }: ServiceSpec): boolean => type !== 'ExternalName';

export const hasNodePorts = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer';

export const hasHealthCheckPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

/** It has none, and names lead to its pods. */
export const isHeadless = ({ clusterIP, clusterIPs }: ServiceSpec): boolean => (clusterIPs?.[0] ?? clusterIP) === 'None';

/** The addresses that are handed out to it: none for a headless one. */
export function clusterIPsOf({ spec }: Service): readonly string[] {
  return hasClusterIP(spec) ? (spec.clusterIPs ?? []).filter((address) => address && address !== 'None') : none;
}

const none: readonly string[] = [];

/** Reached from outside the cluster. */
export const isExternal = (spec: ServiceSpec): boolean => hasNodePorts(spec) || (spec.type === 'ClusterIP' && !!spec.externalIPs?.length);
