/**
 * Where replicas and selector of the kinds with a `scale` subresource are. All built-in kinds have them in the same
 * places; only ReplicationController selects by a map of labels. Custom resources name their own places.
 * Upstream: pkg/registry/apps/<resource>/storage, apiextensions-apiserver/pkg/registry/customresource (scale).
 */
import type { LabelSelector } from '../generated/meta-v1.ts';
import type { KubeObject } from '../meta/object.ts';
import { type LabelMap, labelMatcher, labelMatcherOfMap } from '../meta/selectors.ts';

export interface ScalePaths {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly selector?: readonly string[];
  /** what is at `selector`: a selector, a map of labels, or text */
  readonly selectorForm: 'selector' | 'labels' | 'text';
}

const usual: ScalePaths = {
  specReplicas: ['spec', 'replicas'],
  statusReplicas: ['status', 'replicas'],
  selector: ['spec', 'selector'],
  selectorForm: 'selector',
};

/** By `resource.group`. */
export const scalePaths: Readonly<Record<string, ScalePaths>> = {
  'deployments.apps': usual,
  'replicasets.apps': usual,
  'statefulsets.apps': usual,
  replicationcontrollers: { ...usual, selectorForm: 'labels' },
};

interface SubresourceScale {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/** From what a CustomResourceDefinition says: paths like `.spec.replicas`. */
export function customScalePaths(scale: SubresourceScale): ScalePaths {
  const steps = (path: string): readonly string[] => path.split('.').slice(1);
  return {
    specReplicas: steps(scale.specReplicasPath),
    statusReplicas: steps(scale.statusReplicasPath),
    ...(scale.labelSelectorPath && { selector: steps(scale.labelSelectorPath) }),
    selectorForm: 'text',
  };
}

function valueAt(object: KubeObject, path: readonly string[]): unknown {
  let at: unknown = object;
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[step];
  }
  return at;
}

const numberAt = (object: KubeObject, path: readonly string[]): number | undefined => {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : undefined;
};

export interface ScaleView {
  /** undefined when the object doesn't say */
  readonly replicas: number | undefined;
  readonly currentReplicas: number;
  readonly selector: string;
}

export function readScale(object: KubeObject, paths: ScalePaths): ScaleView {
  const given = paths.selector && valueAt(object, paths.selector);
  return {
    replicas: numberAt(object, paths.specReplicas),
    currentReplicas: numberAt(object, paths.statusReplicas) ?? 0,
    selector: selectorText(given, paths.selectorForm),
  };
}

function selectorText(given: unknown, form: ScalePaths['selectorForm']): string {
  if (form === 'text') return typeof given === 'string' ? given : '';
  if (form === 'labels') return labelMatcherOfMap(given as LabelMap | undefined).toString();
  return labelMatcher(given as LabelSelector | undefined).toString();
}

/** The object with other replicas. */
export function withReplicas<T extends KubeObject>(object: T, paths: ScalePaths, replicas: number): T {
  const set = (at: Readonly<Record<string, unknown>>, [step = '', ...rest]: readonly string[]): Record<string, unknown> => {
    const inner = at[step];
    const next = typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<string, unknown>>) : {};
    return { ...at, [step]: rest.length ? set(next, rest) : replicas };
  };
  return set(object as unknown as Readonly<Record<string, unknown>>, paths.specReplicas) as unknown as T;
}
