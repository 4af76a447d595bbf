/** Rules of a Service. Upstream: pkg/apis/core/validation/validation.go (validateService). */
import type { LoadBalancerIngress, LoadBalancerStatus, Service, ServicePort, ServiceSpec, ServiceStatus } from '../../generated/core-v1.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { hasHealthCheckPort, isExternal, isHeadless } from '../../predicates/services.ts';
import {
  all,
  countedAs,
  each,
  eachBy,
  fields,
  filled,
  keeping,
  oneOf,
  present,
  required,
  uniqueBy,
  untilWrong,
} from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { repeats } from '../checks.ts';
import { listOf } from '../lists.ts';
import { balancerName, cidr, dnsLabel, dnsSubdomain, endpointIP, ip, labels, port, portNumber, qualifiedName } from '../shared-rules.ts';

const affinitySecondsMax = 86_400;

const sourceRangesKey = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const hintsKey = 'service.kubernetes.io/topology-aware-hints';
const modeKey = 'service.kubernetes.io/topology-mode';
const onlyOfBalancers = "may only be used when `type` is 'LoadBalancer'";

const oneMode: Rule<Service> = ({ metadata }, walk) => {
  const { [hintsKey]: hints, [modeKey]: mode } = metadata.annotations ?? {};
  if (hints === undefined || mode === undefined || hints === mode) return;
  walk.invalid(`metadata.annotations[${modeKey}]`, mode, `must match annotations[${hintsKey}] when both are specified`);
};

