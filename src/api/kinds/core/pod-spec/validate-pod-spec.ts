/**
 * Checks of a pod's spec as a whole, in upstream's order; of a pod, or of a template inside a workload.
 * Upstream: pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodTemplateSpec).
 */
import type { PodDNSConfig, PodResourceClaim, PodSpec, PodTemplateSpec } from '../../../generated/core-v1.ts';
import { checkDns1123SubdomainWithUnderscore, checkQualifiedName, nameIsDnsSubdomain, rangeMessage } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import {
  addInvalid,
  checkAnnotations,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabels,
  checkOneOf,
  checkPresent,
  type Errors,
} from '../../checks.ts';
import { checkIP } from '../../ip-checks.ts';
import { listOf } from '../../lists.ts';
import { checkAffinity } from './affinity-checks.ts';
import { checkPodAnnotations, checkProfileAnnotations } from './annotation-checks.ts';
import { checkContainers, checkEphemeralContainers, checkInitContainers } from './container-checks.ts';
import { makeContext, type SpecContext } from './context.ts';
import { eachContainer } from './each-container.ts';
import { checkEnvFiles } from './env-checks.ts';
import { checkPodResources, checkRequirements } from './resource-checks.ts';
import { checkSchedulingGates, checkSpreadConstraints, checkTolerations } from './scheduling-checks.ts';
import { checkPodSecurityContext } from './security-checks.ts';
import { checkVolumes } from './volume-checks.ts';
import { checkHostProcess, checkOS } from './windows-checks.ts';

const deadlineSecondsMax = 2 ** 31 - 1;
const nameserversMax = 3;
const searchPathsMax = 32;
const searchCharsMax = 2048;
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

export function checkPodSpec(errors: Errors, path: string, spec: PodSpec, pod?: SpecContext['pod']): void {
  const context = makeContext(errors, spec, pod);
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(fieldErrors.required(`${path}.terminationGracePeriodSeconds`));
  if (spec.volumes) checkVolumes(context, `${path}.volumes`, spec.volumes);
  if (spec.resourceClaims) checkResourceClaims(context, `${path}.resourceClaims`, spec.resourceClaims);
  checkContainers(context, `${path}.containers`, listOf(spec.containers));
  if (spec.initContainers) checkInitContainers(context, `${path}.initContainers`, spec.initContainers);
  if (spec.ephemeralContainers) checkEphemeralContainers(context, `${path}.ephemeralContainers`, spec.ephemeralContainers);
  checkPodResources(errors, `${path}.resources`, spec);
  checkHostNetworkPorts(context, path);
  checkOneOf(errors, `${path}.restartPolicy`, spec.restartPolicy, { of: ['Always', 'OnFailure', 'Never'] });
  checkOneOf(errors, `${path}.dnsPolicy`, spec.dnsPolicy, { of: dnsPolicies });
  checkLabels(errors, `${path}.nodeSelector`, spec.nodeSelector);
  checkPodSecurityContext(errors, `${path}.securityContext`, spec);
  if (spec.affinity) checkAffinity(errors, `${path}.affinity`, spec.affinity);
  checkDNSConfig(errors, `${path}.dnsConfig`, spec);
  listOf(spec.readinessGates).forEach(({ conditionType }, i) => {
    addInvalid(errors, `${path}.readinessGates[${i}].conditionType`, conditionType, checkQualifiedName(conditionType));
  });
  if (spec.schedulingGates) checkSchedulingGates(errors, `${path}.schedulingGates`, spec.schedulingGates);
  if (spec.topologySpreadConstraints) {
    checkSpreadConstraints(errors, `${path}.topologySpreadConstraints`, spec.topologySpreadConstraints);
  }
  checkHostProcess(errors, path, spec);
  checkHostUsers(errors, path, spec);
  checkNames(errors, path, spec);
  checkRest(context, path);
}

