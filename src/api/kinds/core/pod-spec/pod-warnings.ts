/**
 * What a client is warned of who writes a pod or a template of pods: valid, but hardly meant so.
 * Upstream: pkg/api/pod/warnings.go.
 */
import type { Affinity, PodAffinityTerm, PodSpec, PodTemplateSpec, Volume } from '../../../generated/core-v1.ts';
import type { LabelMap } from '../../../meta/selectors.ts';
import { ipWarnings } from '../../ip-warnings.ts';
import { listOf } from '../../lists.ts';
import { fractionWarnings } from '../../quantity-warnings.ts';
import { containerWarnings, portWarnings } from './container-warnings.ts';
import { deprecatedNodeLabels, termWarnings } from './node-label-warnings.ts';
import { overlapWarnings } from './volume-warnings.ts';

interface Written {
  readonly spec: PodSpec;
  readonly annotations: LabelMap;
  /** where the pod or template is: empty, or ending in a dot */
  readonly prefix: string;
}

export const podWarnings = (spec: PodSpec, annotations: LabelMap = {}): readonly string[] => warningsOf({ spec, annotations, prefix: '' });

export function templateWarnings(path: string, template: PodTemplateSpec | undefined): readonly string[] {
  if (!template?.spec) return [];
  return warningsOf({ spec: template.spec, annotations: template.metadata?.annotations ?? {}, prefix: `${path}.` });
}

function warningsOf(written: Written): readonly string[] {
  const { spec, prefix } = written;
  const path = `${prefix}spec`;
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  return [
    ...nodeWarnings(path, spec),
    ...annotationWarnings(written),
    ...listOf(spec.volumes).flatMap((volume, i) => volumeWarnings(`${path}.volumes[${i}]`, volume)),
    ...overlapWarnings(listOf(spec.volumes)),
    ...repeated(listOf(spec.hostAliases), 'ip').map(({ i, value }) => `${path}.hostAliases[${i}].ip: duplicate ip "${value}"`),
    ...repeated(listOf(spec.imagePullSecrets), 'name').map(
      ({ i, value }) => `${path}.imagePullSecrets[${i}].name: duplicate name "${value}"`,
    ),
    ...listOf(spec.imagePullSecrets).flatMap(({ name }, i) => (name ? [] : [`${path}.imagePullSecrets[${i}].name: invalid empty name ""`])),
    ...fractionWarnings(`${path}.overhead`, spec.overhead),
    ...containerWarnings(written),
    ...portWarnings(path, spec),
    ...(grace < 0 ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`] : []),
    ...affinityWarnings(`${path}.affinity`, spec.affinity),
    ...listOf(spec.dnsConfig?.nameservers).flatMap((ip, i) => ipWarnings(`${path}.dnsConfig.nameservers[${i}]`, ip)),
    ...listOf(spec.hostAliases).flatMap(({ ip }, i) => ipWarnings(`${path}.hostAliases[${i}].ip`, ip)),
  ];
}

function nodeWarnings(path: string, { nodeSelector, affinity, topologySpreadConstraints }: PodSpec): readonly string[] {
  const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution: preferred } =
    affinity?.nodeAffinity ?? {};
  const at = `${path}.affinity.nodeAffinity`;
  return [
    ...Object.keys(nodeSelector ?? {}).flatMap((key) => {
      const message = deprecatedNodeLabels.get(key);
      return message ? [`${path}.nodeSelector[${key}]: ${message}`] : [];
    }),
    ...listOf(required?.nodeSelectorTerms).flatMap((term, i) =>
      termWarnings(`${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`, term, false),
    ),
    ...listOf(preferred).flatMap(({ preference }, i) =>
      termWarnings(`${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`, preference, true),
    ),
    ...listOf(topologySpreadConstraints).flatMap(({ topologyKey, labelSelector }, i) => {
      const constraint = `${path}.topologySpreadConstraints[${i}]`;
      const message = deprecatedNodeLabels.get(topologyKey);
      return [
        ...(message ? [`${constraint}.topologyKey: ${topologyKey} is ${message}`] : []),
        ...(labelSelector ? [] : [`${constraint}.labelSelector: ${matchesNothing}`]),
      ];
    }),
  ];
}

const matchesNothing = 'a null labelSelector results in matching no pod';

const oldAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};
const seccompKey = 'seccomp.security.alpha.kubernetes.io/pod';

function annotationWarnings({ spec, annotations, prefix }: Written): readonly string[] {
  const at = (key: string): string => `${prefix}metadata.annotations[${key}]`;
  const old = Object.entries(oldAnnotations).flatMap(([key, message]) =>
    Object.hasOwn(annotations, key) ? [`${at(key)}: ${message}`] : [],
  );
  const seccomp = seccompKey in annotations && !spec.securityContext?.seccompProfile;
  return seccomp ? [...old, `${at(seccompKey)}: non-functional in v1.27+; use the "seccompProfile" field instead`] : old;
}

const oldVolumes: readonly (readonly [keyof Volume, string, string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

function volumeWarnings(path: string, volume: Volume): readonly string[] {
  const old = oldVolumes.flatMap(([field, called, message]) => (volume[field] === undefined ? [] : [`${path}.${called}: ${message}`]));
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec.resources;
  const at = `${path}.ephemeral.volumeClaimTemplate.spec.resources`;
  return [...old, ...fractionWarnings(`${at}.requests`, claim?.requests), ...fractionWarnings(`${at}.limits`, claim?.limits)];
}

function affinityWarnings(path: string, affinity: Affinity | undefined): readonly string[] {
  if (!affinity) return [];
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((field) => {
    const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution: preferred } =
      affinity[field] ?? {};
    const warn = (at: string, term: PodAffinityTerm): readonly string[] =>
      term.labelSelector ? [] : [`${path}.${field}.${at}.labelSelector: ${matchesNothing}`];
    return [
      ...listOf(required).flatMap((term, i) => warn(`requiredDuringSchedulingIgnoredDuringExecution[${i}]`, term)),
      ...listOf(preferred).flatMap(({ podAffinityTerm }, i) =>
        warn(`preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm`, podAffinityTerm),
      ),
    ];
  });
}

/** Items whose `key` an earlier one has, too. */
function repeated<T, K extends keyof T>(items: readonly T[], key: K): readonly { readonly i: number; readonly value: T[K] }[] {
  const known = new Set<T[K]>();
  return items.flatMap((item, i) => {
    const value = item[key];
    const found = known.has(value);
    known.add(value);
    return found ? [{ i, value }] : [];
  });
}
