/**
 * What a write makes of an object by the rules of its kind, from decoding to storing; pure. Admission comes in between:
 * default → (mutating admission) → prepare → validate → warn → (validating admission). The API server takes these steps,
 * and so do the tests of the kinds.
 *
 * Upstream: apiserver/pkg/registry/rest/{create,update}.go.
 */
import type { Kind, WriteContext } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { collectFieldErrors, describeFieldError, type FieldError } from '../meta/status-error.ts';
import type { Steps } from '../meta/steps.ts';
import { applyDefaults } from '../schema/default.ts';
import { validateMetadata, validateMetadataUpdate } from '../schema/metadata.ts';
import type { UpdateStrategy } from './update-strategy.ts';
import { validateObject } from './validate-object.ts';

export interface Prepared {
  readonly object: KubeObject;
  /** all that is wrong with it: it is not to be stored then */
  readonly problems: readonly FieldError[];
  readonly warnings: readonly string[];
}

const noWarnings: readonly string[] = [];

/** What hooks may rely on: an object has a name and, where its kind does, a namespace, though they may be empty. */
export function withNames(object: KubeObject, { namespaced }: Pick<Kind, 'namespaced'>): KubeObject {
  const { metadata } = object;
  if (metadata.name !== undefined && (metadata.namespace !== undefined || !namespaced)) return object;
  return { ...object, metadata: { name: '', ...(namespaced && { namespace: '' }), ...metadata } };
}

/** Defaults: the type table's constants, then what the kind derives. */
export function* withDefaults(kind: Kind, object: KubeObject): Steps<KubeObject> {
  const filled = applyDefaults(kind.schema, object);
  yield;
  return kind.hooks.default?.(filled) ?? filled;
}

/** A new object, named and identified. */
export function* prepareNew(kind: Kind, given: KubeObject, by: WriteContext): Steps<Prepared> {
  const object = kind.hooks.prepareForCreate?.(given, by) ?? given;
  const ofMetadata = collectFieldErrors(() => validateMetadata(kind, object));
  yield;
  const problems = joined(ofMetadata, yield* validateObject(kind, object, undefined));
  yield;
  return { object, problems, warnings: problems.length > 0 ? noWarnings : (kind.hooks.warnings?.(object) ?? noWarnings) };
}

const joined = (some: readonly FieldError[], more: readonly FieldError[]): readonly FieldError[] =>
  more.length > 0 ? [...some, ...more] : some;

export interface ObjectChange {
  readonly object: KubeObject;
  readonly old: KubeObject;
  readonly strategy: UpdateStrategy;
}

/** An object that takes the place of `old`, as far as the strategy lets it. */
export function* prepareChanged(kind: Kind, { object: given, old, strategy }: ObjectChange, by: WriteContext): Steps<Prepared> {
  const object = strategy.join(given, old, kind, by);
  yield;
  const ofMetadata = collectFieldErrors(() => validateMetadataUpdate(kind, object.metadata, old.metadata));
  yield;
  const found = joined(ofMetadata, yield* strategy.validate(object, old, kind));
  yield;
  const problems = found.filter(({ isForgiven }) => !isForgiven);
  if (problems.length > 0) return { object, problems, warnings: noWarnings };
  const warnings = strategy.warnings?.(object, old, kind) ?? noWarnings;
  return { object, problems, warnings: found.length > 0 ? [...found.map(describeFieldError), ...warnings] : warnings };
}
