/**
 * The structural form of every type that the server knows: what its fields are, how lists merge, what is filled in. The
 * built-in types come from the type table; a CustomResourceDefinition's schema becomes the same form. Walkers (decode,
 * default, validate, merge, OpenAPI) read nothing else.
 *
 * Types are made when first asked for, and so are their fields: loading this module only parses the table.
 */

import table from '../data/types.json' with { type: 'json' };
import wireTable from '../data/wire.json' with { type: 'json' };
import type { FieldError } from '../meta/status-error.ts';
import type { Steps } from '../meta/steps.ts';
import { own } from '../meta/words.ts';

export type ScalarType =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  /** base64 text */
  | 'bytes'
  /** RFC 3339, whole seconds */
  | 'time'
  /** RFC 3339, microseconds */
  | 'microTime'
  /** as Go writes one: `1m30s` */
  | 'duration'
  | 'quantity'
  | 'intOrString';

export interface ScalarSchema {
  readonly type: ScalarType;
}

/** Any JSON; `object` only takes objects. */
export interface AnySchema {
  readonly type: 'any';
  readonly only?: 'object';
  /** the type table's name, for OpenAPI */
  readonly name?: string;
}

export interface ListSchema {
  readonly type: 'list';
  readonly items: Schema;
  readonly listType: 'atomic' | 'set' | 'map';
  /** the fields that tell items of a `map` list apart */
  readonly listMapKeys: readonly string[];
}

export interface MapSchema {
  readonly type: 'map';
  readonly values: Schema;
  readonly atomic: boolean;
}

export interface ObjectSchema {
  readonly type: 'object';
  /** the type table's name, or '' */
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldSchema>;
  /** fields that are not in `fields` are kept (x-kubernetes-preserve-unknown-fields) */
  readonly preserveUnknown: boolean;
  /** replaced as a whole by server-side apply */
  readonly atomic: boolean;
  readonly gvks: readonly GroupVersionKind[];
  readonly unions: readonly Union[];
  /** of a custom resource: in place of the walkers that know Go's types */
  readonly custom?: CustomWalkers;
}

/**
 * What upstream does with a custom resource, which no Go struct has decoded: nothing has a wrong type before it is
 * validated, null is a value of its own, and what is unknown may stay (structural/custom-schema.ts).
 */
export interface CustomWalkers {
  /** unknown fields and nulls dropped, metadata decoded; throws DecodeError */
  prune(object: Readonly<Record<string, unknown>>): { readonly value: Record<string, unknown>; readonly unknown: readonly string[] };
  /** the same of an object whose own metadata have been decoded, as of all that is stored */
  keep<T extends object>(object: T): T;
  /** the object with its defaults */
  fill<T extends object>(object: T): T;
  /** all that is wrong with it, metadata apart; `part`: only that was written */
  validate(
    object: object,
    change: { readonly old?: object | undefined; readonly part?: 'status' | undefined },
  ): Steps<readonly FieldError[]>;
}

export type Schema = ScalarSchema | AnySchema | ListSchema | MapSchema | ObjectSchema;

export interface FieldSchema {
  readonly name: string;
  readonly schema: Schema;
  /** always written by upstream; whether a missing one is an error is said in type-rules.ts */
  readonly required: boolean;
  /** what an absent field becomes; any JSON */
  readonly default?: unknown;
  /** OpenAPI says that its default is the zero of its type */
  readonly publishesZero?: boolean;
  /** the values that OpenAPI lists */
  readonly enum?: readonly string[];
  /** what OpenAPI says of a list; `ListSchema.listType` is what it means */
  readonly listType?: ListSchema['listType'];
  readonly mapType?: 'atomic' | 'granular';
  /** strategic merge: `merge`, `replace`, `retainKeys`, or two of them joined by a comma */
  readonly patchStrategy: readonly PatchStrategy[];
  readonly patchMergeKey?: string;
  /** protobuf field number */
  readonly proto?: number;
  readonly presence: Presence;
  /** of a list or map that is always there: an empty one is null */
  readonly nullable?: boolean;
  /** of a time: upstream writes an absent one as null, so that whoever writes the object owns it */
  readonly ownedWhenAbsent?: boolean;
  /** the Go type, as type errors name it */
  readonly goType: string;
  /** the Go struct that is embedded here, as type errors name it */
  readonly inlined?: string;
}

