/**
 * Quantities: `100m`, `1.5Gi`, `2e3`. Exact decimal arithmetic, with the canonical form that upstream writes: the text
 * as it was given where that is canonical enough, else the shortest with a suffix that needs no fraction.
 * Precision ends at one billionth (rounded up), as upstream. `toNumber` and friends have a fast path without BigInt.
 * Upstream: apimachinery/pkg/api/resource/{quantity,suffix,amount}.go.
 */
import { own } from './words.ts';

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** `unscaled` times ten to the power of `scale` (from -9). */
export interface Quantity {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
  /** as it was written, where that is kept as it is */
  readonly text?: string;
}

/** What a field of type Quantity holds on the wire. */
export type QuantityValue = string | number;

/** Not a quantity; the message is upstream's. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixWrong = "unable to parse quantity's suffix";

const decimalSuffixes: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binarySuffixes: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const decimalByExponent = new Map(Object.entries(decimalSuffixes).map(([suffix, exponent]) => [exponent, suffix]));
const binaryByExponent = new Map(Object.entries(binarySuffixes).map(([suffix, exponent]) => [exponent, suffix]));

const syntax = /^([+-]?)(\d*)(?:\.(\d*))?((?:[eEinumkKMGTP]+[-+]?\d*|[-+]\d*)?)$/;
const exponentSyntax = /^[eE]([-+]?\d+)$/;
const int64Max = 2n ** 63n - 1n;
const scaleMin = -9;
const int64Digits = 18;
/** Bounds that upstream does not have: what is beyond them would only cost time. */
const textLengthMax = 256;
const exponentMax = 1000;

const powers: readonly bigint[] = Array.from({ length: 20 }, (_, n) => 10n ** BigInt(n));
const pow10 = (n: number): bigint => powers[n] ?? 10n ** BigInt(n);

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function parseSuffix(suffix: string): Suffix {
  const decimal = own(decimalSuffixes, suffix);
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' };
  const binary = own(binarySuffixes, suffix);
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' };
  const exponent = exponentSyntax.exec(suffix)?.[1];
  if (exponent === undefined || Math.abs(Number(exponent)) > exponentMax) throw new QuantityError(suffixWrong);
  return { base: 10, exponent: Number(exponent), format: 'DecimalExponent' };
}

/** Throws QuantityError. */
export function parseQuantity(value: QuantityValue): Quantity {
  const text = typeof value === 'number' ? String(value) : value.trim();
  if (text === '0') return { unscaled: 0n, scale: 0, format: 'DecimalSI', text };
  const match = text && text.length <= textLengthMax ? syntax.exec(text) : null;
  if (!match) throw new QuantityError(formatWrong);
  const [, sign = '', whole = '', fraction = '', suffixText = ''] = match;
  const suffix = parseSuffix(suffixText);
  const digits = (whole.replace(/^0+/, '') || '0') + fraction;
  const magnitude = BigInt(digits);
  const negative = sign === '-';
  const unscaled = suffix.base === 2 ? magnitude << BigInt(suffix.exponent) : magnitude;
  const scale = (suffix.base === 10 ? suffix.exponent : 0) - fraction.length;
  if (keepsText({ digits, magnitude, unscaled, scale, suffix, fraction })) {
    return { unscaled: negative ? -unscaled : unscaled, scale, format: suffix.format, text };
  }
  return bounded(unscaled, scale, suffix.format, negative);
}

/** Whether upstream keeps the text as it was written: its fast path took it, and it looks canonical. */
function keepsText(q: {
  readonly digits: string;
  readonly magnitude: bigint;
  readonly unscaled: bigint;
  readonly scale: number;
  readonly suffix: Suffix;
  readonly fraction: string;
}): boolean {
  const { digits, suffix, scale } = q;
  if (scale < scaleMin || q.unscaled > int64Max) return false;
  if (suffix.base === 2) {
    const precision = 15 - digits.length - Math.trunc((suffix.exponent * 3) / 10) - 1;
    return q.fraction === '' && precision >= 0 && (q.magnitude & 7n) !== 0n;
  }
  return digits.length <= int64Digits && scale % 3 === 0 && !digits.endsWith('000') && digits[0] !== '0';
}

function bounded(magnitude: bigint, scale: number, format: QuantityFormat, negative: boolean): Quantity {
  let unscaled = magnitude;
  let at = scale;
  if (at < scaleMin) {
    const divisor = pow10(scaleMin - at);
    unscaled = (unscaled + divisor - 1n) / divisor;
    at = scaleMin;
  }
  let shape = format;
  if (shape === 'BinarySI') {
    const limit = at < 0 ? int64Max * pow10(-at) : int64Max;
    if (unscaled > limit) [unscaled, at] = [int64Max, 0];
    const one = at < 0 ? pow10(-at) : 1n;
    if (unscaled < one && unscaled > 0n) shape = 'DecimalSI';
  }
  return { unscaled: negative ? -unscaled : unscaled, scale: at, format: shape };
}

/** The canonical text of a quantity. */
export function formatQuantity(q: Quantity): string {
  if (q.text !== undefined) return q.text;
  if (q.unscaled === 0n) return '0';
  if (q.format === 'BinarySI') {
    const whole = wholeOf(q);
    if (whole !== undefined && (whole >= 1024n || whole <= -1024n)) return formatBinary(whole);
  }
  let unscaled = q.unscaled;
  let scale = q.scale;
  while (unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale++;
  }
  const over = ((scale % 3) + 3) % 3;
  unscaled *= pow10(over);
  scale -= over;
  const suffix = q.format === 'DecimalExponent' ? undefined : decimalByExponent.get(scale);
  return `${unscaled}${suffix ?? (scale === 0 ? '' : `e${scale}`)}`;
}

