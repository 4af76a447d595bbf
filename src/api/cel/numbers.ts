/** Numbers as Go reads, checks and prints them. */

import { CelError, Uint } from './values.ts';

export function int64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new CelError('integer overflow');
  return value;
}

export function uint64(value: bigint): Uint {
  if (BigInt.asUintN(64, value) !== value) throw new CelError('unsigned integer overflow');
  return new Uint(value);
}

export function doubleToInt(value: number): bigint {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) throw new CelError('integer overflow');
  return BigInt(Math.trunc(value));
}

export function doubleToUint(value: number): Uint {
  if (!(value >= 0 && value < 2 ** 64)) throw new CelError('unsigned integer overflow');
  return new Uint(BigInt(Math.trunc(value)));
}

/** strconv.ParseInt of base 10; undefined for what it refuses. */
export function readInt(text: string): bigint | undefined {
  const found = /^([+-]?)(?:0+|0*([1-9]\d{0,19}))$/.exec(text);
  if (!found) return undefined;
  const [, sign, digits = '0'] = found;
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

export function readUint(text: string): Uint | undefined {
  const found = /^(?:0+|0*([1-9]\d{0,19}))$/.exec(text);
  if (!found) return undefined;
  const value = BigInt(found[1] ?? '0');
  return BigInt.asUintN(64, value) === value ? new Uint(value) : undefined;
}

/** strconv.ParseFloat; a number too large is refused. */
export function readDouble(text: string): number | undefined {
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** `%g`: the shortest digits that give the number back, with an exponent from 1e+06 on and below 1e-04. */
export function showDouble(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (value === 0 || (power >= -4 && power < 6)) return fixed(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** The shortest digits without an exponent (FormatFloat 'f', -1). */
export function fixed(value: number): string {
  const plain = String(value);
  if (!plain.includes('e')) return plain;
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace('-', '').replace('.', '');
  const point = Number(exponent) + 1;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}
