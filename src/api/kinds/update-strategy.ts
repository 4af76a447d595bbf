/**
 * What an update of an object or of one of its parts may change: `join` takes from the old object what the part leaves
 * alone, `validate` says what is wrong with the rest. Every updating verb and subresource is one of these. Pure.
 * Upstream: PrepareForUpdate and ValidateUpdate of pkg/registry/<group>/<resource>/strategy.go.
 */

import { equalJson, equalSemantically } from '../meta/deep-equal.ts';
import { isCustom, type Kind, type ViewHooks, type WriteContext } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { errors, type FieldError } from '../meta/status-error.ts';
import type { Steps } from '../meta/steps.ts';
import { own } from '../meta/words.ts';
import { judge } from '../schema/rules/walk.ts';
import { mergeFieldErrors, statusRule } from '../schema/validate.ts';
import { validateObject } from './validate-object.ts';

export interface UpdateStrategy {
  join(object: KubeObject, old: KubeObject, kind: Kind, by: WriteContext): KubeObject;
  validate(object: KubeObject, old: KubeObject, kind: Kind): Steps<readonly FieldError[]>;
  /** absent: of a part nobody is warned */
  warnings?(object: KubeObject, old: KubeObject, kind: Kind): readonly string[];
}

type Fields = KubeObject & { readonly spec?: Readonly<Record<string, unknown>>; readonly status?: Readonly<Record<string, unknown>> };

const noErrors: readonly FieldError[] = [];
const noWarnings: readonly string[] = [];

/** `scale`: of the object itself it changes the replicas. */
export const scaleOnly: UpdateStrategy = {
  join(object, old, kind) {
    const keepsStatus = kind.subresources['status'] !== undefined;
    const kept = keepsStatus ? withField(object, 'status', (old as Fields).status) : object;
    const prepared = kind.hooks.prepareForUpdate?.(kept, old) ?? kept;
    const hasChanged = isCustom(kind) ? changesCustom(prepared, old) : changesSpec(prepared, old);
    return kind.hasGeneration && hasChanged ? withGeneration(prepared, (old.metadata.generation ?? 0) + 1) : prepared;
  },
  validate: (object, old, kind) => validateObject(kind, object, old),
};

/** The object itself; its status stays where it has a subresource of its own. */
export const wholeObject: UpdateStrategy = {
  ...scaleOnly,
  warnings: (object, old, kind) => kind.hooks.warnings?.(object, old) ?? noWarnings,
};

/** `status`: everything else stays, metadata apart (annotations and finalizers go through, as upstream has it). */
const statusOnly: UpdateStrategy = {
  join(object, old, kind, by) {
    const joined = withField({ ...old, metadata: object.metadata }, 'status', (object as Fields).status);
    return kind.hooks.prepareForStatusUpdate?.(joined, old, by) ?? joined;
  },
  *validate(object, old, kind) {
    const { statusRules } = kind.hooks;
    const { custom } = kind.schema;
    const bySchema = custom
      ? yield* custom.validate(object, { old, part: 'status' })
      : yield* judge<object>(statusRule(kind.schema), object, old);
    const byKind = statusRules ? yield* judge(statusRules, object, old) : noErrors;
    return custom ? [...bySchema, ...byKind] : mergeFieldErrors(bySchema, byKind);
  },
};

/** Another part of the object, by the name of its subresource: the kind says what it shows. */
const viewOf = (name: string): UpdateStrategy => ({
  join: (object, old, kind, by) => hooksOf(kind, name).prepareForUpdate(object, old, by),
  validate: (object, old, kind) => judge((given, walk) => hooksOf(kind, name).rules(given, walk, old), object, old),
});

function hooksOf(kind: Kind, name: string): ViewHooks {
  const hooks = own(kind.hooks.views, name);
  if (!hooks) throw errors.pathNotFound();
  return hooks;
}

const strategies: Readonly<Record<string, UpdateStrategy>> = {
  status: statusOnly,
  finalize: viewOf('finalize'),
  approval: viewOf('approval'),
  ephemeralcontainers: viewOf('ephemeralcontainers'),
  resize: viewOf('resize'),
};

/** Throws NotFound for a subresource that the kind doesn't have. */
export function strategyOf(kind: Kind, subresource: string | undefined): UpdateStrategy {
  if (!subresource) return wholeObject;
  const strategy = own(kind.subresources, subresource) && own(strategies, subresource);
  if (!strategy) throw errors.pathNotFound();
  return strategy;
}

/** Whether an update changes what metadata.generation counts: everything but metadata and status. */
export function changesSpec(object: KubeObject, old: KubeObject): boolean {
  const now = object as unknown as Readonly<Record<string, unknown>>;
  const before = old as unknown as Readonly<Record<string, unknown>>;
  const isCounted = (field: string): boolean => !uncounted.has(field);
  for (const field in now) if (isCounted(field) && !equalSemantically(now[field], own(before, field))) return true;
  for (const field in before)
    if (isCounted(field) && !Object.hasOwn(now, field) && !equalSemantically(undefined, before[field])) return true;
  return false;
}

const uncounted: ReadonlySet<string> = new Set(['metadata', 'status', 'kind', 'apiVersion']);

/** Of a custom resource status counts, where it is no part of its own; and an empty object is not as good as none. */
function changesCustom({ metadata: _, ...now }: KubeObject, { metadata: __, ...before }: KubeObject): boolean {
  return !equalJson(now, before);
}

function withGeneration(object: KubeObject, generation: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, generation } };
}

/** A copy with the field set, or without it when the value is undefined. */
function withField<T extends object>(object: T, field: string, value: unknown): T {
  if (value !== undefined) return { ...object, [field]: value };
  if (!(field in object)) return object;
  const { [field as keyof T]: _, ...rest } = object;
  return rest as T;
}
