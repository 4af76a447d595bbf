/**
 * Kubernetes' protobuf, read by the type table: the envelope (`k8s\0` and runtime.Unknown) and the messages in it become
 * the same JSON values that a JSON body would give. Go writes zero values of fields that are no pointers; those are
 * dropped here, as Go's JSON drops them. Bytes that are no valid message throw ProtobufError.
 * Upstream: apimachinery/pkg/runtime/serializer/protobuf, the generated.proto files.
 */
import protobuf from 'protobufjs/minimal.js';
import { formatGoDuration } from '../meta/duration.ts';
import { messageOf } from '../meta/status-error.ts';
import { type Steps, takeSteps } from '../meta/steps.ts';
import { formatTime } from '../meta/time.ts';
import { own, put } from '../meta/words.ts';
import { hasMoreValues, parseJSON } from './json-scan.ts';
import { type Layout, layoutOf, magic } from './protobuf-layout.ts';
import { lengthDelimited, varint } from './protobuf-writer.ts';
import { type FieldSchema, type ObjectSchema, objectSchema, type Schema, typeNameOf, typeSchema } from './types.ts';

/** `left`: how many more fields and items may be read, of the whole message. */
type Reader = protobuf.Reader & {
  left: number;
  /** with how many left it rests */
  restAt: number;
  /** what is left of messages in which it rested; absent: it never rests */
  putOff: PutOff[] | undefined;
};
type Read = (reader: Reader) => unknown;
type Value = Record<string, unknown>;

const depthMax = 100;

/** Fields and items read without a rest: some milliseconds. */
const readAtOnce = 5000;

const readerOfBytes = (bytes: Uint8Array, left: number, putOff?: PutOff[]): Reader =>
  Object.assign(protobuf.Reader.create(bytes), { left, restAt: left - readAtOnce, putOff });

function count(reader: Reader): void {
  if (--reader.left < 0) throw new ProtobufTooLargeError('the message has too many values');
}

export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** More values than asked for. */
export class ProtobufTooLargeError extends Error {
  override readonly name = 'ProtobufTooLargeError';
}

/** As `decodeProtobufInSteps`, at once. */
export const decodeProtobuf = (bytes: Uint8Array, fallbackType: string, valuesMax: number = Number.MAX_SAFE_INTEGER): Value =>
  takeSteps(decodeProtobufInSteps(bytes, fallbackType, valuesMax));

