/** Checks of a Service. Upstream: pkg/apis/core/validation/validation.go (validateService). */
import type { LoadBalancerStatus, Service, ServicePort, ServiceSpec } from '../../generated/core-v1.ts';
import { isIPAddress, isIPv6Address } from '../../meta/addresses.ts';
import { checkDns1123Subdomain, checkPortNumber, checkQualifiedName } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { hasHealthCheckPort, isExternal, isHeadless } from '../../predicates/services.ts';
import {
  addInvalid,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabels,
  checkOneOf,
  checkPort,
  checkSupported,
  type Errors,
  repeats,
} from '../checks.ts';
import { checkCIDR, checkEndpointIP, checkIP } from '../ip-checks.ts';
import { listOf } from '../lists.ts';

const affinitySecondsMax = 86_400;

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const trafficPolicies = ['Cluster', 'Local'];
const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const sourceRangesKey = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const hintsKey = 'service.kubernetes.io/topology-aware-hints';
const modeKey = 'service.kubernetes.io/topology-mode';
const onlyOfBalancers = "may only be used when `type` is 'LoadBalancer'";

export function validateService(service: Service, old?: Service): readonly FieldError[] {
  const errors: Errors = [];
  const { spec, metadata } = service;
  if (old) checkUpdate(errors, spec, old.spec);
  const { [hintsKey]: hints, [modeKey]: mode } = metadata.annotations ?? {};
  if (hints !== undefined && mode !== undefined && hints !== mode) {
    errors.push(
      fieldErrors.invalid(`metadata.annotations[${modeKey}]`, mode, `must match annotations[${hintsKey}] when both are specified`),
    );
  }
  checkByType(errors, spec);
  checkPorts(errors, spec);
  checkLabels(errors, 'spec.selector', spec.selector);
  checkAffinity(errors, spec);
  checkAddresses(errors, spec, old?.spec);
  const externalBefore = new Set(listOf(old?.spec.externalIPs));
  listOf(spec.externalIPs).forEach((address, i) => {
    const path = `spec.externalIPs[${i}]`;
    if (checkIP(errors, path, address, externalBefore)) checkEndpointIP(errors, path, address);
  });
  checkOneOf(errors, 'spec.type', spec.type, { of: types });
  checkSourceRanges(errors, service, old);
  checkBalancer(errors, spec);
  checkTrafficPolicies(errors, spec);
  return errors;
}

