/**
 * Kubernetes' protobuf, written by the type table: objects as answers, lists and watch events carry them. What is absent
 * in JSON is absent here, where Go writes zero values of all fields that are no pointers: its readers see no difference.
 * Upstream: apimachinery/pkg/runtime/serializer/protobuf, the generated.proto files.
 */

import type { ListMeta } from '../generated/meta-v1.ts';
import { parseNanoseconds } from '../meta/duration.ts';
import { groupOf, versionOf } from '../meta/object.ts';
import { Pace, type Steps } from '../meta/steps.ts';
import { own } from '../meta/words.ts';
import { type Layout, layoutOf, magic, type Node } from './protobuf-layout.ts';
import { fixed64, lengthDelimited, ProtobufWriter, varint } from './protobuf-writer.ts';
import { type ObjectSchema, objectSchema, type Schema, typeNameOf, typeSchema } from './types.ts';

type Writer = ProtobufWriter;
/** Writes one field that is there. */
type Write = (writer: Writer, value: unknown, field: number) => void;
/** Writes those fields of a value that are there, from the last to the first. */
type WriteFields = (writer: Writer, value: object) => void;

export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

const itemsField = 2;
const metaGroup = 'meta.k8s.io/v1';
/** PartialObjectMetadata is in no table; all kinds have their metadata in the same place, so that any will do. */
const anyObject = 'io.k8s.api.core.v1.ConfigMap';
/** The one list (in discovery) that is a message of its own, so that an empty one is not none. */
const nullableList = 'v1.Verbs';

/** The message of an object, without the envelope. Throws for a kind that the type table doesn't have. */
export function encodeMessage(object: TypeMeta): Buffer {
  const writer = new ProtobufWriter();
  fieldsOf(schemaOf(object))(writer, object);
  return writer.finish();
}

/** The same with rests, for what is large. */
export function* encodeMessageInSteps(object: TypeMeta): Steps<Buffer> {
  const writer = ProtobufWriter.alone();
  yield* writeFieldsInSteps(writer, object, { layout: layoutOf(schemaOf(object)), pace: new Pace(writtenAtOnce) });
  return writer.finish();
}

function schemaOf(object: TypeMeta): ObjectSchema {
  const { apiVersion, kind } = object;
  const gvk = { group: groupOf(apiVersion), version: versionOf(apiVersion), kind };
  const name = apiVersion === metaGroup ? anyObject : typeNameOf(gvk);
  if (!name) throw new Error(`no type for ${apiVersion} ${kind}`);
  return objectSchema(name);
}

/** A message as it travels alone. */
export function encodeEnveloped(type: TypeMeta, message: Uint8Array): Buffer {
  const writer = new ProtobufWriter();
  writer.bytes(message);
  writeEnvelope(writer, type, message.length);
  return writer.finish();
}

/** Of the length before an event. */
export const eventLengthBytes = 4;

/** A frame of a watch: its length and a WatchEvent. */
export function encodeEvent(event: string, type: TypeMeta, message: Uint8Array): Buffer {
  const writer = new ProtobufWriter();
  writer.bytes(message);
  writeEnvelope(writer, type, message.length);
  writer.head(1, 0);
  writer.head(2, 0);
  writeText(writer, event, 1);
  const length = Buffer.allocUnsafe(eventLengthBytes);
  length.writeUInt32BE(writer.size);
  writer.bytes(length);
  return writer.finish();
}

