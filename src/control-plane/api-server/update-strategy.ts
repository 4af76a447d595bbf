/**
 * What an update of an object or of one of its parts may change: `join` takes from the old object what the part leaves
 * alone, `validate` says what is wrong with the rest. Every updating verb and subresource is one of these.
 * Upstream: PrepareForUpdate and ValidateUpdate of pkg/registry/<group>/<resource>/strategy.go.
 */
import type { Kind } from '../../api/meta/kind.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { FieldError } from '../../api/meta/status-error.ts';
import { changesSpec } from './generation.ts';
import { validateWhole } from './validate.ts';

export interface UpdateStrategy {
  join(object: KubeObject, old: KubeObject, kind: Kind): KubeObject;
  validate(object: KubeObject, old: KubeObject, kind: Kind): readonly FieldError[];
}

type Fields = KubeObject & { readonly spec?: Readonly<Record<string, unknown>>; readonly status?: Readonly<Record<string, unknown>> };

const noErrors: readonly FieldError[] = [];

/** The object itself; its status stays where it has a subresource of its own. */
export const wholeObject: UpdateStrategy = {
  join(object, old, kind) {
    const kept = kind.subresources['status'] ? withField(object, 'status', (old as Fields).status) : object;
    const prepared = kind.hooks.prepareForUpdate?.(kept, old) ?? kept;
    return kind.hasGeneration && changesSpec(prepared, old) ? withGeneration(prepared, (old.metadata.generation ?? 0) + 1) : prepared;
  },
  validate: (object, old, kind) => validateWhole(kind, object, old),
};

/** `status`: everything else stays, metadata apart (annotations and finalizers go through, as upstream has it). */
export const statusOnly: UpdateStrategy = {
  join(object, old, kind) {
    const joined = withField({ ...old, metadata: object.metadata }, 'status', (object as Fields).status);
    const kept = kind.resource === 'deployments' && kind.group === 'apps' ? withLabelsOf(joined, old) : joined;
    return kind.hooks.prepareForStatusUpdate?.(kept, old) ?? kept;
  },
  validate: (object, old, kind) => kind.hooks.validateStatus?.(object, old) ?? noErrors,
};

/** `namespaces/finalize`: spec.finalizers only. */
export const namespaceFinalizers: UpdateStrategy = {
  join: (object, old) => withSpec(object, old, { finalizers: (object as Fields).spec?.['finalizers'] }),
  validate: () => noErrors,
};

/** `certificatesigningrequests/approval`: status.conditions only. */
export const approvalConditions: UpdateStrategy = {
  join(object, old) {
    const status = { ...(old as Fields).status, conditions: (object as Fields).status?.['conditions'] };
    return withField({ ...old, metadata: object.metadata }, 'status', status);
  },
  validate: (object, old, kind) => kind.hooks.validateStatus?.(object, old) ?? noErrors,
};

/** `pods/ephemeralcontainers`: spec.ephemeralContainers only. */
export const ephemeralContainers: UpdateStrategy = {
  join: (object, old) =>
    bumpGeneration(withSpec(object, old, { ephemeralContainers: (object as Fields).spec?.['ephemeralContainers'] }), old),
  validate: () => noErrors,
};

interface Container {
  readonly name: string;
  readonly resources?: unknown;
  readonly resizePolicy?: unknown;
}

/** `pods/resize`: the resources of containers and init containers only. */
export const containerResources: UpdateStrategy = {
  join(object, old) {
    const spec = (object as Fields).spec;
    const oldSpec = (old as Fields).spec;
    const resized = (field: string): unknown => {
      const now = spec?.[field] as readonly Container[] | undefined;
      return (oldSpec?.[field] as readonly Container[] | undefined)?.map((container) => {
        const wanted = now?.find((c) => c.name === container.name);
        return wanted ? withField(container, 'resources', wanted.resources) : container;
      });
    };
    const joined = withSpec(object, old, { containers: resized('containers'), initContainers: resized('initContainers') });
    return bumpGeneration(joined, old);
  },
  validate: () => noErrors,
};

function bumpGeneration(object: KubeObject, old: KubeObject): KubeObject {
  return changesSpec(object, old) ? withGeneration(object, (old.metadata.generation ?? 0) + 1) : object;
}

function withSpec(object: KubeObject, old: KubeObject, changed: Readonly<Record<string, unknown>>): KubeObject {
  let spec: object = (old as Fields).spec ?? {};
  for (const field in changed) spec = withField(spec, field, changed[field]);
  return withField({ ...old, metadata: object.metadata }, 'spec', spec);
}

function withLabelsOf(object: KubeObject, old: KubeObject): KubeObject {
  return { ...object, metadata: withField(object.metadata, 'labels', old.metadata.labels) };
}

export function withGeneration(object: KubeObject, generation: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, generation } };
}

/** A copy with the field set, or without it when the value is undefined. */
export function withField<T extends object>(object: T, field: string, value: unknown): T {
  if (value !== undefined) return { ...object, [field]: value };
  if (!(field in object)) return object;
  const { [field as keyof T]: _, ...rest } = object;
  return rest as T;
}