function checkByType(errors: Errors, spec: ServiceSpec): void {
  const headless = isHeadless(spec);
  if (!spec.ports?.length && !headless && spec.type !== 'ExternalName') errors.push(fieldErrors.required('spec.ports'));
  if (headless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')) {
    errors.push(fieldErrors.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type !== 'ExternalName') return;
  const forbid = (field: string): void =>
    void errors.push(fieldErrors.forbidden(`spec.${field}`, 'may not be set for ExternalName services'));
  if (spec.clusterIPs?.length) forbid('clusterIPs');
  if (spec.ipFamilies?.length) forbid('ipFamilies');
  if (spec.ipFamilyPolicy !== undefined) forbid('ipFamilyPolicy');
  const name = spec.externalName?.replace(/\.$/, '');
  if (!name) errors.push(fieldErrors.required('spec.externalName'));
  else checkDnsSubdomain(errors, 'spec.externalName', name);
}

function checkPorts(errors: Errors, spec: ServiceSpec): void {
  const ports = listOf(spec.ports);
  const names = new Set<string>();
  ports.forEach((port, i) => {
    checkServicePort(errors, `spec.ports[${i}]`, port, { needsName: ports.length > 1, names });
  });
  const seen = new Set<string>();
  ports.forEach((port, i) => {
    if (!port.nodePort) return;
    const path = `spec.ports[${i}].nodePort`;
    if (spec.type === 'ClusterIP') errors.push(fieldErrors.forbidden(path, "may not be used when `type` is 'ClusterIP'"));
    const key = `node ${port.protocol} ${port.nodePort}`;
    if (seen.has(key)) errors.push(fieldErrors.duplicate(path, port.nodePort));
    seen.add(key);
  });
  ports.forEach(({ protocol, port }, i) => {
    const key = `${protocol} ${port}`;
    const shown = { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
    if (seen.has(key)) errors.push(fieldErrors.duplicate(`spec.ports[${i}]`, shown));
    seen.add(key);
  });
}

interface PortRules {
  readonly needsName: boolean;
  readonly names: Set<string>;
}

function checkServicePort(errors: Errors, path: string, port: ServicePort, { needsName, names }: PortRules): void {
  if (port.name) {
    checkDnsLabel(errors, `${path}.name`, port.name);
    if (names.has(port.name)) errors.push(fieldErrors.duplicate(`${path}.name`, port.name));
    names.add(port.name);
  } else if (needsName) errors.push(fieldErrors.required(`${path}.name`));
  addInvalid(errors, `${path}.port`, port.port, checkPortNumber(port.port));
  checkOneOf(errors, `${path}.protocol`, port.protocol, { of: ['SCTP', 'TCP', 'UDP'] });
  checkPort(errors, `${path}.targetPort`, port.targetPort);
  if (port.appProtocol !== undefined) addInvalid(errors, `${path}.appProtocol`, port.appProtocol, checkQualifiedName(port.appProtocol));
}

function checkAffinity(errors: Errors, spec: ServiceSpec): void {
  checkOneOf(errors, 'spec.sessionAffinity', spec.sessionAffinity, { of: ['ClientIP', 'None'] });
  if (spec.sessionAffinity !== 'ClientIP') return;
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  if (seconds > 0 && seconds <= affinitySecondsMax) return;
  const path = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds';
  errors.push(fieldErrors.invalid(path, seconds, `must be greater than 0 and less than ${affinitySecondsMax}`));
}

function checkAddresses(errors: Errors, spec: ServiceSpec, old: ServiceSpec | undefined): void {
  if (spec.type === 'ExternalName') return;
  const path = 'spec.clusterIPs';
  const addresses = listOf(spec.clusterIPs);
  const bad = (message: string): void => void errors.push(fieldErrors.invalid(path, addresses, message));
  if (spec.clusterIP) {
    if (!addresses.length) errors.push(fieldErrors.required(path));
    else if (addresses[0] !== spec.clusterIP) bad('first value must match `clusterIP`');
  } else if (addresses.length) bad('must be empty when `clusterIP` is not specified');
  const isRepeated = repeats<string>();
  listOf(spec.ipFamilies).forEach((family, i) => {
    checkSupported(errors, `spec.ipFamilies[${i}]`, family, ['IPv4', 'IPv6']);
    if (isRepeated(family)) errors.push(fieldErrors.duplicate(`spec.ipFamilies[${i}]`, family));
  });
  checkSupported(errors, 'spec.ipFamilyPolicy', spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack']);
  const before = errors.length;
  const addressesBefore = new Set(listOf(old?.clusterIPs));
  addresses.forEach((address, i) => {
    if (i > 0 || address !== 'None') checkIP(errors, `${path}[${i}]`, address, addressesBefore);
    else if (addresses.length > 1) bad("'None' must be the first and only value");
  });
  const invalid = errors.length > before;
  if (addresses.length > 2) bad('may only hold up to 2 values');
  if (invalid) return;
  if (addresses.length > 1 && new Set(addresses.map(isIPv6Address)).size < 2) bad('may specify no more than one IP for each IP family');
  checkFamilies(errors, spec);
}

function checkFamilies(errors: Errors, spec: ServiceSpec): void {
  if (isHeadless(spec)) return;
  listOf(spec.clusterIPs).forEach((address, i) => {
    const family = spec.ipFamilies?.[i];
    const actual = isIPv6Address(address) ? 'IPv6' : 'IPv4';
    if ((family !== 'IPv4' && family !== 'IPv6') || family === actual) return;
    const message = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
    errors.push(fieldErrors.invalid(`spec.clusterIPs[${i}]`, address, message));
  });
}

function checkSourceRanges(errors: Errors, { spec, metadata }: Service, old: Service | undefined): void {
  const ranges = listOf(spec.loadBalancerSourceRanges);
  const text = metadata.annotations?.[sourceRangesKey];
  if (ranges.length) {
    const path = 'spec.LoadBalancerSourceRanges';
    if (spec.type !== 'LoadBalancer') errors.push(fieldErrors.forbidden(path, onlyOfBalancers));
    const kept = new Set(listOf(old?.spec.loadBalancerSourceRanges).map((range) => range.trim()));
    ranges.forEach((range, i) => {
      checkCIDR(errors, `${path}[${i}]`, range.trim(), kept);
    });
  } else if (text !== undefined) {
    const path = `metadata.annotations[${sourceRangesKey}]`;
    if (spec.type !== 'LoadBalancer') errors.push(fieldErrors.forbidden(path, onlyOfBalancers));
    if (old?.metadata.annotations?.[sourceRangesKey] === text || !text.trim()) return;
    for (const range of text.trim().split(',')) checkCIDR(errors, path, range.trim());
  }
}

function checkBalancer(errors: Errors, spec: ServiceSpec): void {
  const isBalancer = spec.type === 'LoadBalancer';
  const { allocateLoadBalancerNodePorts: allocate, loadBalancerClass } = spec;
  if (allocate !== undefined && !isBalancer) errors.push(fieldErrors.forbidden('spec.allocateLoadBalancerNodePorts', onlyOfBalancers));
  if (allocate === undefined && isBalancer) errors.push(fieldErrors.required('allocateLoadBalancerNodePorts'));
  if (loadBalancerClass === undefined) return;
  if (isBalancer) addInvalid(errors, 'spec.loadBalancerClass', loadBalancerClass, checkQualifiedName(loadBalancerClass));
  else errors.push(fieldErrors.forbidden('spec.loadBalancerClass', onlyOfBalancers));
}

function checkTrafficPolicies(errors: Errors, spec: ServiceSpec): void {
  const { externalTrafficPolicy: external, healthCheckNodePort: healthPort } = spec;
  if (isExternal(spec)) checkOneOf(errors, 'spec.externalTrafficPolicy', external, { of: trafficPolicies });
  else if (external) {
    errors.push(fieldErrors.invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'));
  }
  // the port itself is handed out after validation
  if (healthPort) {
    const message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    addInvalid(errors, 'spec.healthCheckNodePort', healthPort, hasHealthCheckPort(spec) ? checkPortNumber(healthPort) : [message]);
  }
  if (spec.internalTrafficPolicy === undefined) {
    if (spec.type !== 'ExternalName') errors.push(fieldErrors.required('spec.internalTrafficPolicy'));
  } else checkSupported(errors, 'spec.internalTrafficPolicy', spec.internalTrafficPolicy, trafficPolicies);
  checkSupported(errors, 'spec.trafficDistribution', spec.trafficDistribution, distributions);
}

function checkUpdate(errors: Errors, spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName') checkFixedAddresses(errors, spec, old);
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(fieldErrors.invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'));
  }
  if (hasHealthCheckPort(spec) && hasHealthCheckPort(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(fieldErrors.forbidden('spec.healthCheckNodePort', 'field is immutable'));
  }
}

/** The first address and family stay; the second may come and, with the policy SingleStack, go. */
function checkFixedAddresses(errors: Errors, spec: ServiceSpec, old: ServiceSpec): void {
  const [headless, wasHeadless] = [isHeadless(spec), isHeadless(old)];
  const rules = [
    { field: 'clusterIPs', called: 'clusterIP', skip: headless && wasHeadless },
    { field: 'ipFamilies', called: 'ipFamily', skip: headless || wasHeadless },
  ] as const;
  for (const { field, called, skip } of rules) {
    if (skip) continue;
    const now: readonly string[] = listOf<string>(spec[field]);
    const before: readonly string[] = listOf<string>(old[field]);
    const bad = (i: number, message: string): void => void errors.push(fieldErrors.invalid(`spec.${field}[${i}]`, now, message));
    if (!now.length && before.length) bad(0, `primary ${called} can not be unset`);
    const compared = now.length === before.length ? before.length : Math.min(now.length, before.length, 1);
    for (let i = 0; i < compared; i++) if (now[i] !== before[i]) bad(field === 'ipFamilies' ? 0 : i, 'may not change once set');
    if (now.length === 1 && before.length > 1 && spec.ipFamilyPolicy !== 'SingleStack') {
      const message = `must be set to 'SingleStack' when releasing the secondary ${called}`;
      errors.push(fieldErrors.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, message));
    }
  }
}

export function validateServiceStatus(service: Service, old: Service): readonly FieldError[] {
  const errors: Errors = [];
  const ingress = listOf(service.status.loadBalancer?.ingress);
  const path = 'status.loadBalancer.ingress';
  if (service.spec.type !== 'LoadBalancer') {
    if (ingress.length) errors.push(fieldErrors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"));
    return errors;
  }
  checkIngress(errors, path, { ingress, old: listOf(old.status.loadBalancer?.ingress) });
  return errors;
}

type Ingress = NonNullable<LoadBalancerStatus['ingress']>;

function checkIngress(errors: Errors, path: string, { ingress, old }: { ingress: Ingress; old: Ingress }): void {
  const kept = new Set(old.flatMap(({ ip }) => ip || []));
  ingress.forEach(({ ip, ipMode, hostname }, i) => {
    const at = `${path}[${i}]`;
    if (ip) checkIP(errors, `${at}.ip`, ip, kept);
    if (ipMode === undefined) {
      if (ip) errors.push(fieldErrors.required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    } else if (!ip) errors.push(fieldErrors.forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    else checkSupported(errors, `${at}.ipMode`, ipMode, ['Proxy', 'VIP']);
    if (!hostname) return;
    addInvalid(errors, `${at}.hostname`, hostname, checkDns1123Subdomain(hostname));
    if (isIPAddress(hostname)) errors.push(fieldErrors.invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  });
}