/** What a list begins with; its items follow, each after its `itemHead`, `itemsSize` bytes with the heads. */
export function encodeListHead(type: TypeMeta, metadata: ListMeta, itemsSize: number): Buffer {
  const writer = new ProtobufWriter();
  fieldsOf(objectSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta'))(writer, metadata);
  writer.head(1, 0);
  writeEnvelope(writer, type, writer.size + itemsSize);
  return writer.finish();
}

export function encodeItemHead(size: number): Buffer {
  const writer = new ProtobufWriter();
  writer.varint(size);
  writer.tag(itemsField, lengthDelimited);
  return writer.finish();
}

function writeEnvelope(writer: Writer, { apiVersion, kind }: TypeMeta, size: number): void {
  writer.varint(size);
  writer.tag(2, lengthDelimited);
  const start = writer.size;
  writeText(writer, kind, 2);
  writeText(writer, apiVersion, 1);
  writer.head(1, start);
  writer.bytes(magic);
}

/** Fields and items written without a rest: a few milliseconds. */
const writtenAtOnce = 5000;

interface Place<T> {
  readonly schema: T;
  readonly field: number;
  readonly pace: Pace;
}

/** Walks the types itself where a value may hold many others, and leaves the rest to the writers below, which can't rest. */
function* writeFieldsInSteps(
  writer: Writer,
  value: object,
  { layout, pace }: { readonly layout: Layout; readonly pace: Pace },
): Steps<void> {
  for (const [number, node] of fromLast(layout)) {
    if ('embedded' in node) {
      const start = writer.size;
      yield* writeFieldsInSteps(writer, value, { layout: node.embedded, pace });
      writer.head(number, start);
      continue;
    }
    const { name, schema, goType } = node.field;
    const item = own(value as Readonly<Record<string, unknown>>, name);
    if (item === undefined || item === null) continue;
    if (goType === nullableList) wrap(writerOf(schema))(writer, item, number);
    else yield* writeInSteps(writer, item, { schema, field: number, pace });
  }
}

function* writeInSteps(writer: Writer, value: unknown, { schema, field, pace }: Place<Schema>): Steps<void> {
  if (pace.isDue()) yield;
  if (schema.type === 'list') yield* writeItemsInSteps(writer, value as readonly unknown[], { schema: schema.items, field, pace });
  else if (schema.type === 'map') yield* writeEntriesInSteps(writer, value as object, { schema: schema.values, field, pace });
  else if (schema.type === 'object') {
    const start = writer.size;
    yield* writeFieldsInSteps(writer, value as object, { layout: layoutOf(schema), pace });
    writer.head(field, start);
  } else writerOf(schema)(writer, value, field);
}

function* writeItemsInSteps(writer: Writer, list: readonly unknown[], { schema, field, pace }: Place<Schema>): Steps<void> {
  const write = schema.type === 'object' ? undefined : writerOf(schema);
  for (let i = list.length - 1; i >= 0; i--) {
    if (!write) yield* writeInSteps(writer, list[i], { schema, field, pace });
    else {
      if (pace.isDue()) yield;
      write(writer, list[i], field);
    }
  }
}

function* writeEntriesInSteps(writer: Writer, map: object, { schema, field, pace }: Place<Schema>): Steps<void> {
  const write = schema.type === 'object' ? undefined : writerOfMapValue(schema);
  const keys = keysFromLast(map);
  if (keys.length > writtenAtOnce) yield;
  for (const key of keys) {
    const item = own(map as Readonly<Record<string, unknown>>, key);
    const start = writer.size;
    if (!write) yield* writeInSteps(writer, item, { schema, field: 2, pace });
    else {
      if (pace.isDue()) yield;
      write(writer, item, 2);
    }
    writeText(writer, key, 1);
    writer.head(field, start);
  }
}

const sorted = new WeakMap<Layout, readonly (readonly [number, Node])[]>();

function fromLast(layout: Layout): readonly (readonly [number, Node])[] {
  let fields = sorted.get(layout);
  if (!fields) {
    fields = [...layout].sort(([a], [b]) => b - a);
    sorted.set(layout, fields);
  }
  return fields;
}

const made = new WeakMap<ObjectSchema, WriteFields>();

function fieldsOf(schema: ObjectSchema): WriteFields {
  let write = made.get(schema);
  if (!write) {
    // Types may hold themselves: what writes the fields is made when first used.
    let inner: WriteFields | undefined;
    write = (writer, value) => {
      inner ??= compile(layoutOf(schema));
      inner(writer, value);
    };
    made.set(schema, write);
  }
  return write;
}

function compile(layout: Layout): WriteFields {
  const steps = fromLast(layout).map(([number, node]): WriteFields => {
    if ('embedded' in node) {
      const inner = compile(node.embedded);
      return (writer, value) => {
        const start = writer.size;
        inner(writer, value);
        writer.head(number, start);
      };
    }
    const { name, schema, goType } = node.field;
    const write = goType === nullableList ? wrap(writerOf(schema)) : writerOf(schema);
    return (writer, value) => {
      const item = own(value as Readonly<Record<string, unknown>>, name);
      if (item !== undefined && item !== null) write(writer, item, number);
    };
  });
  return (writer, value) => {
    for (const step of steps) step(writer, value);
  };
}

/** A message as a field. */
const nested =
  (write: (writer: Writer, value: unknown) => void): Write =>
  (writer, value, field) => {
    const start = writer.size;
    write(writer, value);
    writer.head(field, start);
  };

const writeText: Write = (writer, value, field) => {
  const start = writer.size;
  writer.text(value as string);
  writer.head(field, start);
};
const writeVarint: Write = (writer, value, field) => {
  writer.varint(Number(value));
  writer.tag(field, varint);
};
const writeBytes: Write = (writer, value, field) => {
  const start = writer.size;
  writer.bytes(value as Uint8Array);
  writer.head(field, start);
};

function writerOf(schema: Schema): Write {
  switch (schema.type) {
    case 'string':
      return writeText;
    case 'boolean':
    case 'int32':
    case 'int64':
      return writeVarint;
    case 'double':
      return (writer, value, field) => {
        writer.double(value as number);
        writer.tag(field, fixed64);
      };
    case 'bytes':
      return (writer, value, field) => writeBytes(writer, Buffer.from(value as string, 'base64'), field);
    case 'quantity':
      return nested((writer, value) => writeText(writer, String(value), 1));
    case 'time':
    case 'microTime':
      return nested(writeTime);
    case 'duration':
      return nested((writer, value) => writeVarint(writer, Number(parseNanoseconds(value as string) ?? 0), 1));
    case 'intOrString':
      return nested(writeIntOrString);
    case 'any':
      return writerOfAny(schema.name);
    case 'object':
      return nested(fieldsOf(schema) as (writer: Writer, value: unknown) => void);
    case 'list':
      return writerOfList(schema.items);
    case 'map':
      return writerOfMap(schema.values);
    default:
      return schema satisfies never;
  }
}

function writerOfList(items: Schema): Write {
  const write = writerOf(items);
  return (writer, value, field) => {
    const list = value as readonly unknown[];
    for (let i = list.length - 1; i >= 0; i--) write(writer, list[i], field);
  };
}

const keysFromLast = (map: object): readonly string[] => Object.keys(map).sort().reverse();

/** A list as a map's value is a message of its own. */
const writerOfMapValue = (values: Schema): Write => (values.type === 'list' ? wrap(writerOf(values)) : writerOf(values));

function writerOfMap(values: Schema): Write {
  const write = writerOfMapValue(values);
  return (writer, value, field) => {
    const map = value as Readonly<Record<string, unknown>>;
    for (const key of keysFromLast(map)) {
      const item = own(map, key);
      const start = writer.size;
      write(writer, item, 2);
      writeText(writer, key, 1);
      writer.head(field, start);
    }
  };
}

/** A message whose field 1 is the value. */
const wrap = (write: Write): Write => nested((writer, value) => write(writer, value, 1));

/** Of `2026-01-02T03:04:05Z`; a MicroTime has six more digits after a point. */
const secondsLength = 20;

function writeTime(writer: Writer, value: unknown): void {
  const text = value as string;
  const micros = text.length > secondsLength ? Number(text.slice(secondsLength, -1)) : 0;
  if (micros) writeVarint(writer, micros * 1000, 2);
  writeVarint(writer, Math.floor(Date.parse(text) / 1000), 1);
}

function writeIntOrString(writer: Writer, value: unknown): void {
  const isString = typeof value === 'string';
  if (isString) writeText(writer, value, 3);
  else writeVarint(writer, value, 2);
  writeVarint(writer, isString, 1);
}

const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** JSON inside protobuf: raw bytes, or one of the unions of a CRD's schema. */
function writerOfAny(name: string | undefined): Write {
  if (!name?.startsWith(`${apiextensions}.JSONSchemaPropsOr`))
    return wrap((writer, value, field) => writeText(writer, JSON.stringify(value), field));
  const schema = writerOf(typeSchema(`${apiextensions}.JSONSchemaProps`));
  const list: Write = (writer, value, field) => {
    for (const item of (value as readonly unknown[]).toReversed()) (typeof item === 'string' ? writeText : schema)(writer, item, field);
  };
  return nested((writer, value) => {
    const isSchema = typeof value === 'object' && !Array.isArray(value);
    if (name.endsWith('OrBool')) {
      if (isSchema) schema(writer, value, 2);
      writeVarint(writer, isSchema || value, 1);
    } else if (isSchema) schema(writer, value, 1);
    else list(writer, value, 2);
  });
}
