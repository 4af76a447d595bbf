/**
 * The types of objects as expressions see them, from the schemas of their kinds. A type is made when an expression asks for
 * it; a part of which no type is known (any JSON, a quantity) is not seen.
 * Upstream: apiserver/pkg/cel/common/schemas.go, pkg/cel/openapi/resolver/refs.go.
 */
import * as t from '../../cel/types.ts';
import type { Kind } from '../../meta/kind.ts';
import { declare } from '../../schema/structural/rules/declared-type.ts';
import { fieldNamed } from '../../schema/structural/rules/names.ts';
import { Structural } from '../../schema/structural/structural.ts';
import { type ObjectSchema, objectSchema, type ScalarType, type Schema } from '../../schema/types.ts';

export function typeOfKind({ kind, schema, definition }: Kind): t.Type | undefined {
  if (!definition) return typeOf(schema, kind, []);
  const declared = declare(new Structural(definition.schema()), kind, true)?.type;
  if (declared?.kind !== 'struct') return declared;
  const metadata = typeOf(objectSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'), `${kind}.metadata`, []);
  return t.struct(kind, (field) => (field === 'metadata' ? metadata : declared.field?.(field)));
}

const scalars: Readonly<Record<ScalarType, t.Type | undefined>> = {
  string: t.STRING,
  boolean: t.BOOL,
  int32: t.INT,
  int64: t.INT,
  double: t.DOUBLE,
  bytes: t.BYTES,
  time: t.TIMESTAMP,
  microTime: t.TIMESTAMP,
  duration: t.DURATION,
  quantity: undefined,
  intOrString: t.DYN,
};

/** `within`: the types that it stands in; one that stands in itself has no fields there. */
function typeOf(schema: Schema, name: string, within: readonly string[]): t.Type | undefined {
  switch (schema.type) {
    case 'object':
      return within.includes(schema.name) ? t.struct(name, () => undefined) : structOf(schema, name, within);
    case 'list': {
      const items = typeOf(schema.items, `${name}.@idx`, within);
      return items && t.listOf(items);
    }
    case 'map': {
      const values = typeOf(schema.values, `${name}.@elem`, within);
      return values && t.mapOf(t.STRING, values);
    }
    case 'any':
      return schema.only === 'object' ? t.struct(name, () => undefined) : undefined;
    default:
      return scalars[schema.type];
  }
}

function structOf(schema: ObjectSchema, name: string, within: readonly string[]): t.Type {
  const known = new Map<string, t.Type | undefined>();
  return t.struct(name, (escaped) =>
    known.getOrInsertComputed(escaped, () => {
      const field = fieldNamed(escaped);
      const found = field === undefined ? undefined : schema.fields.get(field);
      return found && typeOf(found.schema, `${name}.${escaped}`, [...within, schema.name]);
    }),
  );
}
