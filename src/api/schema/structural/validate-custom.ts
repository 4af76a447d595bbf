/**
 * All that a schema finds wrong with a custom resource: its values, its embedded resources, its lists, and then its rules
 * in CEL, if what was found before lets them be asked.
 * Upstream: apiextensions-apiserver/pkg/registry/customresource/{strategy,status_strategy}.go.
 */
import { type FieldError, type FieldErrorType, fieldErrors } from '../../meta/status-error.ts';
import type { Steps } from '../../meta/steps.ts';
import { own } from '../../meta/words.ts';
import { Correlation } from './correlation.ts';
import { checkEmbedded } from './embedded.ts';
import { checkListTypes } from './list-types.ts';
import { Path } from './places.ts';
import { evaluateRules } from './rules/evaluate-rules.ts';
import type { Structural } from './structural.ts';
import { validateValue } from './validate-value.ts';

type Json = Readonly<Record<string, unknown>>;

export interface CustomChange {
  readonly old?: Json | undefined;
  /** only that was written */
  readonly part?: 'status' | undefined;
}

/** What has to be right for rules to be asked. */
const blocking: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

export function* validateCustom(root: Structural, object: Json, { old, part }: CustomChange): Steps<readonly FieldError[]> {
  const found: FieldError[] = [];
  if (part === undefined) {
    found.push(...(yield* validateValue(root, object, { path: '', old })));
    if (root.embeds) found.push(...(yield* checkEmbedded(root, object, top)));
  } else {
    const node = root.property(part);
    const value = own(object, part);
    if (node && value !== undefined) found.push(...(yield* validateValue(node, value, { path: part, old: old && own(old, part) })));
  }
  yield;
  if (root.keysLists) {
    const ofLists = yield* checkListTypes(root, object, top);
    if (ofLists.length && !(old && (yield* checkListTypes(root, old, top)).length)) found.push(...ofLists);
  }
  if (!root.hasRules) return found;
  if (found.some(({ type }) => blocking.has(type))) return [...found, fieldErrors.invalid('', null, unchecked)];
  const before = old && new Correlation(root, object, old);
  return [...found, ...(yield* evaluateRules({ node: root, value: object, old: before, path: top }, true))];
}

const top = new Path();
const unchecked =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
