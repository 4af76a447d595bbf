/**
 * What a scalar of YAML means where its tag does not say: null, a truth value, a number or text, by the rules of
 * YAML 1.1 as Go's library has them (`yes` is true, 0777 is octal, a date or 1:30 is text).
 * Upstream: go.yaml.in/yaml/v2 (resolve.go), sigs.k8s.io/yaml.
 */
import { canonicalBase64 } from '../../meta/base64.ts';
import { own } from '../../meta/words.ts';
import { YamlError } from './scanner.ts';

/** `merge` is the key `<<`; as a value it is text. */
export type YAMLScalarType = 'null' | 'bool' | 'int' | 'float' | 'str' | 'merge';

export interface Scalar {
  readonly type: YAMLScalarType;
  readonly value: string | number | boolean | null;
  /** of an integer: its decimal digits, all of them */
  readonly digits?: string;
}

const merge: Scalar = { type: 'merge', value: '<<' };
const text = (value: string): Scalar => ({ type: 'str', value });

const word = (type: YAMLScalarType, value: Scalar['value'], ...spellings: readonly string[]): [string, Scalar][] =>
  spellings.map((spelling) => [spelling, { type, value }]);
const words: ReadonlyMap<string, Scalar> = new Map([
  ...word('bool', true, 'y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'),
  ...word('bool', false, 'n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'),
  ...word('null', null, '', '~', 'null', 'Null', 'NULL'),
  ...word('float', Number.NaN, '.nan', '.NaN', '.NAN'),
  ...word('float', Number.POSITIVE_INFINITY, '.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'),
  ...word('float', Number.NEGATIVE_INFINITY, '-.inf', '-.Inf', '-.INF'),
]);

const shortInteger = /^(?:0|[1-9]\d{0,14})$/;
const integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([-+]?[01]+)|0[oO]?([0-7]+)|([1-9]\d*|0))$/;
const float = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const pointFloat = /^\.\d+(?:[eE][-+]?\d+)?$/;
/** What is longer is text: no number has a use for so many digits. */
const numberCharactersMax = 1024;
/** A number of more digits is no 64-bit integer in any notation. */
const digitsMax = 64;

/** A plain scalar without a tag. */
export function resolvePlain(given: string): Scalar {
  if (given.length > numberCharactersMax) return text(given);
  const known = words.get(given);
  if (known) return known;
  const first = given.charCodeAt(0);
  if (given === '<<') return merge;
  if (first === 46) return (pointFloat.test(given) && finite(given)) || text(given);
  const isNumeric = (first >= 48 && first <= 57) || first === 43 || first === 45;
  return (isNumeric && resolveNumber(given.includes('_') ? given.replaceAll('_', '') : given)) || text(given);
}

function resolveNumber(plain: string): Scalar | undefined {
  if (shortInteger.test(plain)) return { type: 'int', value: Number(plain), digits: plain };
  const [found, sign, hex, binary, octal, decimal] = integer.exec(plain) ?? [];
  const whole = found === undefined ? undefined : toInteger(sign ?? '', { hex, binary, octal, decimal });
  if (whole !== undefined) return { type: 'int', value: Number(whole), digits: String(whole) };
  return float.test(plain) ? finite(plain) : undefined;
}

interface Digits {
  readonly hex: string | undefined;
  readonly binary: string | undefined;
  readonly octal: string | undefined;
  readonly decimal: string | undefined;
}

/** A signed integer of 64 bits, or an unsigned one without a sign; else undefined. */
function toInteger(sign: string, { hex, binary, octal, decimal }: Digits): bigint | undefined {
  const [, inner = '', bits] = /^([-+]?)(.*)$/s.exec(binary ?? '') ?? [];
  if (inner && sign) return undefined;
  const digits = (hex ?? (bits || undefined) ?? octal ?? decimal ?? '').replace(/^0+(?=.)/, '');
  if (digits.length > digitsMax) return undefined;
  const prefix = hex !== undefined ? '0x' : binary !== undefined ? '0b' : octal !== undefined ? '0o' : '';
  const magnitude = BigInt(prefix + digits);
  const isNegative = sign === '-' || inner === '-';
  if (isNegative) return magnitude <= 2n ** 63n ? -magnitude : undefined;
  return magnitude < (sign || inner ? 2n ** 63n : 2n ** 64n) ? magnitude : undefined;
}

function finite(plain: string): Scalar | undefined {
  const value = Number(plain);
  return Number.isFinite(value) ? { type: 'float', value } : undefined;
}

const tagPrefix = 'tag:yaml.org,2002:';
const mergeTag = `${tagPrefix}merge`;
const typesOfTags: Readonly<Record<string, YAMLScalarType>> = { null: 'null', bool: 'bool', int: 'int', float: 'float' };
const date = /^\d{4}-\d\d?-\d\d?(?:(?:[Tt]\d\d?:\d\d?:\d\d?(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d))| \d\d?:\d\d?:\d\d?(?:[.,]\d+)?)?$/;

/** A scalar with a tag, in full. Throws YamlError. Tags that nobody knows leave the text as it is. */
export function resolveTagged(tag: string, given: string): Scalar {
  const name = tag.startsWith(tagPrefix) ? tag.slice(tagPrefix.length) : '';
  if (tag === mergeTag && given === '<<') return merge;
  if (name === 'binary') return text(decodeBinary(given));
  const wanted = own(typesOfTags, name);
  if (wanted === undefined && name !== 'timestamp') return text(given);
  if (name === 'timestamp' && date.test(given)) return text(given);
  const found = resolvePlain(given);
  if (found.type === wanted) return found;
  if (found.type === 'int' && wanted === 'float') return { type: 'float', value: found.value };
  throw new YamlError(`yaml: cannot decode !!${found.type} \`${given}\` as a !!${name}`);
}

function decodeBinary(given: string): string {
  const packed = canonicalBase64(given);
  if (packed === undefined) throw new YamlError('yaml: !!binary value contains invalid base64 data');
  return Buffer.from(packed, 'base64').toString();
}

/** The name of a field whose key is no text; undefined for what cannot be one. */
export function keyOfScalar({ type, value, digits }: Scalar): string | undefined {
  if (type === 'int') return isUnsigned(digits ?? '') ? undefined : digits;
  if (type === 'float') return formatSingle(value as number);
  return type === 'null' ? undefined : String(value);
}

/** Upstream has no name for those beyond the signed ones. */
const isUnsigned = (digits: string): boolean => digits.length > 18 && BigInt(digits) >= 2n ** 63n;

/** As Go writes a float of 32 bits, the shortest that is read as the same. */
function formatSingle(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return '.nan';
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  let digits = 1;
  while (Math.fround(Number(single.toExponential(digits - 1))) !== single) digits++;
  const [mantissa = '', exponent = '0'] = single.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return Number(`${mantissa}e${exponent}`).toFixed(Math.max(0, digits - 1 - power));
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
