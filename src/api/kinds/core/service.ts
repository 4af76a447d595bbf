/**
 * Service: what its type does not use is cleared when an update changes the type. Addresses and node ports are handed
 * out, and IP families filled in, by the API server's allocators. Upstream: pkg/registry/core/service/strategy.go.
 */
import type { ServicePort, ServiceSpec } from '../../generated/core-v1.ts';
import { Service } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { Cell } from '../../meta/kind.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import { hasClusterIP, hasHealthCheckPort, hasNodePorts, isExternal } from '../../predicates/services.ts';
import { ageOf, balancerAddresses, type CellContext, formatLabels } from '../cells.ts';
import { defineKind, placed } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change, mapSame, omit, setDefaultsWhereEmpty } from '../set-defaults.ts';
import { serviceWarnings } from './service-warnings.ts';
import { serviceRule, serviceStatusRule } from './validate-service.ts';

const affinitySeconds = 10_800;

export const service = defineKind(Service, {
  storagePrefix: 'services/specs',
  validateName: nameIsDnsLabel,
  allowCreateOnUpdate: true,
  returnsDeletedObject: true,
  selectablePaths: { ...placed, 'spec.clusterIP': '', 'spec.type': '' },
  hooks: {
    default: defaultService,
    prepareForCreate: (object) => ({ ...object, status: { loadBalancer: {} } }),
    prepareForUpdate,
    rules: serviceRule,
    statusRules: serviceStatusRule,
    warnings: serviceWarnings,
    cells,
  },
});

function defaultService(object: Service): Service {
  const spec = defaultSpec(object.spec);
  const withSpec = spec === object.spec ? object : { ...object, spec };
  if (spec.type !== 'LoadBalancer' || !object.status.loadBalancer?.ingress) return withSpec;
  return change(withSpec, 'status', (status) =>
    change(status, 'loadBalancer', (balancer) =>
      change(balancer, 'ingress', (list) => mapSame(list, (item) => (item.ip ? setDefaultsWhereEmpty(item, { ipMode: 'VIP' }) : item))),
    ),
  );
}

function defaultSpec(given: ServiceSpec): ServiceSpec {
  let spec: ServiceSpec = setDefaultsWhereEmpty<ServiceSpec>(given, { sessionAffinity: 'None', type: 'ClusterIP' });
  if (spec.sessionAffinity === 'None') spec = omit(spec, 'sessionAffinityConfig');
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec = { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: affinitySeconds } } };
  }
  spec = change(spec, 'ports', (ports) => mapSame(ports, defaultPort));
  if (isExternal(spec) && !spec.externalTrafficPolicy) spec = { ...spec, externalTrafficPolicy: 'Cluster' };
  if (!hasClusterIP(spec)) spec = omit(spec, 'internalTrafficPolicy');
  else if (spec.internalTrafficPolicy === undefined) spec = { ...spec, internalTrafficPolicy: 'Cluster' };
  if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === undefined) {
    spec = { ...spec, allocateLoadBalancerNodePorts: true };
  }
  return spec;
}

function defaultPort(given: ServicePort): ServicePort {
  const port = setDefaultsWhereEmpty(given, { protocol: 'TCP' });
  const { targetPort } = port;
  return targetPort === undefined || targetPort === 0 || targetPort === '' ? { ...port, targetPort: port.port } : port;
}

/**
 * Clears what the new type has no use for, if the server may have filled it in and the client did not change it too; in
 * that case validation says so.
 */
function prepareForUpdate(object: Service, old: Service): Service {
  const before = old.spec;
  let { spec } = object;
  const same = (...fields: (keyof ServiceSpec)[]): boolean => fields.every((field) => equalSemantically(spec[field], before[field]));
  if (hasClusterIP(before) && !hasClusterIP(spec)) {
    if (same('clusterIP', 'clusterIPs')) spec = omit(spec, 'clusterIP', 'clusterIPs');
    if (same('ipFamilies')) spec = omit(spec, 'ipFamilies');
    if (same('ipFamilyPolicy')) spec = omit(spec, 'ipFamilyPolicy');
  }
  if (hasNodePorts(before) && !hasNodePorts(spec) && !addsNodePorts(spec, before)) {
    spec = change(spec, 'ports', (ports) => mapSame(ports, (port) => omit(port, 'nodePort')));
  }
  if (hasHealthCheckPort(before) && !hasHealthCheckPort(spec) && same('healthCheckNodePort')) spec = omit(spec, 'healthCheckNodePort');
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (same('allocateLoadBalancerNodePorts')) spec = omit(spec, 'allocateLoadBalancerNodePorts');
    if (same('loadBalancerClass')) spec = omit(spec, 'loadBalancerClass');
  }
  if (isExternal(before) && !isExternal(spec) && same('externalTrafficPolicy')) spec = omit(spec, 'externalTrafficPolicy');
  const status = spec.type === 'LoadBalancer' ? object.status : { ...object.status, loadBalancer: {} };
  return spec === object.spec && status === object.status ? object : { ...object, spec, status };
}

function addsNodePorts(spec: ServiceSpec, before: ServiceSpec): boolean {
  const known = new Set(listOf(before.ports).map((port) => port.nodePort));
  return listOf(spec.ports).some((port) => port.nodePort && !known.has(port.nodePort));
}

function cells(object: Service, at: CellContext): readonly Cell[] {
  const { spec } = object;
  const ports = listOf(spec.ports).map(({ port, nodePort, protocol }) => `${nodePort ? `${port}:${nodePort}` : port}/${protocol}`);
  return [
    object.metadata.name,
    spec.type ?? '',
    spec.clusterIPs?.[0] ?? '<none>',
    externalAddresses(object),
    ports.join(',') || '<none>',
    ageOf(object, at),
    formatLabels(spec.selector),
  ];
}

function externalAddresses({ spec, status }: Service): string {
  const own = listOf(spec.externalIPs);
  if (spec.type === 'ExternalName') return spec.externalName ?? '';
  if (spec.type !== 'LoadBalancer') return own.join(',') || '<none>';
  const balancers = balancerAddresses(listOf(status.loadBalancer?.ingress));
  return [...(balancers ? [balancers] : []), ...own].join(',') || '<pending>';
}
