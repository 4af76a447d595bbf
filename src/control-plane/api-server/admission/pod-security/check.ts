/** One rule of the Pod Security Standards, and the words in which the checks speak. Upstream: pod-security-admission/policy. */
import type { Container, PodSpec } from '../../../../api/generated/core-v1.ts';
import type { ObjectMeta } from '../../../../api/generated/meta-v1.ts';
import { allContainers } from '../../../../api/predicates/pod-references.ts';

export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export interface CheckedPod {
  readonly spec: PodSpec;
  readonly metadata: ObjectMeta;
  /** the minor version of the policy */
  readonly minor: number;
}

export type Check = (pod: CheckedPod) => Violation | undefined;

export const quoted = (items: Iterable<string>): string => [...items].map((item) => `"${item}"`).join(', ');
export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);
export const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort();

export const namesOf = (spec: PodSpec, isBad: (container: Container) => boolean): string[] =>
  allContainers(spec)
    .filter(isBad)
    .map(({ name }) => name);

/** `container "a"`, `containers "a", "b"` */
export const describeContainers = (names: readonly string[]): string => `${plural(names.length, 'container')} ${quoted(names)}`;

/** `pod and container "a"` */
export const describeSetters = (pod: boolean, names: readonly string[]): string =>
  [...(pod ? ['pod'] : []), ...(names.length > 0 ? [describeContainers(names)] : [])].join(' and ');

export const isWindows = ({ spec }: CheckedPod): boolean => spec.os?.name === 'windows';
/** Root in a user namespace of its own is not root. */
export const hasOwnUsers = ({ spec }: CheckedPod): boolean => spec.hostUsers === false;
