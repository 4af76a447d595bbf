/**
 * Rules of a pod's spec as a whole, in upstream's order; of a pod, or of a template inside a workload.
 * Upstream: pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodTemplateSpec).
 */

import type {
  Container,
  HostAlias,
  PodDNSConfig,
  PodReadinessGate,
  PodResourceClaim,
  PodSpec,
  PodTemplateSpec,
} from '../../../generated/core-v1.ts';
import { checkDns1123SubdomainWithUnderscore } from '../../../meta/names.ts';
import { all, each, eachBy, fields, filled, knowing, oneOf, optional, range, required } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { listOf } from '../../lists.ts';
import { annotations, dnsLabel, dnsSubdomain, ip, labels, qualifiedName, subdomainName } from '../../shared-rules.ts';
import { affinity } from './affinity-checks.ts';
import { mirrorKey, podAnnotations, profilesAgree } from './annotation-checks.ts';
import { containers, ephemeralContainers, initContainers } from './container-checks.ts';
import { contextOf, makeContext, ofContainers, type SpecContext } from './context.ts';
import { fileVariables } from './env-checks.ts';
import { containerResourceRules, podResourceRules } from './resource-checks.ts';
import { schedulingGates, spreadConstraints, tolerations } from './scheduling-checks.ts';
import { podSecurityContext } from './security-checks.ts';
import { volumes } from './volume-checks.ts';
import { hostProcesses, operatingSystem } from './windows-checks.ts';

const nameserversMax = 3;
const searchPathsMax = 32;
const searchCharsMax = 2048;

