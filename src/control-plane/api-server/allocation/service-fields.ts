/**
 * What a Service says about addresses and ports, made complete and coherent before it is validated: values that the
 * server handed out earlier are kept where an update leaves them out, clusterIP and clusterIPs say the same, and the IP
 * families and their policy are filled in. Runs as the last mutating step.
 * Upstream: pkg/registry/core/service/storage/{storage,alloc}.go (patchAllocatedValues, normalizeClusterIPs,
 * initIPFamilyFields).
 */

import type { ServicePort, ServiceSpec } from '../../../api/generated/core-v1.ts';
import { Service } from '../../../api/generated/kinds.ts';
import { familyOf, type IPFamily } from '../../../api/meta/addresses.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { isKind } from '../../../api/meta/object.ts';
import { errors, type FieldError, fieldErrors } from '../../../api/meta/status-error.ts';
import { hasClusterIP, hasHealthCheckPort, hasNodePorts, isHeadless } from '../../../api/predicates/services.ts';
import type { AdmissionPlugin } from '../admission/plugin.ts';

/** The families that the cluster has service CIDRs of; the first is the default. */
export type ClusterFamilies = () => readonly IPFamily[];

export function serviceFields(families: ClusterFamilies): AdmissionPlugin {
  return {
    name: 'ServiceFields',
    handles: (kind, operation, subresource) => isKind(kind, Service) && !subresource && (operation === 'CREATE' || operation === 'UPDATE'),
    admit({ object, oldObject, name }) {
      const service = object as Service;
      const old = (oldObject as Service | undefined)?.spec;
      const kept = old ? keepAllocated(service.spec, old) : service.spec;
      const { spec, problems } = completeFamilies(normalizeClusterIPs(kept, old), old, families());
      if (!old && hasNodePorts(spec)) problems.push(...nodePortProblems(spec));
      if (problems.length > 0) throw errors.invalid(Service, service.metadata.name ?? name, problems);
      return equalSemantically(spec, service.spec) ? undefined : { ...service, spec };
    },
  };
}

function keepAllocated(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const keepsIP = hasClusterIP(spec) && hasClusterIP(old);
  const clusterIP = spec.clusterIP || (keepsIP ? old.clusterIP : undefined);
  const clusterIPs = spec.clusterIPs?.length || !keepsIP ? spec.clusterIPs : old.clusterIPs;
  const keepsCheck = hasHealthCheckPort(spec) && hasHealthCheckPort(old);
  const healthCheckNodePort = spec.healthCheckNodePort || (keepsCheck ? old.healthCheckNodePort : undefined);
  return {
    ...spec,
    ...(clusterIP !== undefined && { clusterIP }),
    ...(clusterIPs && { clusterIPs }),
    ...(spec.ports && { ports: hasNodePorts(spec) && hasNodePorts(old) ? keepNodePorts(spec.ports, old.ports ?? []) : spec.ports }),
    ...(healthCheckNodePort !== undefined && { healthCheckNodePort }),
  };
}

/** By the port's name; a node port that another port has now is not taken from it. */
function keepNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): readonly ServicePort[] {
  const named = new Set(ports.flatMap((port) => port.nodePort || []));
  return ports.map((port) => {
    const known = old.find((each) => (each.name ?? '') === (port.name ?? ''))?.nodePort;
    return port.nodePort || !known || named.has(known) ? port : { ...port, nodePort: known };
  });
}

/** Old clients know only clusterIP: what they set or cleared there counts for clusterIPs too. */
function normalizeClusterIPs(spec: ServiceSpec, old: ServiceSpec | undefined): ServiceSpec {
  const { clusterIP = '', clusterIPs = [] } = spec;
  if (!old) return clusterIP && clusterIPs.length === 0 ? { ...spec, clusterIPs: [clusterIP] } : spec;
  const before = { clusterIP: old.clusterIP ?? '', clusterIPs: old.clusterIPs ?? [] };
  if (before.clusterIP === clusterIP)
    return clusterIPs.length === 0 && before.clusterIPs.length > 0 ? { ...spec, clusterIPs: before.clusterIPs } : spec;
  if (!equalSemantically(before.clusterIPs, clusterIPs)) return spec;
  if (clusterIP) return { ...spec, clusterIPs: [clusterIP] };
  const { clusterIPs: _cleared, ...rest } = spec;
  return rest;
}

/** A new Service may ask for a node port twice only for ports of one number. */
function nodePortProblems({ ports = [] }: ServiceSpec): FieldError[] {
  const givenTo = new Map<number, number>();
  for (const [i, { port, nodePort }] of ports.entries()) {
    if (!nodePort) continue;
    if ((givenTo.get(nodePort) ?? port) !== port)
      return [fieldErrors.invalid(`spec.ports[${i}].nodePort`, nodePort, 'provided port is already allocated')];
    givenTo.set(nodePort, port);
  }
  return [];
}

interface Completed {
  readonly spec: ServiceSpec;
  readonly problems: FieldError[];
}

