/** Hooks for a version that is not the stored one: the same, on the object's stored form. */
import type { KindHooks, VersionConversion } from '../../meta/kind.ts';
import type { KubeObject } from '../../meta/object.ts';

/** Status, warnings and grace periods are not among them. */
export function inStoredForm<T extends KubeObject>(hooks: KindHooks<T>, { toStorage, fromStorage }: VersionConversion): KindHooks<T> {
  const inner = (object: T): T => toStorage(object) as T;
  const outer = (object: T): T => fromStorage(object) as T;
  const { prepareForCreate, prepareForStatusUpdate, validateStatus } = hooks;
  const fill = hooks.default;
  return {
    ...(fill && { default: (object: T) => outer(fill(inner(object))) }),
    ...(prepareForCreate && { prepareForCreate }),
    ...(prepareForStatusUpdate && { prepareForStatusUpdate }),
    validate: (object, old) => hooks.validate?.(inner(object), old && inner(old)) ?? [],
    ...(validateStatus && { validateStatus: (object: T, old: T) => validateStatus(inner(object), inner(old)) }),
    cells: (object, at) => hooks.cells?.(inner(object), at) ?? [],
  };
}
