/**
 * The values of a custom resource as expressions see them: views of the object as it is, by its schema.
 * Upstream: apiserver/pkg/cel/common/valuesunstructured.go.
 */
import { readTimestamp } from '../../../cel/time.ts';
import { CelError, Duration, Foreign, JsonMap, List, type ListRule, type MapShape, type Reader, type Value } from '../../../cel/values.ts';
import { equalSemantically } from '../../../meta/deep-equal.ts';
import { own } from '../../../meta/words.ts';
import { durationOf } from '../formats.ts';
import type { Structural } from '../structural.ts';
import { withMeta } from './declared-type.ts';
import { escapeName, unescapeName } from './names.ts';

type Json = Readonly<Record<string, unknown>>;

const readers = new WeakMap<Structural, Reader>();

export function readerOf(node: Structural): Reader {
  let reader = readers.get(node);
  if (!reader) {
    const read = makeReader(node);
    const none = node.said.nullable ? null : new CelError('invalid data, got null for schema with nullable=false');
    reader = (raw) => (raw === null || raw === undefined ? none : read(raw));
    readers.set(node, reader);
  }
  return reader;
}

const goTypes: Readonly<Record<string, string>> = { boolean: 'bool', string: 'string', object: 'map[string]interface {}' };
function unfit(wanted: string, raw: unknown): CelError {
  const given = Array.isArray(raw)
    ? '[]interface {}'
    : typeof raw === 'number'
      ? Number.isInteger(raw)
        ? 'int64'
        : 'float64'
      : own(goTypes, typeof raw);
  return new CelError(`invalid data, expected ${wanted}, got ${given}`);
}

function makeReader(node: Structural): Reader {
  const { said } = node;
  if (said['x-kubernetes-int-or-string']) return readEither;
  switch (said.type) {
    case 'object':
      return readObject(node);
    case 'array':
      return readList(node);
    case 'string':
      return (raw) => (typeof raw === 'string' ? readText(said.format ?? '', raw) : unfit('string', raw));
    case 'number':
      return (raw) => (typeof raw === 'number' ? raw : unfit('float', raw));
    case 'integer':
      return (raw) => (Number.isInteger(raw) ? BigInt(raw as number) : unfit('int', raw));
    case 'boolean':
      return (raw) => (typeof raw === 'boolean' ? raw : unfit('bool', raw));
    default:
      return (raw) => new Preserved(raw);
  }
}

function readEither(raw: unknown): Value {
  if (typeof raw === 'string') return raw;
  if (Number.isInteger(raw)) return BigInt(raw as number);
  return new CelError('invalid data, expected XIntOrString value to be either a string or integer');
}

function readText(format: string, text: string): Value {
  switch (format) {
    case 'duration': {
      const ns = durationOf(text);
      return ns === undefined ? new CelError(`Invalid duration ${text}: unable to parse ${text} as duration`) : new Duration(ns);
    }
    case 'date':
      return readTimestamp(`${text}T00:00:00Z`) ?? new CelError(`Invalid date formatted string ${text}`);
    case 'date-time':
      return readTimestamp(text) ?? readTimestamp(`${text}Z`) ?? new CelError(`Invalid date-time formatted string ${text}`);
    case 'byte': {
      const wrongAt = text.search(/[^A-Za-z0-9+/=\r\n]/);
      if (wrongAt >= 0) return new CelError(`Invalid byte formatted string ${text}: illegal base64 data at input byte ${wrongAt}`);
      return new Uint8Array(Buffer.from(text, 'base64'));
    }
    default:
      return text;
  }
}

function readList(node: Structural): Reader {
  const { items } = node;
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = node.said;
  const rule: ListRule = listType === 'set' ? 'set' : listType === 'map' ? { keys } : 'atomic';
  if (!items) return () => new CelError('invalid array type, expected Items with a non-empty Schema');
  const read = readerOf(items);
  const wrong = new CelError('invalid data, expected an array for the provided schema with type=array');
  return (raw) => (Array.isArray(raw) ? new List(raw, read, rule) : wrong);
}

function readObject(given: Structural): Reader {
  const node = given.isEmbedded ? withMeta(given) : given;
  const shape: MapShape = node.said.properties ? objectShape(node) : mapShape(node);
  const wrong = new CelError('invalid data, expected a map for the provided schema with type=object');
  return (raw) => (typeof raw === 'object' && !Array.isArray(raw) ? new JsonMap(raw as Json, shape) : wrong);
}

/** Null is as absent. What the schema does not know is there only to be compared. */
function objectShape(node: Structural): MapShape {
  return {
    get(raw, key) {
      const name = unescapeName(key);
      const value = name === undefined ? undefined : own(raw, name);
      if (name === undefined || value === undefined || value === null) return undefined;
      const property = node.property(name);
      return property ? readerOf(property)(value) : new Preserved(value);
    },
    key: (name) => escapeName(name) ?? name,
  };
}

function mapShape(node: Structural): MapShape {
  return {
    get(raw, key) {
      const value = own(raw, key);
      if (value === undefined) return undefined;
      return node.additional ? readerOf(node.additional)(value) : new Preserved(value);
    },
    key: (name) => name,
  };
}

/** A value of which no type is known: it can only be compared. */
class Preserved extends Foreign {
  override readonly typeName = 'unknown';
  readonly #raw: unknown;
  constructor(raw: unknown) {
    super();
    this.#raw = raw;
  }
  override equals(other: Value): boolean {
    return other instanceof Preserved && equalSemantically(this.#raw, other.#raw);
  }
}