/** The value of an enveloped message, of at most so many fields and items. `fallbackType` is its type where the envelope names a kind that has none of its own. */
export function* decodeProtobufInSteps(bytes: Uint8Array, fallbackType: string, valuesMax: number): Steps<Value> {
  if (bytes.length < magic.length || !magic.equals(bytes.subarray(0, magic.length))) {
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  try {
    return yield* decodeUnknown(readerOfBytes(bytes.subarray(magic.length), valuesMax), fallbackType);
  } catch (error) {
    if (error instanceof ProtobufError || error instanceof ProtobufTooLargeError) throw error;
    throw new ProtobufError(`proto: ${messageOf(error)}`, { cause: error });
  }
}

function* decodeUnknown(reader: Reader, fallbackType: string): Steps<Value> {
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = Buffer.alloc(0);
  eachField(reader, reader.len, (number) => {
    if (number === 1) {
      eachField(reader, reader.uint32() + reader.pos, (inner) => {
        if (inner === 1) apiVersion = reader.string();
        else if (inner === 2) kind = reader.string();
        else return false;
        return true;
      });
    } else if (number === 2) raw = reader.bytes();
    else return false;
    return true;
  });
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const name = typeNameOf({ group, version, kind }) ?? fallbackType;
  const value: Value = { ...(apiVersion && { apiVersion }), ...(kind && { kind }) };
  const putOff: PutOff[] = [];
  const body = readerOfBytes(raw, reader.left, putOff);
  readFields(layoutOf(objectSchema(name)), value, { reader: body, end: body.len, depth: 0 });
  for (let rest = putOff.shift(); rest; rest = putOff.shift()) {
    yield;
    body.restAt = body.left - readAtOnce;
    body.pos = rest.start;
    readFields(rest.layout, rest.value, { reader: body, end: rest.end, depth: rest.depth });
  }
  return value;
}

/** `visit` reads one field, or says false to have it skipped. */
function eachField(reader: Reader, end: number, visit: (number: number, wireType: number) => boolean): void {
  while (reader.pos < end) readTag(reader, visit);
}

function readTag(reader: Reader, visit: (number: number, wireType: number) => boolean): void {
  const tag = reader.uint32();
  count(reader);
  if (!visit(tag >>> 3, tag & 7)) reader.skipType(tag & 7);
}

function readMessage(schema: ObjectSchema, reader: Reader, end: number, depth: number): Value {
  if (depth > depthMax) throw new ProtobufError('the message is nested too deeply');
  const value: Value = {};
  readFields(layoutOf(schema), value, { reader, end, depth });
  return value;
}

interface Position {
  readonly reader: Reader;
  readonly end: number;
  readonly depth: number;
}

/** The rest of a message, whose fields go to the value. Both are where they belong already. */
interface PutOff {
  readonly layout: Layout;
  readonly value: Value;
  readonly start: number;
  readonly end: number;
  readonly depth: number;
}

function readFields(layout: Layout, value: Value, { reader, end, depth }: Position): void {
  const visit = (number: number, wireType: number): boolean => {
    const node = layout.get(number);
    if (!node) return false;
    if ('embedded' in node) {
      readFields(node.embedded, value, { reader, end: reader.uint32() + reader.pos, depth });
      return true;
    }
    readField(node.field, value, wireType, { reader, end, depth });
    return true;
  };
  while (reader.pos < end) {
    if (reader.putOff && reader.left < reader.restAt && end <= reader.len) {
      reader.putOff.push({ layout, value, start: reader.pos, end, depth });
      reader.pos = end;
      return;
    }
    readTag(reader, visit);
  }
}

function readField({ name, schema, presence }: FieldSchema, value: Value, wireType: number, { reader, depth }: Position): void {
  if (schema.type === 'list') {
    const list = (own(value, name) ?? []) as unknown[];
    put(value, name, list);
    const read = readerOf(schema.items, depth + 1);
    if (wireType === lengthDelimited && isVarint(schema.items)) {
      const end = reader.uint32() + reader.pos;
      while (reader.pos < end) {
        count(reader);
        list.push(read(reader));
      }
    } else list.push(read(reader));
    return;
  }
  if (schema.type === 'map') {
    const map = (own(value, name) ?? {}) as Value;
    put(value, name, map);
    const [key, item] = readEntry(schema.values, reader, depth + 1);
    put(map, key, item);
    return;
  }
  const read = readerOf(schema, depth + 1)(reader);
  if (read === undefined || (presence !== 'kept' && isZero(read))) return;
  put(value, name, read);
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false;
const isVarint = (schema: Schema): boolean => schema.type === 'int32' || schema.type === 'int64' || schema.type === 'boolean';

function readEntry(values: Schema, reader: Reader, depth: number): [string, unknown] {
  let key = '';
  let value: unknown;
  eachField(reader, reader.uint32() + reader.pos, (number) => {
    if (number === 1) key = reader.string();
    else if (number === 2) value = readerOf(values, depth)(reader);
    else return false;
    return true;
  });
  return [key, value ?? emptyOf(values)];
}

function emptyOf(schema: Schema): unknown {
  if (schema.type === 'list') return [];
  return schema.type === 'object' || schema.type === 'map' ? {} : '';
}

function readerOf(schema: Schema, depth: number): Read {
  switch (schema.type) {
    case 'string':
      return (reader) => reader.string();
    case 'boolean':
      return (reader) => reader.bool();
    case 'int32':
      return (reader) => reader.int32();
    case 'int64':
      return (reader) => Number(reader.int64());
    case 'double':
      return (reader) => reader.double();
    case 'bytes':
      return (reader) => Buffer.from(reader.bytes()).toString('base64');
    case 'quantity':
      return (reader) => readFirst(reader, (inner) => inner.string()) ?? '0';
    case 'time':
      return (reader) => readTime(reader)?.replace(/\.\d+Z$/, 'Z');
    case 'microTime':
      return readTime;
    case 'duration':
      return (reader) => formatGoDuration(Number(readFirst(reader, (inner) => inner.int64()) ?? 0) / 1e6);
    case 'intOrString':
      return readIntOrString;
    case 'any':
      return (reader) => readAny(schema.name, reader, depth);
    case 'object':
      return (reader) => readMessage(schema, reader, reader.uint32() + reader.pos, depth);
    case 'list': // a list as a map's value is a message of its own
      return (reader) => {
        const items: unknown[] = [];
        const read = readerOf(schema.items, depth);
        eachField(reader, reader.uint32() + reader.pos, (number) => {
          if (number !== 1) return false;
          items.push(read(reader));
          return true;
        });
        return items;
      };
    case 'map':
      throw new ProtobufError('a map has no message of its own');
    default:
      return schema satisfies never;
  }
}

/** Field 1 of a message that wraps one value. */
function readFirst<T>(reader: Reader, read: (reader: Reader) => T): T | undefined {
  let value: T | undefined;
  eachField(reader, reader.uint32() + reader.pos, (number) => {
    if (number !== 1) return false;
    value = read(reader);
    return true;
  });
  return value;
}

/** To the microsecond. Undefined for Go's zero time, which has no fields. */
function readTime(reader: Reader): string | undefined {
  let seconds: number | undefined;
  let nanos = 0;
  eachField(reader, reader.uint32() + reader.pos, (number) => {
    if (number === 1) seconds = Number(reader.int64());
    else if (number === 2) nanos = reader.int32();
    else return false;
    return true;
  });
  if (seconds === undefined) return undefined;
  const micros = String(Math.floor(nanos / 1000)).padStart(6, '0');
  return formatTime(seconds * 1000).replace('Z', `.${micros}Z`);
}

function readIntOrString(reader: Reader): string | number {
  let isString = false;
  let number = 0;
  let text = '';
  eachField(reader, reader.uint32() + reader.pos, (field, wireType) => {
    if (field === 1 && wireType === varint) isString = Number(reader.int64()) === 1;
    else if (field === 2) number = reader.int32();
    else if (field === 3) text = reader.string();
    else return false;
    return true;
  });
  return isString ? text : number;
}

const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';
const schemaProps = `${apiextensions}.JSONSchemaProps`;

/** JSON inside protobuf: raw bytes, or one of the unions of a CRD's schema. */
function readAny(name: string | undefined, reader: Reader, depth: number): unknown {
  if (!name?.startsWith(`${apiextensions}.JSONSchemaPropsOr`)) {
    const raw = readFirst(reader, (inner) => inner.bytes());
    if (!raw?.length) return undefined;
    const text = Buffer.from(raw).toString();
    if (hasMoreValues(text, reader.left)) throw new ProtobufTooLargeError('JSON with too many values');
    return parseJSON(text);
  }
  const schema = readerOf(typeSchema(schemaProps), depth);
  let value: unknown;
  let list: unknown[] | undefined;
  const append = (item: unknown): void => {
    if (value !== list || !list) list = [];
    list.push(item);
    value = list;
  };
  eachField(reader, reader.uint32() + reader.pos, (number) => {
    if (name.endsWith('OrBool')) {
      if (number === 1) value = value ?? reader.bool();
      else if (number === 2) value = schema(reader);
      else return false;
      return true;
    }
    if (number === 1) value = schema(reader);
    else if (number === 2) append(name.endsWith('OrStringArray') ? reader.string() : schema(reader));
    else return false;
    return true;
  });
  return value;
}
