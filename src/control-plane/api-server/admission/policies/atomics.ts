/**
 * Where a configuration has lists, maps or structs that are owned as a whole: a policy that mentions one would throw away
 * all that it does not mention of it.
 * Upstream: apiserver/pkg/admission/plugin/policy/mutating/patch/smd.go (findAtomics).
 */
import { asList, asMap, fieldSchema, isAtomic, shapeOf } from '../../../../api/apply/structure.ts';
import type { ListSchema, Schema } from '../../../../api/schema/types.ts';

/** Their paths: `.spec.args`. */
export function findAtomics(schema: Schema, value: unknown, path = ''): readonly string[] {
  const shape = shapeOf(schema, value);
  if (shape === 'scalar' || value === null || value === undefined) return [];
  const here = isAtomic(schema, shape) ? [path] : [];
  if (shape === 'list') {
    const { items } = schema as ListSchema;
    return [...here, ...(asList(value) ?? []).flatMap((item, i) => findAtomics(items, item, `${path}[${i}]`))];
  }
  const below = Object.entries(asMap(value) ?? {}).flatMap(([name, part]) => {
    const type = fieldSchema(schema, name);
    return type ? findAtomics(type, part, `${path}.${name}`) : [];
  });
  return [...here, ...below];
}
