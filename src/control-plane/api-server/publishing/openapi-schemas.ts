/**
 * Types as OpenAPI schemas, from their structural form. Version 3 says what an absent field becomes and wraps references
 * that say something beside the type; version 2 can do neither.
 * Upstream: kube-openapi's generated definitions, as published by a 1.36 API server.
 */
import type { Steps } from '../../../api/meta/steps.ts';
import { put } from '../../../api/meta/words.ts';
import type { FieldSchema, ObjectSchema, ScalarType, Schema } from '../../../api/schema/types.ts';
import { typeSchema } from '../../../api/schema/types.ts';
import { type Descriptions, noDescriptions } from './descriptions.ts';

export type OpenApiVersion = 2 | 3;
export type Json = Record<string, unknown>;

const prefixes: Readonly<Record<OpenApiVersion, string>> = { 2: '#/definitions/', 3: '#/components/schemas/' };

/** The groups whose kinds have DeleteOptions and WatchEvent: all of them. */
export interface GroupVersionKindRow {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

const scalarShapes: Readonly<Record<ScalarType, Json>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  time: { type: 'string', format: 'date-time' },
  microTime: { type: 'string', format: 'date-time' },
  duration: { type: 'string' },
  quantity: { type: 'string' },
  intOrString: { type: 'string', format: 'int-or-string' },
};

/** Scalars that have a name of their own in the type table. */
const named: Partial<Record<ScalarType, string>> = {
  time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  microTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  duration: 'io.k8s.apimachinery.pkg.apis.meta.v1.Duration',
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
};

const zeros: Partial<Record<Schema['type'], unknown>> = { string: '', boolean: false, int32: 0, int64: 0, double: 0 };

/** By name: how each is rendered. */
export type OwnTypes = ReadonlyMap<string, (renderer: SchemaRenderer) => Json>;

/** Renders types, and remembers which others they refer to. */
export class SchemaRenderer {
  readonly version: OpenApiVersion;
  readonly #wanted: string[] = [];
  readonly #seen = new Set<string>();
  readonly descriptions: Descriptions;
  /** types that the table does not have: custom resources */
  readonly #own: OwnTypes;

  constructor(
    version: OpenApiVersion,
    { own = new Map(), descriptions = noDescriptions }: { own?: OwnTypes; descriptions?: Descriptions } = {},
  ) {
    this.version = version;
    this.#own = own;
    this.descriptions = descriptions;
  }

  /** A reference to a named type, which `definitions` will hold. */
  reference(name: string): Json {
    if (!this.#seen.has(name)) {
      this.#seen.add(name);
      this.#wanted.push(name);
    }
    return { $ref: `${prefixes[this.version]}${name}` };
  }