function completeFamilies(given: ServiceSpec, old: ServiceSpec | undefined, cluster: readonly IPFamily[]): Completed {
  if (!hasClusterIP(given) || (old && keepsDualStack(given, old))) return { spec: given, problems: [] };
  const withoutSelector = isHeadless(given) && Object.keys(given.selector ?? {}).length === 0;
  const policy = given.ipFamilyPolicy ?? old?.ipFamilyPolicy ?? (withoutSelector ? 'RequireDualStack' : 'SingleStack');
  const cut = old && policy === 'SingleStack' ? cutToOne(given, old) : given;
  const problems = [...(old && policy !== 'SingleStack' ? reductionProblems(cut, old, policy) : []), ...policyProblems(cut, policy)];
  const inferred = inferFamilies(cut, cluster);
  problems.push(...inferred.problems);
  if (problems.length > 0) return { spec: given, problems };
  const spec: ServiceSpec = { ...cut, ipFamilyPolicy: policy };
  if (withoutSelector) return { spec: { ...spec, ipFamilies: widen(inferred.families, policy, ['IPv4', 'IPv6'], cluster[0]) }, problems };
  if (policy === 'RequireDualStack' && cluster.length < 2)
    problems.push(fieldErrors.invalid('spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services'));
  inferred.families.forEach((family, i) => {
    const path = `spec.ipFamilies[${i}]`;
    if (family !== 'IPv4' && family !== 'IPv6') problems.push(fieldErrors.notSupported(path, family, ['IPv4', 'IPv6']));
    else if (!cluster.includes(family)) problems.push(fieldErrors.invalid(path, family, 'not configured on this cluster'));
  });
  return { spec: { ...spec, ipFamilies: widen(inferred.families, policy, cluster, cluster[0]) }, problems };
}

/** A PreferDualStack Service whose addresses stay is left alone, however the cluster changed. */
function keepsDualStack(spec: ServiceSpec, old: ServiceSpec): boolean {
  return (
    spec.type === old.type &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    (old.ipFamilyPolicy === undefined || old.ipFamilyPolicy === 'PreferDualStack') &&
    equalSemantically(spec.clusterIPs, old.clusterIPs) &&
    equalSemantically(spec.ipFamilies, old.ipFamilies)
  );
}

function cutToOne(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const { clusterIPs, ipFamilies } = spec;
  return {
    ...spec,
    ...(clusterIPs && { clusterIPs: equalSemantically(old.clusterIPs, clusterIPs) ? clusterIPs.slice(0, 1) : clusterIPs }),
    ...(ipFamilies && { ipFamilies: equalSemantically(old.ipFamilies, ipFamilies) ? ipFamilies.slice(0, 1) : ipFamilies }),
  };
}

function reductionProblems(spec: ServiceSpec, old: ServiceSpec, policy: string): FieldError[] {
  const reduced = (now: readonly string[] = [], before: readonly string[] = []): boolean =>
    now.length === 1 && before.length === 2 && now[0] === before[0];
  const problem = (what: string): FieldError =>
    fieldErrors.invalid('spec.ipFamilyPolicy', policy, `must be 'SingleStack' to release the secondary ${what}`);
  return [
    ...(reduced(spec.clusterIPs, old.clusterIPs) ? [problem('cluster IP')] : []),
    ...(reduced(spec.ipFamilies, old.ipFamilies) ? [problem('IP family')] : []),
  ];
}

function policyProblems(spec: ServiceSpec, policy: string): FieldError[] {
  if (policy !== 'SingleStack') return [];
  const problem = (what: string): FieldError =>
    fieldErrors.invalid(
      'spec.ipFamilyPolicy',
      policy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    );
  return [
    ...(spec.clusterIPs?.length === 2 ? [problem('cluster IPs')] : []),
    ...(spec.ipFamilies?.length === 2 ? [problem('IP families')] : []),
  ];
}

function inferFamilies(spec: ServiceSpec, cluster: readonly IPFamily[]): { families: readonly IPFamily[]; problems: FieldError[] } {
  const families = (spec.ipFamilies ?? []).filter((family) => family !== '');
  const problems: FieldError[] = [];
  for (const [i, address] of (spec.clusterIPs ?? []).entries()) {
    if (address === 'None') break;
    if (!address || i < families.length) continue;
    const family = familyOf(address);
    if (families.includes(family)) continue; // told of the addresses
    if (cluster.includes(family)) families.push(family);
    else problems.push(fieldErrors.invalid(`spec.clusterIPs[${i}]`, spec.clusterIPs, `${family} is not configured on this cluster`));
  }
  return { families, problems };
}

function widen(
  families: readonly IPFamily[],
  policy: string,
  possible: readonly IPFamily[],
  first: IPFamily = 'IPv4',
): readonly IPFamily[] {
  const own = families.length > 0 ? families : [first];
  if (policy === 'SingleStack' || own.length > 1) return own;
  return [...own, ...possible.filter((family) => !own.includes(family))];
}
