/**
 * Checks that many kinds share. Each adds what it finds to a list: paths are built only by string concatenation, and an
 * object without faults costs no allocation beyond them. Wording is upstream's.
 * Upstream: apimachinery/pkg/api/validation, apimachinery/pkg/apis/meta/v1/validation, pkg/apis/core/validation.
 */
import type { LabelSelector } from '../generated/meta-v1.ts';
import { equalSemantically } from '../meta/deep-equal.ts';
import { checkQualifiedName } from '../meta/names.ts';
import { type LabelMap, validateLabelSelector, validateLabels } from '../meta/selectors.ts';
import { type FieldError, fieldErrors } from '../meta/status-error.ts';

export type Errors = FieldError[];

export const immutableMessage = 'field is immutable';

/** Says of each value whether it came before: a search for each would cost the square of a list's length. */
export function repeats<T>(): (value: T) => boolean {
  const seen = new Set<T>();
  return (value) => seen.size === seen.add(value).size;
}

/** One Invalid per message. */
export function addInvalid(errors: Errors, path: string, value: unknown, messages: readonly string[]): void {
  for (const message of messages) errors.push(fieldErrors.invalid(path, value, message));
}

/** True when the value is there; else a Required is added. */
export function checkPresent(errors: Errors, path: string, value: unknown, detail = ''): boolean {
  if (value !== undefined && value !== '' && value !== null) return true;
  errors.push(fieldErrors.required(path, detail));
  return false;
}

/** For enumerations: absent (and mostly empty) is Required, anything unknown is Unsupported. */
export function checkOneOf(errors: Errors, path: string, value: string | undefined, rule: EnumRule): void {
  const { of: supported, detail = '', emptyIsValue = false } = rule;
  if (value === undefined || (value === '' && !emptyIsValue)) errors.push(fieldErrors.required(path, detail));
  else if (!supported.includes(value)) errors.push(fieldErrors.notSupported(path, value, supported));
}
interface EnumRule {
  readonly of: readonly string[];
  /** what is said of an absent one */
  readonly detail?: string;
  /** the field can be told from an absent one (upstream: a pointer) */
  readonly emptyIsValue?: boolean;
}

export function checkImmutable(errors: Errors, path: string, now: unknown, old: unknown): void {
  if (!equalSemantically(now, old)) errors.push(fieldErrors.invalid(path, now, immutableMessage));
}

export function checkLabels(errors: Errors, path: string, labels: LabelMap | undefined): void {
  if (labels) errors.push(...validateLabels(labels, path));
}

const annotationsBytesMax = 256 * 1024;

export function checkAnnotations(errors: Errors, path: string, annotations: LabelMap | undefined): void {
  if (!annotations) return;
  let size = 0;
  for (const key in annotations) {
    addInvalid(errors, path, key, checkQualifiedName(key.toLowerCase()));
    size += key.length + (annotations[key]?.length ?? 0);
  }
  if (size > annotationsBytesMax) errors.push(fieldErrors.tooLong(path, annotationsBytesMax));
}

export function checkSelector(errors: Errors, path: string, selector: LabelSelector | undefined): void {
  if (selector) errors.push(...validateLabelSelector(selector, path));
}

/** Whether the selector selects nothing by itself: no labels, no expressions. */
export const isEmptySelector = (selector: LabelSelector | undefined): boolean =>
  !selector?.matchExpressions?.length && Object.keys(selector?.matchLabels ?? {}).length === 0;
