/** Values of expressions beside what upstream answered. */

import { showDouble } from '../../src/api/cel/numbers.ts';
import { showTimestamp } from '../../src/api/cel/time.ts';
import { Duration, List, MapValue, Optional, Timestamp, TypeValue, typeName, Uint, type Value } from '../../src/api/cel/values.ts';

/** As answers of upstream were written down: doubles with `d`, times with `t`, entries of maps in order. */
export function describeAnswer(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return `d${showDouble(value)}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('base64')}`;
  if (value instanceof Timestamp) return `t${showTimestamp(new Timestamp(value.ns))}`;
  if (value instanceof Duration) return `D${value.ns}`;
  if (value instanceof Optional) return value.value === undefined ? 'optional.none()' : `optional(${describeAnswer(value.value)})`;
  if (value instanceof TypeValue) return `type(${value.name})`;
  if (value instanceof List) return `[${Array.from(value, describeAnswer).join(',')}]`;
  if (value instanceof MapValue) {
    const entries = Array.from(value.keys(), (key) => `${describeAnswer(key)}:${describeAnswer(value.get(key) ?? null)}`);
    return `{${entries.sort().join(',')}}`;
  }
  return `<${typeName(value)}>`;
}

/** Estimated costs are rounded beyond 2^53. */
export function isNearly(a: number, b: number): boolean {
  return Math.abs(a - b) <= Math.max(a, b) * 1e-12;
}
