/**
 * A structural schema in the form of all types (types.ts), for server-side apply, which asks what fields there are and how
 * they merge. Made field by field when first asked for.
 * Upstream: kube-openapi/pkg/schemaconv/openapi.go.
 */
import { own } from '../../meta/words.ts';
import { type FieldSchema, type MapSchema, type ObjectSchema, objectSchema, type ScalarType, type Schema } from '../types.ts';
import { metaFields } from './prune.ts';
import type { Structural } from './structural.ts';

const anything: Schema = { type: 'any' };
const scalars: Readonly<Record<string, ScalarType>> = { boolean: 'boolean', integer: 'int64', number: 'double' };

/** The fields of an object: those of its schema, and those that every resource has. */
export class TypedObject implements ObjectSchema {
  readonly type = 'object' as const;
  readonly name = '';
  readonly gvks = [];
  readonly unions = [];
  readonly #node: Structural;
  readonly #isRoot: boolean;
  readonly preserveUnknown: boolean;
  #fields: ReadonlyMap<string, FieldSchema> | undefined;
  constructor(node: Structural, isOpen: boolean, isRoot = false) {
    this.#node = node;
    this.#isRoot = isRoot;
    this.preserveUnknown = isOpen || (node.additional !== undefined && node.said.additionalProperties !== false);
  }
  get atomic(): boolean {
    return this.#node.said['x-kubernetes-map-type'] === 'atomic';
  }
  get fields(): ReadonlyMap<string, FieldSchema> {
    this.#fields ??= this.#makeFields();
    return this.#fields;
  }
  #makeFields(): ReadonlyMap<string, FieldSchema> {
    const { required = [] } = this.#node.said;
    const hasMeta = this.#isRoot || this.#node.isEmbedded;
    const isOpen = this.preserveUnknown && this.#node.additional === undefined;
    const fields = new Map<string, FieldSchema>();
    if (hasMeta) for (const name of metaFields) fields.set(name, fieldOf(name, metaSchema(name), {}));
    for (const [name, property] of this.#node.properties()) {
      if (hasMeta && metaFields.has(name)) continue;
      fields.set(name, fieldOf(name, typedSchema(property, isOpen), { node: property, required: required.includes(name) }));
    }
    return fields;
  }
}

function metaSchema(name: string): Schema {
  return name === 'metadata' ? objectSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') : { type: 'string' };
}

function fieldOf(name: string, schema: Schema, { node, required = false }: { node?: Structural; required?: boolean }): FieldSchema {
  const value = node?.said.default;
  return { name, schema, required, presence: 'kept', goType: '', patchStrategy: [], ...(value !== undefined && { default: value }) };
}

const made = { closed: new WeakMap<Structural, Schema>(), open: new WeakMap<Structural, Schema>() };

/** `isOpen`: unknown fields are kept around it, and so in it. */
function typedSchema(node: Structural, isOpen: boolean): Schema {
  const known = isOpen ? made.open : made.closed;
  const schema = known.get(node) ?? makeSchema(node, isOpen || node.preserves);
  known.set(node, schema);
  return schema;
}

function makeSchema(node: Structural, isOpen: boolean): Schema {
  const { type, format = 'none', properties } = node.said;
  switch (type) {
    case 'array':
      return makeList(node, isOpen);
    case 'object':
      return makeObject(node, isOpen);
    case 'string':
      // What a format is written as may be another scalar.
      return { type: format === 'none' || format === 'byte' ? 'string' : 'intOrString' };
    case undefined:
      return properties ? makeObject(node, isOpen) : anything;
    default:
      return { type: own(scalars, type) ?? 'intOrString' };
  }
}

function makeList({ items, said }: Structural, isOpen: boolean): Schema {
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': listMapKeys = [] } = said;
  return {
    type: 'list',
    get items() {
      return items ? typedSchema(items, isOpen) : anything;
    },
    listType: listType === 'set' || listType === 'map' ? listType : 'atomic',
    listMapKeys,
  };
}

function makeObject(node: Structural, isOpen: boolean): Schema {
  const { additional, said } = node;
  const isMap = !said.properties && !node.isEmbedded && said.additionalProperties !== false;
  if (!isMap) return new TypedObject(node, isOpen);
  const map: MapSchema = {
    type: 'map',
    get values() {
      return additional ? typedSchema(additional, isOpen) : anything;
    },
    atomic: said['x-kubernetes-map-type'] === 'atomic',
  };
  return map;
}