const claims = eachBy<PodResourceClaim>(() => {
  const names = new Set<string>();
  return (claim, walk) => {
    const { name, resourceClaimName: own, resourceClaimTemplateName: template } = claim;
    if (!name) walk.required('name');
    else if (names.has(name)) walk.duplicate('name', name);
    else walk.check('name', name, dnsLabel);
    names.add(name);
    if (own !== undefined && template !== undefined) {
      walk.invalid('', claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified');
    }
    if (own === undefined && template === undefined) {
      walk.invalid('', claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
    }
    walk.check('resourceClaimName', own, subdomainName);
    walk.check('resourceClaimTemplateName', template, subdomainName);
  };
});
const resourceClaims: Rule<readonly PodResourceClaim[]> = (list, walk, old) => {
  const { pod } = contextOf(walk);
  if (!pod || !(mirrorKey in pod.annotations)) claims(list, walk, old);
  else if (list.length) walk.outside(() => walk.forbidden('[]', 'static pods do not support resource claims'), 0);
};

/** With the host's network a host port is the container's own; a template may leave it out. */
const hostNetworkPorts = each<Container>((container, walk) => {
  const isTemplate = !contextOf(walk).pod;
  for (const [i, { hostPort = 0, containerPort }] of listOf(container.ports).entries()) {
    if (hostPort === containerPort || (isTemplate && hostPort === 0)) continue;
    walk.invalid(`ports[${i}].hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true');
  }
});
const ofHostNetwork = fields<PodSpec>({ containers: hostNetworkPorts });

const dns: Rule<PodSpec> = ({ dnsConfig: config, dnsPolicy }, walk) => {
  if (dnsPolicy === 'None' && !config) return walk.required('dnsConfig', 'must provide `dnsConfig` when `dnsPolicy` is None');
  if (dnsPolicy === 'None' && !config?.nameservers?.length) {
    return walk.required('dnsConfig.nameservers', 'must provide at least one DNS nameserver when `dnsPolicy` is None');
  }
  walk.check('dnsConfig', config, resolver);
};

const resolver: Rule<PodDNSConfig> = (config, walk) => {
  const { nameservers = [], searches = [] } = config;
  if (nameservers.length > nameserversMax) {
    walk.invalid('nameservers', nameservers, `must not have more than ${nameserversMax} nameservers`);
  }
  walk.check('nameservers', nameservers, each(ip));
  if (searches.length > searchPathsMax) walk.invalid('searches', searches, `must not have more than ${searchPathsMax} search paths`);
  if (searches.join(' ').length > searchCharsMax) {
    const message = `must not have more than ${searchCharsMax} characters (including spaces) in the search list`;
    walk.invalid('searches', searches, message);
  }
  walk.check('searches', searches, each(search));
  for (const [i, { name }] of listOf(config.options).entries()) if (!name) walk.required(`options[${i}]`, 'must not be empty');
};
const search: Rule<string> = (given, walk) => {
  const name = given.replace(/\.$/, '');
  if (given !== '.') for (const message of checkDns1123SubdomainWithUnderscore(name)) walk.invalid('', name, message);
};

const noDevices: Rule<{ readonly volumeDevices?: readonly unknown[] }> = ({ volumeDevices }, walk) => {
  if (volumeDevices?.length) walk.forbidden('volumeDevices', noHostUsers);
};
const noHostUsers = 'when `hostUsers` is false';
const ofOwnUsers = all<PodSpec>(({ hostNetwork, hostPID, hostIPC }, walk) => {
  if (hostNetwork) walk.forbidden('hostNetwork', noHostUsers);
  if (hostPID) walk.forbidden('HostPID', noHostUsers);
  if (hostIPC) walk.forbidden('HostIPC', noHostUsers);
}, ofContainers(noDevices));

const hostnameOverride: Rule<string> = (hostname, walk, old) => {
  const { setHostnameAsFQDN, hostNetwork } = contextOf(walk).spec;
  if (setHostnameAsFQDN) walk.forbidden('', 'may not be specified when setHostnameAsFQDN is true');
  if (hostNetwork) walk.forbidden('', 'may not be specified when hostNetwork is true');
  if (hostname.length > 64) walk.tooLong('', 64);
  dnsSubdomain(hostname, walk, old);
};

const ofSpec = all<PodSpec>(
  fields({
    terminationGracePeriodSeconds: required(),
    volumes,
    resourceClaims,
    containers,
    initContainers,
    ephemeralContainers,
  }),
  podResourceRules,
  (spec, walk, old) => {
    if (spec.hostNetwork) ofHostNetwork(spec, walk, old);
  },
  fields({
    restartPolicy: required(oneOf('Always', 'OnFailure', 'Never')),
    dnsPolicy: required(oneOf('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None')),
    nodeSelector: labels,
    securityContext: podSecurityContext,
    affinity,
  }),
  dns,
  fields({
    readinessGates: each(fields<PodReadinessGate>({ conditionType: qualifiedName })),
    schedulingGates,
    topologySpreadConstraints: spreadConstraints,
  }),
  hostProcesses,
  (spec, walk, old) => {
    if (spec.hostUsers === false) ofOwnUsers(spec, walk, old);
  },
  fields({
    hostnameOverride,
    serviceAccountName: filled(subdomainName),
    nodeName: filled(subdomainName),
    activeDeadlineSeconds: range(1, 2 ** 31 - 1),
    hostname: filled(dnsLabel),
    subdomain: filled(dnsLabel),
    tolerations,
    hostAliases: each(fields<HostAlias>({ ip, hostnames: each(dnsSubdomain) })),
    priorityClassName: filled(subdomainName),
    runtimeClassName: filled(subdomainName),
    preemptionPolicy: optional(required(oneOf('PreemptLowerPriority', 'Never'))),
    overhead: (limits, walk, old) => containerResourceRules({ limits }, walk, old),
  }),
  (spec, walk, old) => {
    if (spec.os) operatingSystem(spec, walk, old);
  },
  ofContainers(fields({ env: fileVariables })),
);

/** `pod`: it is not a template's */
export const podSpec = (pod?: SpecContext['pod']): Rule<PodSpec> => knowing((spec) => makeContext(spec, pod), ofSpec);
const templateSpec = podSpec();

const ofTemplate: Rule<PodTemplateSpec> = ({ metadata = {}, spec = { containers: [] } }, walk) => {
  walk.check('labels', metadata.labels, labels);
  walk.check('annotations', metadata.annotations, annotations);
  podAnnotations({ annotations: metadata.annotations, spec }, walk, undefined);
  walk.check('spec', spec, templateSpec);
  walk.check('spec', spec, profilesAgree(metadata.annotations ?? {}));
  if (spec.ephemeralContainers?.length) walk.forbidden('spec.ephemeralContainers', 'ephemeral containers not allowed in pod template');
};
export const podTemplate = required(ofTemplate);