/**
 * What upstream writes for a zero value (false, 0, "", an empty list or map): `kept` as it was given (pointers, custom
 * resources), dropped from the wire, or `always` there, absent ones included.
 */
export type Presence = 'kept' | 'dropped' | 'always';

export type PatchStrategy = 'merge' | 'replace' | 'retainKeys';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface Union {
  readonly discriminator?: string;
  /** field to the discriminator's value */
  readonly fields: Readonly<Record<string, string>>;
}

interface FieldRow {
  readonly type: string;
  readonly required?: boolean;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
  readonly proto?: number;
}
interface TypeRow {
  readonly type?: string;
  readonly fields?: Readonly<Record<string, FieldRow>>;
  readonly mapType?: 'atomic' | 'granular';
  readonly gvk?: readonly GroupVersionKind[] | string;
  readonly unions?: readonly { readonly discriminator?: string; readonly 'fields-to-discriminateBy': Readonly<Record<string, string>> }[];
}

/** How upstream's Go types differ from what the type table alone says. */
interface WireRow {
  /** optional scalars that are pointers */
  readonly pointers?: readonly string[];
  readonly always?: readonly string[];
  /** lists and maps that are always written, and may be empty: null then */
  readonly nullable?: readonly string[];
  /** required, but dropped when zero */
  readonly omitted?: readonly string[];
  /** not required, and published with the zero of its type as its default */
  readonly zeros?: readonly string[];
  readonly goTypes?: Readonly<Record<string, string>>;
  readonly inlined?: Readonly<Record<string, string>>;
}

const wire = wireTable as unknown as Readonly<Record<string, WireRow>>;
const rows = table as unknown as Readonly<Record<string, TypeRow>>;
const made = new Map<string, Schema>();

const scalars: Readonly<Record<string, ScalarSchema | AnySchema>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  'integer:int32': { type: 'int32' },
  'integer:int64': { type: 'int64' },
  'number:double': { type: 'double' },
  'string:byte': { type: 'bytes' },
  any: { type: 'any' },
  object: { type: 'any', only: 'object' },
};

/** Types of the table that are no objects with fields, by their name. */
const special: Readonly<Record<string, ScalarSchema>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'quantity' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': { type: 'time' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': { type: 'microTime' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Duration': { type: 'duration' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: 'intOrString' },
};

class TableObject implements ObjectSchema {
  readonly type = 'object' as const;
  readonly name: string;
  readonly preserveUnknown = false;
  readonly atomic: boolean;
  readonly #row: TypeRow;
  #fields: ReadonlyMap<string, FieldSchema> | undefined;
  constructor(name: string, row: TypeRow, atomic = row.mapType === 'atomic') {
    this.name = name;
    this.#row = row;
    this.atomic = atomic;
  }
  get fields(): ReadonlyMap<string, FieldSchema> {
    this.#fields ??= new Map(
      Object.entries(this.#row.fields ?? {}).map(([name, row]) => [name, makeField(name, row, own(wire, this.name) ?? {})]),
    );
    return this.#fields;
  }
  get gvks(): readonly GroupVersionKind[] {
    return Array.isArray(this.#row.gvk) ? (this.#row.gvk as readonly GroupVersionKind[]) : [];
  }
  get unions(): readonly Union[] {
    return (this.#row.unions ?? []).map((u) => ({
      ...(u.discriminator !== undefined && { discriminator: u.discriminator }),
      fields: u['fields-to-discriminateBy'],
    }));
  }
  /** The same type where a field says otherwise whether it is atomic. */
  withAtomic(atomic: boolean): ObjectSchema {
    return atomic === this.atomic ? this : new TableObject(this.name, this.#row, atomic);
  }
}

function makeField(name: string, row: FieldRow, go: WireRow): FieldSchema {
  const schema = resolve(row.type, row);
  const inlined = own(go.inlined, name);
  return {
    name,
    schema,
    required: row.required ?? false,
    presence: presenceOf(name, schema, row.required ?? false, go),
    goType: own(go.goTypes, name) ?? goTypeOf(row.type),
    ...(inlined !== undefined && { inlined }),
    ...(go.nullable?.includes(name) && { nullable: true }),
    ...(isTime(schema) && (row.required || go.always?.includes(name)) && { ownedWhenAbsent: true }),
    patchStrategy: (row.patchStrategy?.split(',') ?? []) as readonly PatchStrategy[],
    ...(row.default !== undefined && { default: row.default }),
    ...(go.zeros?.includes(name) && { publishesZero: true }),
    ...(row.enum && { enum: row.enum }),
    ...(row.listType && { listType: row.listType }),
    ...(row.mapType && { mapType: row.mapType }),
    ...(row.patchMergeKey !== undefined && { patchMergeKey: row.patchMergeKey }),
    ...(row.proto !== undefined && { proto: row.proto }),
  };
}