  /** Everything that was referred to, with what that refers to, by name. */
  *definitions(groupVersions: readonly GroupVersionKindRow[] = []): Steps<Json> {
    const found: Json = {};
    for (let name = this.#wanted.pop(); name !== undefined; name = this.#wanted.pop()) {
      put(found, name, this.#define(name, groupVersions));
      if (this.#own.has(name)) yield;
    }
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #define(name: string, groupVersions: readonly GroupVersionKindRow[]): Json {
    const custom = this.#own.get(name);
    if (custom) return custom(this);
    const schema = typeSchema(name);
    if (schema.type === 'object') return this.#object(schema, groupVersions);
    if (schema.type === 'any') return schema.only === 'object' ? { type: 'object' } : {};
    if (this.version === 3 && schema.type === 'quantity') return { oneOf: [{ type: 'string' }, { type: 'number' }] };
    if (this.version === 3 && schema.type === 'intOrString') {
      return { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    }
    return schema.type === 'list' || schema.type === 'map' ? this.#value(schema) : scalarShapes[schema.type];
  }

  #object(schema: ObjectSchema, groupVersions: readonly GroupVersionKindRow[]): Json {
    const fields = [...schema.fields.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const required = [...schema.fields.values()].filter((f) => f.required).map((f) => f.name);
    const isShared = sharedTypes.has(schema.name);
    const gvks = isShared ? groupVersions.map((g) => ({ ...g, kind: sharedTypes.get(schema.name) })) : schema.gvks;
    const description = this.descriptions.ofType(schema.name);
    return {
      ...(description !== undefined && { description }),
      type: 'object',
      ...(required.length && { required }),
      ...(fields.length && { properties: Object.fromEntries(fields.map((f) => [f.name, this.#field(schema.name, f)])) }),
      ...(gvks.length && { 'x-kubernetes-group-version-kind': gvks.map(({ group, kind, version }) => ({ group, kind, version })) }),
      ...(schema.atomic && { 'x-kubernetes-map-type': 'atomic' }),
      ...(schema.preserveUnknown && { 'x-kubernetes-preserve-unknown-fields': true }),
      ...(schema.unions.length && { 'x-kubernetes-unions': schema.unions.map(renderUnion) }),
    };
  }

  #field(owner: string, field: FieldSchema): Json {
    const { schema } = field;
    const shape = this.#value(schema, field.enum);
    const preset = this.#defaultOf(field);
    const description = this.descriptions.ofField(owner, field.name);
    const extensions = {
      ...(description !== undefined && { description }),
      ...(schema.type === 'list' && schema.listMapKeys.length && { 'x-kubernetes-list-map-keys': schema.listMapKeys }),
      ...(field.listType !== undefined && { 'x-kubernetes-list-type': field.listType }),
      ...(field.mapType !== undefined && { 'x-kubernetes-map-type': field.mapType }),
      ...(field.patchMergeKey !== undefined && { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
      ...(field.patchStrategy.length && { 'x-kubernetes-patch-strategy': field.patchStrategy.join(',') }),
    };
    if (!('$ref' in shape)) return { ...shape, ...(preset !== undefined && { default: preset }), ...extensions };
    if (this.version === 2) return { ...shape, ...extensions };
    if (preset === undefined && !Object.keys(extensions).length) return shape;
    return { allOf: [shape], ...(preset !== undefined && { default: preset }), ...extensions };
  }

  #defaultOf(field: FieldSchema): unknown {
    if (this.version === 2) return undefined;
    if (field.default !== undefined) return field.default;
    const { type } = field.schema;
    if (type === 'object' && field.presence === 'always') return {};
    return field.presence === 'always' || field.publishesZero ? zeros[type] : undefined;
  }

  /** A schema in place: a reference where it has a name. `values` is what a scalar, or those of a list or map, may be. */
  #value(schema: Schema, values?: readonly string[]): Json {
    switch (schema.type) {
      case 'list':
        return { type: 'array', items: { ...this.#item(schema.items), ...(values && { enum: values }) } };
      case 'map':
        return { type: 'object', additionalProperties: { ...this.#item(schema.values), ...(values && { enum: values }) } };
      case 'object':
        return schema.name ? this.reference(schema.name) : this.#object(schema, []);
      case 'any':
        if (schema.name) return this.reference(schema.name);
        return schema.only === 'object' ? { type: 'object' } : { 'x-kubernetes-preserve-unknown-fields': true };
      default: {
        const name = named[schema.type];
        if (name) return this.reference(name);
        return { ...scalarShapes[schema.type], ...(values && { enum: values }) };
      }
    }
  }

  #item(schema: Schema): Json {
    const shape = this.#value(schema);
    if (this.version === 2) return shape;
    if ('$ref' in shape) return schema.type === 'object' ? { allOf: [shape], default: {} } : shape;
    const zero = zeros[schema.type];
    return zero === undefined ? shape : { ...shape, default: zero };
  }
}

/** Types that every group version has as a kind of its own. */
const sharedTypes: ReadonlyMap<string, string> = new Map([
  ['io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions', 'DeleteOptions'],
  ['io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent', 'WatchEvent'],
]);

function renderUnion(union: { readonly discriminator?: string; readonly fields: Readonly<Record<string, string>> }): Json {
  return {
    ...(union.discriminator !== undefined && { discriminator: union.discriminator }),
    'fields-to-discriminateBy': union.fields,
  };
}
