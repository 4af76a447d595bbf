/** What a client is warned of when it writes a Service. Upstream: pkg/api/service/warnings.go. */
import type { Service } from '../../generated/core-v1.ts';
import { cidrWarnings, ipWarnings } from '../ip-warnings.ts';
import { listOf } from '../lists.ts';

export function serviceWarnings(service: Service): readonly string[] {
  const { spec, metadata } = service;
  const headless = spec.type === 'ClusterIP' && spec.clusterIP === 'None';
  const external = listOf(spec.externalIPs).length > 0;
  const found: (string | false | undefined)[] = [
    metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined &&
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    ...(headless || spec.type === 'ExternalName'
      ? []
      : listOf(spec.clusterIPs).flatMap((ip, i) => ipWarnings(`spec.clusterIPs[${i}]`, ip))),
    headless && spec.loadBalancerIP && 'spec.loadBalancerIP is ignored for headless services',
    headless && external && 'spec.externalIPs is ignored for headless services',
    headless && spec.sessionAffinity !== 'None' && 'spec.SessionAffinity is ignored for headless services',
    ...listOf(spec.externalIPs).flatMap((ip, i) => ipWarnings(`spec.externalIPs[${i}]`, ip)),
    external &&
      !headless &&
      spec.type !== 'ExternalName' &&
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    ...ipWarnings('spec.loadBalancerIP', spec.loadBalancerIP),
    ...listOf(spec.loadBalancerSourceRanges).flatMap((cidr, i) => cidrWarnings(`spec.loadBalancerSourceRanges[${i}]`, cidr)),
    external && spec.type === 'ExternalName' && 'spec.externalIPs is ignored when spec.type is "ExternalName"',
    spec.externalName && spec.type !== 'ExternalName' && 'spec.externalName is ignored when spec.type is not "ExternalName"',
    spec.trafficDistribution === 'PreferClose' && 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
  ];
  return found.filter((text): text is string => typeof text === 'string' && text !== '');
}