function checkResourceClaims({ errors, pod }: SpecContext, path: string, claims: readonly PodResourceClaim[]): void {
  if (pod && 'kubernetes.io/config.mirror' in pod.annotations) {
    if (claims.length) errors.push(fieldErrors.forbidden('[]', 'static pods do not support resource claims'));
    return;
  }
  const names = new Set<string>();
  claims.forEach((claim, i) => {
    const at = `${path}[${i}]`;
    const { name, resourceClaimName: own, resourceClaimTemplateName: template } = claim;
    if (!name) errors.push(fieldErrors.required(`${at}.name`));
    else if (names.has(name)) errors.push(fieldErrors.duplicate(`${at}.name`, name));
    else checkDnsLabel(errors, `${at}.name`, name);
    names.add(name);
    if (own !== undefined && template !== undefined) {
      errors.push(fieldErrors.invalid(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'));
    }
    if (own === undefined && template === undefined) {
      errors.push(fieldErrors.invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    }
    if (own !== undefined) addInvalid(errors, `${at}.resourceClaimName`, own, nameIsDnsSubdomain(own, false));
    if (template !== undefined) addInvalid(errors, `${at}.resourceClaimTemplateName`, template, nameIsDnsSubdomain(template, false));
  });
}

/** With the host's network a host port is the container's own; a template may leave it out. */
function checkHostNetworkPorts({ errors, spec, pod }: SpecContext, path: string): void {
  if (!spec.hostNetwork) return;
  listOf(spec.containers).forEach((container, i) => {
    container.ports?.forEach(({ hostPort = 0, containerPort }, j) => {
      if (hostPort === containerPort || (!pod && hostPort === 0)) return;
      const message = 'must match `containerPort` when `hostNetwork` is true';
      errors.push(fieldErrors.invalid(`${path}.containers[${i}].ports[${j}].hostPort`, hostPort, message));
    });
  });
}

function checkDNSConfig(errors: Errors, path: string, { dnsConfig: config, dnsPolicy }: PodSpec): void {
  if (dnsPolicy === 'None') {
    if (!config) {
      errors.push(fieldErrors.required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
      return;
    }
    if (!config.nameservers?.length) {
      errors.push(fieldErrors.required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
      return;
    }
  }
  if (config) checkResolver(errors, path, config);
}

function checkResolver(errors: Errors, path: string, config: PodDNSConfig): void {
  const nameservers = listOf(config.nameservers);
  const searches = listOf(config.searches);
  if (nameservers.length > nameserversMax) {
    errors.push(fieldErrors.invalid(`${path}.nameservers`, nameservers, `must not have more than ${nameserversMax} nameservers`));
  }
  nameservers.forEach((address, i) => {
    checkIP(errors, `${path}.nameservers[${i}]`, address);
  });
  if (searches.length > searchPathsMax) {
    errors.push(fieldErrors.invalid(`${path}.searches`, searches, `must not have more than ${searchPathsMax} search paths`));
  }
  if (searches.join(' ').length > searchCharsMax) {
    const message = `must not have more than ${searchCharsMax} characters (including spaces) in the search list`;
    errors.push(fieldErrors.invalid(`${path}.searches`, searches, message));
  }
  searches.forEach((search, i) => {
    const name = search.replace(/\.$/, '');
    if (search !== '.') addInvalid(errors, `${path}.searches[${i}]`, name, checkDns1123SubdomainWithUnderscore(name));
  });
  listOf(config.options).forEach((option, i) => {
    if (!option.name) errors.push(fieldErrors.required(`${path}.options[${i}]`, 'must not be empty'));
  });
}

function checkHostUsers(errors: Errors, path: string, spec: PodSpec): void {
  if (spec.hostUsers ?? true) return;
  const forbid = (at: string): void => void errors.push(fieldErrors.forbidden(at, 'when `hostUsers` is false'));
  if (spec.hostNetwork) forbid(`${path}.hostNetwork`);
  if (spec.hostPID) forbid(`${path}.HostPID`);
  if (spec.hostIPC) forbid(`${path}.HostIPC`);
  eachContainer(spec, path, (container, at) => {
    if (container.volumeDevices?.length) forbid(`${at}.volumeDevices`);
  });
}

function checkNames(errors: Errors, path: string, spec: PodSpec): void {
  const { hostnameOverride: hostname } = spec;
  if (hostname !== undefined) {
    const at = `${path}.hostnameOverride`;
    if (spec.setHostnameAsFQDN) errors.push(fieldErrors.forbidden(at, 'may not be specified when setHostnameAsFQDN is true'));
    if (spec.hostNetwork) errors.push(fieldErrors.forbidden(at, 'may not be specified when hostNetwork is true'));
    if (hostname.length > 64) errors.push(fieldErrors.tooLong(at, 64));
    checkDnsSubdomain(errors, at, hostname);
  }
  for (const field of ['serviceAccountName', 'nodeName'] as const) {
    if (spec[field]) addInvalid(errors, `${path}.${field}`, spec[field], nameIsDnsSubdomain(spec[field], false));
  }
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > deadlineSecondsMax)) {
    errors.push(fieldErrors.invalid(`${path}.activeDeadlineSeconds`, deadline, rangeMessage(1, deadlineSecondsMax)));
  }
  for (const field of ['hostname', 'subdomain'] as const) if (spec[field]) checkDnsLabel(errors, `${path}.${field}`, spec[field]);
}

function checkRest(context: SpecContext, path: string): void {
  const { errors, spec } = context;
  if (spec.tolerations) checkTolerations(errors, `${path}.tolerations`, spec.tolerations);
  listOf(spec.hostAliases).forEach((alias, i) => {
    checkIP(errors, `${path}.hostAliases[${i}].ip`, alias.ip);
    listOf(alias.hostnames).forEach((name, j) => {
      checkDnsSubdomain(errors, `${path}.hostAliases[${i}].hostnames[${j}]`, name);
    });
  });
  for (const field of ['priorityClassName', 'runtimeClassName'] as const) {
    const name = spec[field];
    if (name) addInvalid(errors, `${path}.${field}`, name, nameIsDnsSubdomain(name, false));
  }
  if (spec.preemptionPolicy !== undefined) {
    checkOneOf(errors, `${path}.preemptionPolicy`, spec.preemptionPolicy, { of: ['PreemptLowerPriority', 'Never'] });
  }
  if (spec.overhead) checkRequirements(errors, `${path}.overhead`, { limits: spec.overhead }, context);
  if (spec.os) checkOS(errors, path, spec);
  eachContainer(spec, path, (container, at) => {
    if (container.env) checkEnvFiles(context, at, container.env);
  });
}

export function checkPodTemplate(errors: Errors, path: string, template: PodTemplateSpec | undefined): void {
  if (!checkPresent(errors, path, template)) return;
  const { metadata = {}, spec = { containers: [] } } = template ?? {};
  checkLabels(errors, `${path}.labels`, metadata.labels);
  checkAnnotations(errors, `${path}.annotations`, metadata.annotations);
  checkPodAnnotations(errors, `${path}.annotations`, { annotations: metadata.annotations ?? {}, spec });
  checkPodSpec(errors, `${path}.spec`, spec);
  checkProfileAnnotations(errors, `${path}.spec`, { annotations: metadata.annotations ?? {}, spec });
  if (spec.ephemeralContainers?.length) {
    errors.push(fieldErrors.forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}
