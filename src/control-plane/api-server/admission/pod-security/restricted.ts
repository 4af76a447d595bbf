/**
 * The restricted level: baseline, and what hardens a pod. Some baseline checks are replaced by stricter ones.
 * Upstream: pod-security-admission/policy/check_*.go, in the order of their names.
 */
import type { Container } from '../../../../api/generated/core-v1.ts';
import { allContainers } from '../../../../api/predicates/pod-references.ts';
import { baselineChecks, capabilitiesBaseline, hostPathVolumes, procMount, procMountAlways, seccompBaseline } from './baseline.ts';
import { type Check, describeContainers, describeSetters, hasOwnUsers, isWindows, namesOf, plural, quoted, sorted } from './check.ts';

const allowPrivilegeEscalation: Check = (pod) => {
  if (pod.minor < 8 || (pod.minor >= 25 && isWindows(pod))) return undefined;
  const names = namesOf(pod.spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${describeContainers(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const capabilitiesRestricted: Check = (pod) => {
  if (pod.minor < 22) return capabilitiesBaseline(pod);
  if (pod.minor >= 25 && isWindows(pod)) return undefined;
  const keeps = namesOf(pod.spec, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'));
  const forbidden = ({ securityContext }: Container): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((each) => each !== 'NET_BIND_SERVICE');
  const adds = namesOf(pod.spec, (container) => forbidden(container).length > 0);
  const details = [
    ...(keeps.length > 0 ? [`${describeContainers(keeps)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adds.length > 0
      ? [
          `${describeContainers(adds)} must not include ${quoted(sorted(allContainers(pod.spec).flatMap(forbidden)))} in securityContext.capabilities.add`,
        ]
      : []),
  ];
  return details.length > 0 ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined;
};

const allowedVolumes = new Set('configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret'.split(' '));

const restrictedVolumes: Check = ({ spec }) => {
  const typesOf = (volume: object): string[] => Object.keys(volume).filter((key) => key !== 'name');
  const bad = (spec.volumes ?? []).filter(
    (volume) => !typesOf(volume).some((type) => allowedVolumes.has(type)) && typesOf(volume).length > 0,
  );
  if (bad.length === 0) return undefined;
  const names = bad.map(({ name }) => name);
  const types = sorted(bad.flatMap(typesOf));
  const uses = plural(names.length, 'uses', 'use');
  const restricted = `restricted volume ${plural(types.length, 'type')}`;
  return {
    reason: 'restricted volume types',
    detail: `${plural(names.length, 'volume')} ${quoted(names)} ${uses} ${restricted} ${quoted(types)}`,
  };
};

const runAsNonRoot: Check = (pod) => {
  if (pod.minor >= 35 && hasOwnUsers(pod)) return undefined;
  const { spec } = pod;
  const podSays = spec.securityContext?.runAsNonRoot;
  const reason = 'runAsNonRoot != true';
  const who = describeSetters(
    podSays === false,
    namesOf(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false),
  );
  if (who) return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  const silent = podSays ? [] : namesOf(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  return silent.length > 0
    ? { reason, detail: `pod or ${describeContainers(silent)} must set securityContext.runAsNonRoot=true` }
    : undefined;
};

const runAsUser: Check = (pod) => {
  if (pod.minor < 23 || (pod.minor >= 35 && hasOwnUsers(pod))) return undefined;
  const { spec } = pod;
  const names = namesOf(spec, ({ securityContext }) => securityContext?.runAsUser === 0);
  const who = describeSetters(spec.securityContext?.runAsUser === 0, names);
  return who ? { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` } : undefined;
};

const seccompRestricted: Check = (pod) => {
  if (pod.minor < 19) return undefined;
  if (pod.minor >= 25 && isWindows(pod)) return undefined;
  const explicit = seccompBaseline(pod);
  if (explicit || pod.spec.securityContext?.seccompProfile) return explicit;
  const names = namesOf(pod.spec, ({ securityContext }) => !securityContext?.seccompProfile);
  if (names.length === 0) return undefined;
  const must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return { reason: 'seccompProfile', detail: `pod or ${describeContainers(names)} ${must}` };
};

const procMountRestricted: Check = (pod) => (pod.minor >= 35 ? procMountAlways(pod) : procMount(pod));

const replaced: readonly Check[] = [capabilitiesBaseline, hostPathVolumes, procMount, seccompBaseline];

export const restrictedChecks: readonly Check[] = [
  ...baselineChecks.filter((check) => !replaced.includes(check)),
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
];
