/**
 * Which field of a type has which number in protobuf. Go embeds some structs in others (a volume's source, a probe's
 * handler): JSON does not show them, protobuf does, as a message between.
 */
import type { FieldSchema, ObjectSchema } from './types.ts';

/** The start of every message that travels alone; runtime.Unknown follows, with the type and the message itself. */
export const magic = Buffer.from('k8s\0');

/** What a field number stands for. */
export type Node = { readonly field: FieldSchema } | { readonly embedded: Layout };
export type Layout = ReadonlyMap<number, Node>;

const layouts = new WeakMap<ObjectSchema, Layout>();

export function layoutOf(schema: ObjectSchema): Layout {
  const known = layouts.get(schema);
  if (known) return known;
  const root = new Map<number, Node>();
  for (const field of schema.fields.values()) {
    // the table gives one number, or the numbers on the way through embedded structs
    const path = field.proto === undefined ? [] : ([field.proto].flat() as number[]);
    let level = root;
    path.forEach((number, i) => {
      if (i === path.length - 1) {
        level.set(number, { field });
        return;
      }
      const next = level.get(number);
      const embedded = next && 'embedded' in next ? (next.embedded as Map<number, Node>) : new Map<number, Node>();
      level.set(number, { embedded });
      level = embedded;
    });
  }
  layouts.set(schema, root);
  return root;
}
