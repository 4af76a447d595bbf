/**
 * Checks of a pod's status: no container comes back from its end unless its restart policy says so, the class of service
 * stays, addresses are addresses. Upstream: pkg/apis/core/validation/validation.go (ValidatePodStatusUpdate).
 */
import type { Container, ContainerStatus, Pod, PodCondition, PodSpec } from '../../generated/core-v1.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { all, each, fields, immutable, keeping, refuse } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { firstByName, listOf } from '../lists.ts';
import { ip, qualifiedName, subdomainName } from '../shared-rules.ts';
import { podAnnotations } from './pod-spec/annotation-checks.ts';
import { checkAnnotationUpdate } from './pod-update.ts';

const ownConditions = new Set(['PodScheduled', 'Ready', 'Initialized']);

const nonNegative: Rule<number> = refuse((value) => value < 0, 'must be a non-negative integer');

const condition = all<PodCondition>(fields({ observedGeneration: nonNegative }), ({ type }, walk) => {
  if (!ownConditions.has(type)) walk.check('Type', type, qualifiedName);
});

const nominatedNode: Rule<Pod> = ({ status: { nominatedNodeName: name } }, walk, old) => {
  if (!name || name === old?.status.nominatedNodeName) return;
  walk.check('status.nominatedNodeName', name, subdomainName);
  if (!old?.spec.nodeName) return;
  walk.forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node');
};

type Addresses = readonly { readonly ip: string }[];

const addresses: Rule<Addresses> = keeping(
  (old) => old.map(({ ip: before }) => before),
  all(
    each<Addresses[number]>((address, walk) => ip(address.ip, walk, undefined)),
    (list, walk) => {
      const isDual = list.length === 2 && list.filter((address) => isIPv6Address(address.ip)).length === 1;
      if (list.length > 1 && !isDual) walk.invalid('', list, 'may specify no more than one IP for each IP family');
    },
  ),
);

/** Of what a write of the status leaves behind. */
export const podStatus = all<Pod>(
  (pod, walk, old) => {
    if (old) checkAnnotationUpdate(walk, pod, old);
    walk.check('metadata', { annotations: pod.metadata.annotations, spec: pod.spec }, podAnnotations);
  },
  fields({ status: fields({ conditions: each(condition) }) }),
  nominatedNode,
  fields({ status: fields({ observedGeneration: nonNegative, qosClass: immutable() }) }),
  (pod, walk, old) => {
    if (old) checkTransitions(walk, pod, old);
    checkClaimStatuses(walk, pod);
  },
  fields({ status: fields({ podIPs: addresses }) }),
  ({ status: { hostIP, hostIPs } }, walk) => {
    const [first] = listOf(hostIPs);
    if (first && first.ip !== hostIP) walk.invalid('status.hostIPs[0].ip', first.ip, 'must be equal to `hostIP`');
  },
  fields({ status: fields({ hostIPs: addresses }) }),
);

const statusLists = [
  ['containerStatuses', 'containers'],
  ['initContainerStatuses', 'initContainers'],
  ['ephemeralContainerStatuses', undefined],
] as const;

function checkTransitions(walk: Walk, pod: Pod, old: Pod): void {
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
      walk.forbidden(`status.${field}[${i}].state`, 'may not be transitioned to non-terminated state');
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

function checkClaimStatuses(walk: Walk, { spec, status }: Pod): void {
  const seen = new Set<string>();
  const claims = new Set(listOf(spec.resourceClaims).map((claim) => claim.name));
  listOf(status.resourceClaimStatuses).forEach(({ name, resourceClaimName }, i) => {
    const at = `status.resourceClaimStatuses[${i}]`;
    if (!claims.has(name)) {
      walk.invalid(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`');
    }
    if (seen.has(name)) walk.duplicate(`${at}.name`, name);
    seen.add(name);
    walk.check(`${at}.resourceClaimName`, resourceClaimName, subdomainName);
  });
}
