/**
 * Checks of a pod's status: no container comes back from its end unless its restart policy says so, the class of service
 * stays, addresses are addresses. Upstream: pkg/apis/core/validation/validation.go (ValidatePodStatusUpdate).
 */
import type { Container, ContainerStatus, Pod, PodSpec } from '../../generated/core-v1.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { checkQualifiedName, nameIsDnsSubdomain } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { addInvalid, checkImmutable, type Errors } from '../checks.ts';
import { checkIP } from '../ip-checks.ts';
import { firstByName, listOf } from '../lists.ts';
import { checkPodAnnotations } from './pod-spec/annotation-checks.ts';
import { checkAnnotationUpdate } from './pod-update.ts';

const ownConditions = new Set(['PodScheduled', 'Ready', 'Initialized']);

export function validatePodStatusUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  const errors: Errors = [];
  const { status, spec } = pod;
  checkAnnotationUpdate(errors, 'metadata.annotations', pod, old);
  checkPodAnnotations(errors, 'metadata.annotations', { annotations: pod.metadata.annotations ?? {}, spec });
  listOf(status.conditions).forEach(({ type, observedGeneration = 0 }, i) => {
    if (observedGeneration < 0) {
      const message = 'must be a non-negative integer';
      errors.push(fieldErrors.invalid(`status.conditions[${i}].observedGeneration`, observedGeneration, message));
    }
    if (!ownConditions.has(type)) addInvalid(errors, `status.conditions[${i}].Type`, type, checkQualifiedName(type));
  });
  checkNominatedNode(errors, pod, old);
  const { observedGeneration = 0 } = status;
  if (observedGeneration < 0) {
    errors.push(fieldErrors.invalid('status.observedGeneration', observedGeneration, 'must be a non-negative integer'));
  }
  checkImmutable(errors, 'status.qosClass', status.qosClass, old.status.qosClass);
  checkTransitions(errors, pod, old);
  checkClaimStatuses(errors, pod);
  checkAddresses(errors, 'status.podIPs', { ips: status.podIPs, old: old.status.podIPs });
  const [first] = listOf(status.hostIPs);
  if (first && first.ip !== status.hostIP) errors.push(fieldErrors.invalid('status.hostIPs[0].ip', first.ip, 'must be equal to `hostIP`'));
  checkAddresses(errors, 'status.hostIPs', { ips: status.hostIPs, old: old.status.hostIPs });
  return errors;
}

function checkNominatedNode(errors: Errors, pod: Pod, old: Pod): void {
  const name = pod.status.nominatedNodeName;
  if (!name || name === old.status.nominatedNodeName) return;
  addInvalid(errors, 'status.nominatedNodeName', name, nameIsDnsSubdomain(name, false));
  if (old.spec.nodeName) {
    errors.push(fieldErrors.forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'));
  }
}

const statusLists = [
  ['containerStatuses', 'containers'],
  ['initContainerStatuses', 'initContainers'],
  ['ephemeralContainerStatuses', undefined],
] as const;

function checkTransitions(errors: Errors, pod: Pod, old: Pod): void {
  const spec = old.spec;
  const allMayRestart = [...listOf(spec.containers), ...listOf(spec.initContainers)].some((container) =>
    container.restartPolicyRules?.some((rule) => rule.action === 'RestartAllContainers'),
  );
  for (const [field, containers] of statusLists) {
    if (allMayRestart && containers) continue;
    const statuses = firstByName<ContainerStatus>(listOf(pod.status[field]));
    const specs = containers && firstByName<Container>(listOf(spec[containers]));
    listOf(old.status[field]).forEach((before, i) => {
      const ended = before.state?.terminated;
      if (!ended) return;
      const now = statuses.get(before.name);
      if (!now || now.state?.terminated) return;
      const container = specs?.get(before.name);
      if (container && mayRestart(container, spec, ended.exitCode)) return;
      errors.push(fieldErrors.forbidden(`status.${field}[${i}].state`, 'may not be transitioned to non-terminated state'));
    });
  }
}

/** The container's own rules come first, then its policy, then the pod's. */
export function mayRestart(container: Container, spec: PodSpec, exitCode: number): boolean {
  for (const rule of listOf(container.restartPolicyRules)) {
    const listed = rule.exitCodes?.values?.includes(exitCode) ?? false;
    if (rule.exitCodes && listed === (rule.exitCodes.operator === 'In')) return rule.action === 'Restart';
  }
  const policy = container.restartPolicy ?? spec.restartPolicy;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function checkClaimStatuses(errors: Errors, { spec, status }: Pod): void {
  const seen = new Set<string>();
  const claims = new Set(listOf(spec.resourceClaims).map((claim) => claim.name));
  listOf(status.resourceClaimStatuses).forEach(({ name, resourceClaimName }, i) => {
    const at = `status.resourceClaimStatuses[${i}]`;
    if (!claims.has(name)) {
      errors.push(fieldErrors.invalid(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'));
    }
    if (seen.has(name)) errors.push(fieldErrors.duplicate(`${at}.name`, name));
    seen.add(name);
    if (resourceClaimName === undefined) return;
    addInvalid(errors, `${at}.resourceClaimName`, resourceClaimName, nameIsDnsSubdomain(resourceClaimName, false));
  });
}

type Addresses = readonly { readonly ip: string }[] | undefined;

function checkAddresses(errors: Errors, path: string, { ips, old }: { ips: Addresses; old: Addresses }): void {
  const kept = new Set(listOf(old).map(({ ip }) => ip));
  const list = listOf(ips).map(({ ip }) => ip);
  list.forEach((ip, i) => {
    checkIP(errors, `${path}[${i}]`, ip, kept);
  });
  const isDual = list.length === 2 && list.filter(isIPv6Address).length === 1;
  if (list.length > 1 && !isDual) errors.push(fieldErrors.invalid(path, ips, 'may specify no more than one IP for each IP family'));
}