const isTime = ({ type }: Schema): boolean => type === 'time' || type === 'microTime';

function presenceOf(name: string, schema: Schema, required: boolean, go: WireRow): Presence {
  if (schema.type === 'any' || isTime(schema) || go.pointers?.includes(name)) return 'kept';
  if (go.omitted?.includes(name)) return 'dropped';
  if (required) return 'always';
  const always = go.always?.includes(name) ?? false;
  if (schema.type === 'intOrString') return 'kept';
  if (schema.type === 'object' || schema.type === 'quantity') return always ? 'always' : 'kept';
  return always ? 'always' : 'dropped';
}

const goScalars: Readonly<Record<string, string>> = {
  boolean: 'bool',
  'integer:int32': 'int32',
  'integer:int64': 'int64',
  'number:double': 'float64',
  'string:byte': '[]uint8',
};

/** `[]v1.Container`, `map[string]string`: the Go type of a type expression. */
function goTypeOf(expression: string): string {
  if (expression.startsWith('[]')) return `[]${goTypeOf(expression.slice(2))}`;
  const values = /^map<string,(.*)>$/.exec(expression)?.[1];
  if (values) return `map[string]${goTypeOf(values)}`;
  return own(goScalars, expression) ?? expression.split('.').slice(-2).join('.');
}

function resolve(expression: string, row: FieldRow): Schema {
  if (expression.startsWith('[]')) {
    return {
      type: 'list',
      items: resolve(expression.slice(2), { type: '' }),
      listType: row.listType ?? 'atomic',
      listMapKeys: row.listMapKeys ?? [],
    };
  }
  const values = /^map<string,(.*)>$/.exec(expression)?.[1];
  if (values) return { type: 'map', values: resolve(values, { type: '' }), atomic: row.mapType === 'atomic' };
  const named = own(scalars, expression) ?? typeSchema(expression);
  return row.mapType && named instanceof TableObject ? named.withAtomic(row.mapType === 'atomic') : named;
}

/** The type with this name in the table (`io.k8s.api.core.v1.Pod`). Throws for an unknown one. */
export function typeSchema(name: string): Schema {
  const known = made.get(name);
  if (known) return known;
  const row = own(rows, name);
  if (!row) throw new Error(`no type ${name}`);
  const schema: Schema = own(special, name) ?? (row.fields ? new TableObject(name, row) : makeAny(name, row));
  made.set(name, schema);
  return schema;
}

/** Types without fields: `{}` types are objects that stay empty, the others hold any JSON. */
function makeAny(name: string, row: TypeRow): Schema {
  const isEmptyObject = row.type === 'object' && !freeForm.has(name);
  if (isEmptyObject) return new TableObject(name, { ...row, fields: {} });
  return { type: 'any', name, ...(row.type === 'object' && { only: 'object' as const }) };
}
const freeForm = new Set([
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch',
  'io.k8s.apimachinery.pkg.runtime.RawExtension',
  'io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec',
]);

/** As `typeSchema`, for a type that has fields. */
export function objectSchema(name: string): ObjectSchema {
  const schema = typeSchema(name);
  if (schema.type !== 'object') throw new Error(`${name} has no fields`);
  return schema;
}

/** All names in the table. */
export function typeNames(): readonly string[] {
  return Object.keys(rows);
}

let byGvk: ReadonlyMap<string, string> | undefined;

/** The name of the type of a group, version and kind; undefined for one that the table doesn't have. */
export function typeNameOf(gvk: GroupVersionKind): string | undefined {
  byGvk ??= new Map(
    Object.entries(rows).flatMap(([name, row]) =>
      Array.isArray(row.gvk)
        ? (row.gvk as readonly GroupVersionKind[]).map((g) => [`${g.group}/${g.version}/${g.kind}`, name] as const)
        : [],
    ),
  );
  return byGvk.get(`${gvk.group}/${gvk.version}/${gvk.kind}`);
}
