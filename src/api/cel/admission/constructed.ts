/**
 * What mutating policies construct: `Object.spec{replicas: 2}`, `JSONPatch{op: "add", …}`, and JSON of it. The name of a
 * type must be the path at which it stands (apiserver/pkg/cel/mutation/dynamic).
 */

import { showTimestamp } from '../time.ts';
import { CelError, Duration, equals, Foreign, List, MapValue, Timestamp, toJson, type Value } from '../values.ts';

export class Constructed extends Foreign {
  override readonly typeName: string;
  readonly fields: ReadonlyMap<string, Value>;
  constructor(typeName: string, fields: ReadonlyMap<string, Value>) {
    super();
    this.typeName = typeName;
    this.fields = fields;
  }
  override equals(other: Value): boolean {
    if (!(other instanceof Constructed) || other.typeName !== this.typeName || other.fields.size !== this.fields.size) return false;
    return [...this.fields].every(([name, value]) => equals(value, other.fields.get(name) ?? null));
  }
}

/** One operation of a JSON patch, as RFC 6902 has it. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** JSON of what an expression of an apply configuration gave. Throws CelError for a type in a wrong place. */
export function applyConfigurationOf(value: Value): Readonly<Record<string, unknown>> {
  if (!(value instanceof Constructed)) throw new CelError('unsupported return type from ApplyConfiguration expression');
  checkNames(value);
  return nativeOf(value, '') as Readonly<Record<string, unknown>>;
}

/** The operations that an expression of a JSON patch gave. Throws CelError for what is none. */
export function patchOf(value: Value): readonly PatchOperation[] {
  if (!(value instanceof List)) throw new CelError('type mismatch: JSONPatchType.expression should evaluate to array');
  return Array.from(value, (operation) => {
    if (!(operation instanceof Constructed) || operation.typeName !== 'JSONPatch') {
      throw new CelError('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch');
    }
    const text = (name: string): string => String(operation.fields.get(name) ?? '');
    const given = operation.fields.get('value');
    if (given instanceof Constructed) checkNames(given);
    return {
      op: text('op'),
      path: text('path'),
      ...(text('from') !== '' && { from: text('from') }),
      ...(given !== undefined && { value: jsonOf(given) }),
    };
  });
}

/** An apply configuration is no JSON yet: times and bytes are no text in it, and null is no value. */
function nativeOf(value: Value, path: string): unknown {
  if (value === null) throw new CelError(`error applying patch: failed to convert patch object to typed object: ${path}: null is no value`);
  if (value instanceof Constructed)
    return Object.fromEntries(Array.from(value.fields, ([name, field]) => [name, nativeOf(field, `${path}.${name}`)]));
  if (value instanceof List) return Array.from(value, (item, i) => nativeOf(item, `${path}[${i}]`));
  return value instanceof MapValue ? mapOf(value, (field, name) => nativeOf(field, `${path}.${name}`)) : toJson(value);
}

function mapOf(map: MapValue, read: (value: Value, name: string) => unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Array.from(map.keys(), (key) => {
      if (typeof key !== 'string') throw new CelError(`map key ${String(key)} is no string`);
      return [key, read(map.get(key) ?? null, key)];
    }),
  );
}

/** As protobuf has JSON: integers that a double can't hold are text, and so are times and bytes. */
function jsonOf(value: Value): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Timestamp) return showTimestamp(value);
  if (value instanceof Duration) return showDuration(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Constructed) return Object.fromEntries(Array.from(value.fields, ([name, field]) => [name, jsonOf(field)]));
  if (value instanceof List) return Array.from(value, jsonOf);
  if (value instanceof MapValue) return mapOf(value, jsonOf);
  return toJson(value);
}

/** Seconds, with three, six or nine digits of a second where there are any. */
function showDuration({ ns }: Duration): string {
  const size = ns < 0n ? -ns : ns;
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/^0+$/, '')
    .replace(/(000)+$/, '');
  return `${ns < 0n ? '-' : ''}${size / 1_000_000_000n}${fraction && '.'}${fraction}s`;
}

function checkNames(root: Constructed): void {
  const wrong: string[] = [];
  const walk = (value: Value, path: string): void => {
    if (value instanceof Constructed) {
      if (value.typeName !== path) {
        const expected = `expected ${JSON.stringify(path)}, which matches field name path from root Object type`;
        wrong.push(`unexpected type name ${JSON.stringify(value.typeName)}, ${expected}`);
      }
      for (const [name, field] of value.fields) walk(field, `${path}.${name}`);
    } else if (value instanceof List) {
      for (const item of value) walk(item, path);
    } else if (value instanceof MapValue) {
      for (const key of value.keys()) walk(value.get(key) ?? null, path);
    }
  };
  walk(root, root.typeName);
  if (wrong.length > 0) throw new CelError(`type mismatch: ${wrong.join('\n')}`);
}