function formatBinary(whole: bigint): string {
  let value = whole;
  let exponent = 0;
  while (value % 1024n === 0n) {
    value /= 1024n;
    exponent += 10;
  }
  return `${value}${binaryByExponent.get(exponent) ?? ''}`;
}

function wholeOf(q: Quantity): bigint | undefined {
  if (q.scale >= 0) return q.unscaled * pow10(q.scale);
  const divisor = pow10(-q.scale);
  return q.unscaled % divisor === 0n ? q.unscaled / divisor : undefined;
}

/** The text that is stored for what a client wrote. Throws QuantityError. */
export function canonicalizeQuantity(value: QuantityValue): string {
  if (typeof value === 'string' && isPlain(value)) return value;
  return formatQuantity(parseQuantity(value));
}

/** Surely canonical already: up to twelve digits without leading or trailing zeros, and no suffix or `m`. */
function isPlain(text: string): boolean {
  return /^[1-9](?:\d{0,10}[1-9])?m?$/.test(text);
}

const aligned = (a: Quantity, b: Quantity): readonly [bigint, bigint, number] => {
  const scale = Math.min(a.scale, b.scale);
  return [a.unscaled * pow10(a.scale - scale), b.unscaled * pow10(b.scale - scale), scale];
};

/** Negative, 0 or positive. */
export function compareQuantities(a: QuantityValue, b: QuantityValue): number {
  if (a === b) return 0;
  const x = toSafeInteger(a);
  const y = toSafeInteger(b);
  if (x !== undefined && y !== undefined) return x - y;
  const [m, n] = [x === undefined ? toMilli(a) : x * 1000, y === undefined ? toMilli(b) : y * 1000];
  if (m !== undefined && n !== undefined && Number.isSafeInteger(m) && Number.isSafeInteger(n)) return m - n;
  const [left, right] = aligned(parseQuantity(a), parseQuantity(b));
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum takes the format of `a`, or of `b` where `a` is zero. */
export function addQuantities(a: QuantityValue, b: QuantityValue): string {
  return formatQuantity(plus(parseQuantity(a), parseQuantity(b)));
}

export function subtractQuantities(a: QuantityValue, b: QuantityValue): string {
  const right = parseQuantity(b);
  return formatQuantity(plus(parseQuantity(a), { ...right, unscaled: -right.unscaled }));
}

function plus(a: Quantity, b: Quantity): Quantity {
  const [left, right, scale] = aligned(a, b);
  return { unscaled: left + right, scale, format: a.unscaled === 0n ? b.format : a.format };
}

export function sumQuantities(values: Iterable<QuantityValue>): string {
  let sum: Quantity = { unscaled: 0n, scale: 0, format: 'DecimalSI' };
  for (const value of values) sum = plus(sum, parseQuantity(value));
  return formatQuantity(sum);
}

const fast = /^(\d{1,15})(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const multipliers: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** What most are; so few of them that a double holds the number exactly. */
function isDigits(text: string): boolean {
  if (text.length === 0 || text.length > exactDigits) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) return false;
  }
  return true;
}
const exactDigits = 15;

/** The value where it is a whole number that a double holds exactly, without BigInt. */
function toSafeInteger(value: QuantityValue): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (isDigits(value)) return Number(value);
  const match = fast.exec(value);
  if (!match || match[2] === 'm') return undefined;
  const whole = Number(match[1]) * (match[2] === undefined ? 1 : (own(multipliers, match[2]) ?? Number.NaN));
  return Number.isSafeInteger(whole) ? whole : undefined;
}

/** Thousandths, where the value is written in them. */
function toMilli(value: QuantityValue): number | undefined {
  const match = typeof value === 'string' && value.endsWith('m') ? fast.exec(value) : null;
  return match?.[2] === 'm' ? Number(match[1]) : undefined;
}

/** The value in units of ten to the power of `scale`, rounded up (away from zero), as a double. */
function scaledValue(value: QuantityValue, scale: number): number {
  const q = parseQuantity(value);
  const shift = q.scale - scale;
  if (shift >= 0) return Number(q.unscaled * pow10(shift));
  const divisor = pow10(-shift);
  const quotient = q.unscaled / divisor;
  const exact = quotient * divisor === q.unscaled;
  return Number(exact ? quotient : q.unscaled > 0n ? quotient + 1n : quotient - 1n);
}

/** The whole number, rounded up: bytes, pods. Throws QuantityError. */
export function quantityValue(value: QuantityValue): number {
  return toSafeInteger(value) ?? scaledValue(value, 0);
}

/** Thousandths, rounded up: milli-CPUs. Throws QuantityError. */
export function quantityMilliValue(value: QuantityValue): number {
  const milli = toMilli(value);
  if (milli !== undefined) return milli;
  const whole = toSafeInteger(value);
  if (whole !== undefined && Number.isSafeInteger(whole * 1000)) return whole * 1000;
  return scaledValue(value, -3);
}

/** The value as a double, rounded. Throws QuantityError. */
export function quantityToNumber(value: QuantityValue): number {
  const whole = toSafeInteger(value);
  if (whole !== undefined) return whole;
  const q = parseQuantity(value);
  return q.scale < 0 ? Number(q.unscaled) / 10 ** -q.scale : Number(q.unscaled * pow10(q.scale));
}
