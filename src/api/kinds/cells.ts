/**
 * Pieces of table cells that several kinds show: containers, labels, selectors, ages.
 * Upstream: pkg/printers/internalversion/printers.go.
 */
import type { Container, PodTemplateSpec } from '../generated/core-v1.ts';
import type { LabelSelector } from '../generated/meta-v1.ts';
import { formatAge } from '../meta/duration.ts';
import type { Cell, Column, KindHooks } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { type LabelMap, labelMatcher, SelectorError } from '../meta/selectors.ts';
import { own } from '../meta/words.ts';
import { listOf } from './lists.ts';

export interface CellContext {
  readonly nowMs: number;
}

/** Makes the `cells` hook of a kind whose row is its name, then what `middle` says, then its age. */
export const nameAndAge =
  <T extends KubeObject>(middle: (object: T) => readonly Cell[]): NonNullable<KindHooks<T>['cells']> =>
  (object, at) => [object.metadata.name ?? '', ...middle(object), ageOf(object, at)];

export const ageOf = (object: KubeObject, at: CellContext): string => formatAge(object.metadata.creationTimestamp, at.nowMs);

const namesOf = (containers: readonly Container[]): string => containers.map((container) => container.name).join(',');
const imagesOf = (containers: readonly Container[]): string => containers.map((container) => container.image ?? '').join(',');

/** Names and images of a template's containers: two cells. */
export function containerCells(template: PodTemplateSpec | undefined): readonly [string, string] {
  const containers = listOf(template?.spec?.containers);
  return [namesOf(containers), imagesOf(containers)];
}

export function formatLabels(labels: LabelMap | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.map((key) => `${key}=${own(labels, key) ?? ''}`).join(',') || '<none>';
}

export function formatSelector(selector: LabelSelector | undefined, none = '<none>'): string {
  try {
    return labelMatcher(selector).toString() || none;
  } catch (error) {
    if (error instanceof SelectorError) return '<error>';
    throw error;
  }
}

/** At most `max` of a list, then how many more there are. */
export function firstOf(list: readonly string[], max: number, separator = ','): string {
  const shown = list.slice(0, max).join(separator);
  return list.length > max ? `${shown} + ${list.length - max} more...` : shown;
}

/** The addresses of load balancers, sorted. */
export function balancerAddresses(ingress: readonly { readonly ip?: string; readonly hostname?: string }[]): string {
  return [...new Set(ingress.map(({ ip, hostname }) => ip || hostname || '').filter(Boolean))].toSorted().join(',');
}

/**
 * Columns of a kind that the table of columns lacks, since upstream does not serve it by default: names of text columns,
 * the first is the object's name. A star at the end: only with -o wide.
 */
export const textColumns = (...names: readonly string[]): readonly Column[] =>
  names.map((name, i) => ({
    name: name.replace(/\*$/, ''),
    type: 'string',
    format: i ? '' : 'name',
    priority: name.endsWith('*') ? 1 : 0,
  }));
