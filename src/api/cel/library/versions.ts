/** Kubernetes' library of semantic versions (apiserver/pkg/cel/library/semverlib.go; blang/semver's words). */

import { type Declaration, func, method } from '../environment.ts';
import * as t from '../types.ts';
import { CelError, Foreign, type Value } from '../values.ts';

export const VERSION = t.struct('kubernetes.Semver');

class Version extends Foreign {
  override readonly typeName = 'kubernetes.Semver';
  readonly numbers: readonly bigint[];
  readonly pre: readonly string[];
  constructor(numbers: readonly bigint[], pre: readonly string[]) {
    super();
    this.numbers = numbers;
    this.pre = pre;
  }
  override equals(other: Value): boolean {
    return other instanceof Version && compareVersions(this, other) === 0;
  }
}

const V = VERSION;
const version = (x: Value): Version => x as Version;
const part =
  (i: number) =>
  (x: Value): Value =>
    version(x).numbers[i] ?? 0n;

export const versionLibrary: readonly Declaration[] = [
  func('semver', 'string_to_semver', [t.STRING], V, (x) => readVersion(x as string)),
  func('semver', 'string_bool_to_semver', [t.STRING, t.BOOL], V, (x, tidy) => readVersion(tidy ? normalize(x as string) : (x as string))),
  func('isSemver', 'is_semver_string', [t.STRING], t.BOOL, (x) => isVersion(x as string, false)),
  func('isSemver', 'is_semver_string_bool', [t.STRING, t.BOOL], t.BOOL, (x, tidy) => isVersion(x as string, tidy === true)),
  method('isGreaterThan', 'semver_is_greater_than', [V, V], t.BOOL, (a, b) => compareVersions(version(a), version(b)) > 0),
  method('isLessThan', 'semver_is_less_than', [V, V], t.BOOL, (a, b) => compareVersions(version(a), version(b)) < 0),
  method('compareTo', 'semver_compare_to', [V, V], t.INT, (a, b) => BigInt(compareVersions(version(a), version(b)))),
  method('major', 'semver_major', [V], t.INT, part(0)),
  method('minor', 'semver_minor', [V], t.INT, part(1)),
  method('patch', 'semver_patch', [V], t.INT, part(2)),
];

function isVersion(x: string, tidy: boolean): boolean {
  try {
    readVersion(tidy ? normalize(x) : x);
    return true;
  } catch (e) {
    if (e instanceof CelError) return false;
    throw e;
  }
}

const names = ['Major', 'Minor', 'Patch'] as const;

function readVersion(x: string): Version {
  if (x === '') throw new CelError('Version string empty');
  const [major, minor, ...rest] = x.split('.');
  if (major === undefined || minor === undefined || rest.length === 0) throw new CelError('No Major.Minor.Patch elements found');
  let patch = rest.join('.');
  const plus = patch.indexOf('+');
  const build = plus < 0 ? undefined : patch.slice(plus + 1).split('.');
  if (plus >= 0) patch = patch.slice(0, plus);
  const dash = patch.indexOf('-');
  const pre = dash < 0 ? [] : patch.slice(dash + 1).split('.');
  if (dash >= 0) patch = patch.slice(0, dash);
  const numbers = [major, minor, patch].map((digits, i) => readNumber(digits, names[i] ?? ''));
  for (const word of pre) {
    if (word === '') throw new CelError('Prerelease is empty');
    if (/^0\d+$/.test(word)) throw new CelError(`Numeric PreRelease version must not contain leading zeroes "${word}"`);
    if (!/^[0-9A-Za-z-]+$/.test(word)) throw new CelError(`Invalid character(s) found in prerelease "${word}"`);
  }
  for (const word of build ?? []) {
    if (word === '') throw new CelError('Build meta data is empty');
    if (!/^[0-9A-Za-z-]+$/.test(word)) throw new CelError(`Invalid character(s) found in build meta data "${word}"`);
  }
  return new Version(numbers, pre);
}

/** Of a number of 64 bits. */
const digitsMax = 20;

function readNumber(digits: string, name: string): bigint {
  if (!/^\d*$/.test(digits)) throw new CelError(`Invalid character(s) found in ${name.toLowerCase()} number "${digits}"`);
  if (/^0\d/.test(digits)) throw new CelError(`${name} number must not contain leading zeroes "${digits}"`);
  if (digits === '') throw new CelError('strconv.ParseUint: parsing "": invalid syntax');
  const value = digits.length > digitsMax ? undefined : BigInt(digits);
  if (value === undefined || BigInt.asUintN(64, value) !== value)
    throw new CelError(`strconv.ParseUint: parsing "${digits}": value out of range`);
  return value;
}

/** Without a `v` before it and zeros before its numbers, with what is missing of it. */
function normalize(x: string): string {
  const [first = '', second, ...rest] = x.replace(/^v/, '').split('.');
  const parts = second === undefined ? [first] : rest.length === 0 ? [first, second] : [first, second, rest.join('.')];
  const tidied = parts.map((p) => (p.length > 1 ? p.replace(/^0+/, '').replace(/^(?!\d)/, '0') : p));
  if (tidied.length < 3 && /[+-]/.test(tidied.at(-1) ?? '')) {
    throw new CelError('short version cannot contain PreRelease/Build meta data');
  }
  return [...tidied, '0', '0'].slice(0, 3).join('.');
}

/** Before the numbers of a release come its pre-releases; builds don't count. */
function compareVersions(a: Version, b: Version): number {
  for (const [i, number] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (const [i, word] of a.pre.entries()) {
    const other = b.pre[i];
    if (other === undefined) return 1;
    if (word !== other) return compareWords(word, other);
  }
  return a.pre.length < b.pre.length ? -1 : 0;
}

function compareWords(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  // without zeros before it, the longer number is the larger
  if (isNumber && isOtherNumber && a.length !== b.length) return Math.sign(a.length - b.length);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return a < b ? -1 : 1;
}
