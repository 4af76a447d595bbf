/**
 * A structural schema in the form of all types (types.ts), for who asks what fields there are and how they merge:
 * server-side apply, expressions, OpenAPI. Made field by field when first asked for.
 */
import { own } from '../../meta/words.ts';
import { type FieldSchema, type MapSchema, type ObjectSchema, objectSchema, type ScalarType, type Schema } from '../types.ts';
import { metaFields } from './prune.ts';
import { type Structural, unsaid } from './structural.ts';

const anything: Schema = { type: 'any' };
const scalars: Readonly<Record<string, ScalarType>> = { string: 'string', boolean: 'boolean', integer: 'int64', number: 'double' };

/** The fields of an object: those of its schema, and those that every resource has. */
export class TypedObject implements ObjectSchema {
  readonly type = 'object' as const;
  readonly name = '';
  readonly gvks = [];
  readonly unions = [];
  readonly #node: Structural;
  readonly #isRoot: boolean;
  #fields: ReadonlyMap<string, FieldSchema> | undefined;
  constructor(node: Structural, isRoot = false) {
    this.#node = node;
    this.#isRoot = isRoot;
  }
  get preserveUnknown(): boolean {
    return this.#node.preserves;
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
    const fields = new Map<string, FieldSchema>();
    if (hasMeta) for (const name of metaFields) fields.set(name, fieldOf(name, metaSchema(name), {}));
    for (const [name, property] of this.#node.properties()) {
      if (hasMeta && metaFields.has(name)) continue;
      fields.set(name, fieldOf(name, typedSchema(property), { node: property, required: required.includes(name) }));
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

const made = new WeakMap<Structural, Schema>();

export function typedSchema(node: Structural): Schema {
  const known = made.get(node);
  if (known) return known;
  const schema = makeSchema(node);
  made.set(node, schema);
  return schema;
}

function makeSchema(node: Structural): Schema {
  const { said } = node;
  if (said['x-kubernetes-int-or-string']) return { type: 'intOrString' };
  if (said.type === 'array') return makeList(node);
  if (said.type === 'object' || said.properties) return makeObject(node);
  const scalar = own(scalars, said.type ?? '');
  return scalar ? { type: scalar } : anything;
}

function makeList(node: Structural): Schema {
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': listMapKeys = [] } = node.said;
  return {
    type: 'list',
    get items() {
      return node.items ? typedSchema(node.items) : anything;
    },
    listType: listType === 'set' || listType === 'map' ? listType : 'atomic',
    listMapKeys,
  };
}

function makeObject(node: Structural): Schema {
  const { additional, said } = node;
  if (additional === undefined || said.properties) {
    const isFree = node.preserves && !node.isEmbedded && !said.properties;
    return isFree ? { type: 'any', only: 'object' } : new TypedObject(node);
  }
  const map: MapSchema = {
    type: 'map',
    get values() {
      return additional === unsaid ? anything : typedSchema(additional);
    },
    atomic: said['x-kubernetes-map-type'] === 'atomic',
  };
  return map;
}