const byType: Rule<ServiceSpec> = (spec, walk) => {
  const headless = isHeadless(spec);
  if (!spec.ports?.length && !headless && spec.type !== 'ExternalName') walk.required('ports');
  if (headless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')) {
    walk.invalid('clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`);
  }
  if (spec.type !== 'ExternalName') return;
  const forbid = (field: string): void => walk.forbidden(field, 'may not be set for ExternalName services');
  if (spec.clusterIPs?.length) forbid('clusterIPs');
  if (spec.ipFamilies?.length) forbid('ipFamilies');
  if (spec.ipFamilyPolicy !== undefined) forbid('ipFamilyPolicy');
  externalName(spec, walk, undefined);
};
const externalName = fields<ServiceSpec>({
  externalName: required((name, walk) => targetName(name.replace(/\.$/, ''), walk, undefined)),
});
const targetName = required(dnsSubdomain);

const portRule = fields<ServicePort>({
  port: portNumber,
  protocol: required(oneOf('SCTP', 'TCP', 'UDP')),
  targetPort: countedAs<number | string>(0, port),
  appProtocol: qualifiedName,
});
const eachPort = eachBy<ServicePort>((ports) => {
  const isRepeated = repeats<string>();
  return (given, walk) => {
    const { name } = given;
    walk.check('name', name || undefined, dnsLabel);
    if (!name && ports.length > 1) walk.required('name');
    if (name && isRepeated(name)) walk.duplicate('name', name);
    portRule(given, walk, undefined);
  };
});

const nodePorts: Rule<ServiceSpec> = ({ ports, type }, walk) => {
  const isRepeated = repeats<string>();
  for (const [i, { protocol, nodePort }] of listOf(ports).entries()) {
    if (!nodePort) continue;
    if (type === 'ClusterIP') walk.forbidden(`ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'");
    if (isRepeated(`${protocol} ${nodePort}`)) walk.duplicate(`ports[${i}].nodePort`, nodePort);
  }
};
const distinctPorts = uniqueBy<ServicePort>((given) => `${given.protocol} ${given.port}`, {
  told: ({ protocol, port: number }) => ({ Name: '', Protocol: protocol, AppProtocol: null, Port: number, TargetPort: 0, NodePort: 0 }),
});

const affinity: Rule<ServiceSpec> = ({ sessionAffinity, sessionAffinityConfig }, walk) => {
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  if (sessionAffinity !== 'ClientIP' || (seconds > 0 && seconds <= affinitySecondsMax)) return;
  const message = `must be greater than 0 and less than ${affinitySecondsMax}`;
  walk.invalid('sessionAffinityConfig.clientIP.timeoutSeconds', seconds, message);
};

/** What was there before may stay. */
const clusterIPs = keeping<readonly string[]>(
  (old) => old,
  (given, walk) => {
    for (const [i, address] of given.entries()) {
      if (i > 0 || address !== 'None') walk.check(i, address, ip);
      else if (given.length > 1) walk.invalid('', given, "'None' must be the first and only value");
    }
  },
);
const families = fields<ServiceSpec>({
  ipFamilies: uniqueBy<string>((family) => family, { rule: oneOf('IPv4', 'IPv6') }),
  ipFamilyPolicy: oneOf('PreferDualStack', 'RequireDualStack', 'SingleStack'),
});

const addresses: Rule<ServiceSpec> = (spec, walk, old) => {
  if (spec.type === 'ExternalName') return;
  const given = listOf(spec.clusterIPs);
  const bad = (message: string): void => walk.invalid('clusterIPs', given, message);
  if (spec.clusterIP && !given.length) walk.required('clusterIPs');
  else if (spec.clusterIP && given[0] !== spec.clusterIP) bad('first value must match `clusterIP`');
  else if (!spec.clusterIP && given.length) bad('must be empty when `clusterIP` is not specified');
  families(spec, walk, undefined);
  const before = walk.errors.length;
  walk.check('clusterIPs', given, clusterIPs, old?.clusterIPs);
  const isWrong = walk.errors.length > before;
  if (given.length > 2) bad('may only hold up to 2 values');
  if (isWrong) return;
  if (given.length > 1 && new Set(given.map(isIPv6Address)).size < 2) bad('may specify no more than one IP for each IP family');
  if (isHeadless(spec)) return;
  for (const [i, address] of given.entries()) {
    const family = spec.ipFamilies?.[i];
    if ((family !== 'IPv4' && family !== 'IPv6') || (family === 'IPv6') === isIPv6Address(address)) continue;
    walk.invalid(`clusterIPs[${i}]`, address, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``);
  }
};

const externalIPs = keeping<readonly string[]>((old) => old, each(untilWrong(ip, endpointIP)));

const ranges = keeping<readonly string[]>(
  (old) => old.map((range) => range.trim()),
  each((range, walk) => cidr(range.trim(), walk, undefined)),
);
const sourceRanges: Rule<Service> = ({ spec, metadata }, walk, old) => {
  const given = listOf(spec.loadBalancerSourceRanges);
  const text = metadata.annotations?.[sourceRangesKey];
  const path = given.length ? 'spec.LoadBalancerSourceRanges' : `metadata.annotations[${sourceRangesKey}]`;
  if ((given.length || text !== undefined) && spec.type !== 'LoadBalancer') walk.forbidden(path, onlyOfBalancers);
  if (given.length) return walk.check(path, given, ranges, listOf(old?.spec.loadBalancerSourceRanges));
  if (old?.metadata.annotations?.[sourceRangesKey] === text || !text?.trim()) return;
  for (const range of text.trim().split(',')) walk.check(path, range.trim(), cidr);
};

const balancer: Rule<Service> = ({ spec }, walk) => {
  const { allocateLoadBalancerNodePorts: allocate, loadBalancerClass, type } = spec;
  const isBalancer = type === 'LoadBalancer';
  if (allocate !== undefined && !isBalancer) walk.forbidden('spec.allocateLoadBalancerNodePorts', onlyOfBalancers);
  if (allocate === undefined && isBalancer) walk.required('allocateLoadBalancerNodePorts');
  if (isBalancer) walk.check('spec.loadBalancerClass', loadBalancerClass, qualifiedName);
  else if (loadBalancerClass !== undefined) walk.forbidden('spec.loadBalancerClass', onlyOfBalancers);
};

const trafficPolicy = oneOf('Cluster', 'Local');
const demandedPolicy = required(trafficPolicy);
const demandedInside = present(trafficPolicy);
const traffic: Rule<ServiceSpec> = (spec, walk) => {
  const { externalTrafficPolicy: external, healthCheckNodePort: healthPort } = spec;
  if (isExternal(spec)) policyOutside(spec, walk, undefined);
  else if (external) walk.invalid('externalTrafficPolicy', external, 'may only be set for externally-accessible services');
  // the port itself is handed out after validation
  if (healthPort && hasHealthCheckPort(spec)) walk.check('healthCheckNodePort', healthPort, portNumber);
  else if (healthPort) {
    const message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    walk.invalid('healthCheckNodePort', healthPort, message);
  }
  (spec.type === 'ExternalName' ? policies : demandedPolicies)(spec, walk, undefined);
};
const trafficDistribution = oneOf('PreferClose', 'PreferSameZone', 'PreferSameNode');
const policyOutside = fields<ServiceSpec>({ externalTrafficPolicy: demandedPolicy });
const policies = fields<ServiceSpec>({ internalTrafficPolicy: trafficPolicy, trafficDistribution });
const demandedPolicies = fields<ServiceSpec>({ internalTrafficPolicy: demandedInside, trafficDistribution });

const lasting: Rule<ServiceSpec> = (spec, walk, old) => {
  if (!old) return;
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName') lastingAddresses(spec, walk, old);
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    walk.invalid('loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set');
  }
  if (hasHealthCheckPort(spec) && hasHealthCheckPort(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    walk.forbidden('healthCheckNodePort', 'field is immutable');
  }
};

/** The first address and family stay; the second may come and, with the policy SingleStack, go. */
const lastingAddresses: Rule<ServiceSpec> = (spec, walk, old) => {
  const [headless, wasHeadless] = [isHeadless(spec), isHeadless(old ?? spec)];
  const rules = [
    { field: 'clusterIPs', called: 'clusterIP', skip: headless && wasHeadless },
    { field: 'ipFamilies', called: 'ipFamily', skip: headless || wasHeadless },
  ] as const;
  for (const { field, called, skip } of rules) {
    if (skip) continue;
    const now: readonly string[] = listOf<string>(spec[field]);
    const before: readonly string[] = listOf<string>(old?.[field]);
    const bad = (i: number, message: string): void => walk.invalid(`${field}[${i}]`, now, message);
    if (!now.length && before.length) bad(0, `primary ${called} can not be unset`);
    const compared = now.length === before.length ? before.length : Math.min(now.length, before.length, 1);
    for (let i = 0; i < compared; i++) if (now[i] !== before[i]) bad(field === 'ipFamilies' ? 0 : i, 'may not change once set');
    if (now.length === 1 && before.length > 1 && spec.ipFamilyPolicy !== 'SingleStack') {
      const message = `must be set to 'SingleStack' when releasing the secondary ${called}`;
      walk.invalid('ipFamilyPolicy', spec.ipFamilyPolicy ?? null, message);
    }
  }
};

export const serviceRule = all<Service>(
  fields({ spec: lasting }),
  oneMode,
  fields({
    spec: all<ServiceSpec>(
      byType,
      fields({ ports: eachPort }),
      nodePorts,
      fields({ ports: distinctPorts, selector: labels, sessionAffinity: required(oneOf('ClientIP', 'None')) }),
      affinity,
      addresses,
      fields({ externalIPs, type: required(oneOf('ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort')) }),
    ),
  }),
  sourceRanges,
  balancer,
  fields({ spec: traffic }),
);

const knownMode = oneOf('Proxy', 'VIP');
const ingressPoint: Rule<LoadBalancerIngress> = all<LoadBalancerIngress>(
  fields({ ip: filled(ip) }),
  ({ ip: address, ipMode }, walk) => {
    if (address && ipMode === undefined) walk.required('ipMode', 'must be specified when `ip` is set');
    if (!address && ipMode !== undefined) walk.forbidden('ipMode', 'may not be specified when `ip` is not set');
    if (address) walk.check('ipMode', ipMode, knownMode);
  },
  fields({ hostname: filled(balancerName) }),
);
const pointsOf = ({ status }: Service): LoadBalancerStatus['ingress'] => status.loadBalancer?.ingress;

export const serviceStatusRule: Rule<Service> = keeping(
  (old) => listOf(pointsOf(old)).flatMap((point) => point.ip || []),
  (service, walk) => {
    const isBalancer = service.spec.type === 'LoadBalancer';
    if (isBalancer) walk.check('status', service.status, ingressPoints);
    else if (pointsOf(service)?.length)
      walk.forbidden('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'");
  },
);
const ingressPoints = fields<ServiceStatus>({ loadBalancer: fields<LoadBalancerStatus>({ ingress: each(ingressPoint) }) });
