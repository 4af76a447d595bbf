/** What a field selector may name in custom resources. Upstream: apiextensions-apiserver/pkg/registry/customresource/strategy.go. */
import type { SelectableField } from '../../generated/apiextensions-v1.ts';
import { type JsonPath, PathError, parseJsonPath } from '../../meta/json-path.ts';
import type { FieldGetter } from '../../meta/kind.ts';
import type { KubeObject } from '../../meta/object.ts';

type Getter = FieldGetter<KubeObject>;

export function selectableFieldsOf(namespaced: boolean, fields: readonly SelectableField[]): ReadonlyMap<string, Getter> {
  return new Map<string, Getter>([
    ['metadata.name', ({ metadata }) => metadata.name ?? ''],
    ...(namespaced ? [['metadata.namespace', ({ metadata }: KubeObject) => metadata.namespace ?? ''] as const] : []),
    ...fields.map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), getterOf(jsonPath)] as const),
  ]);
}

function getterOf(jsonPath: string): Getter {
  let path: JsonPath | undefined;
  return (object) => {
    path ??= parsed(jsonPath);
    const [value = null] = path(object);
    return value === null ? '' : String(value);
  };
}

/** Definitions are checked when they are written: one that can't be read finds nothing. */
function parsed(jsonPath: string): JsonPath {
  try {
    const path = parseJsonPath(jsonPath);
    return (object) => {
      try {
        return path(object);
      } catch (error) {
        if (error instanceof PathError) return [];
        throw error;
      }
    };
  } catch (error) {
    if (error instanceof PathError) return () => [];
    throw error;
  }
}
