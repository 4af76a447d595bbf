/**
 * The formats that the schemas of custom resources may ask of a string; other formats say nothing. Every check takes time
 * that grows with the text's length and no faster.
 * Upstream: kube-openapi/pkg/validation/strfmt, apiextensions-apiserver/pkg/apiserver/validation/formats.go.
 */
import { isIPAddress, isIPv6Address, parseCIDR, withoutLeadingZeros } from '../../meta/addresses.ts';
import { parseDuration } from '../../meta/duration.ts';
import { own } from '../../meta/words.ts';

type Check = (text: string) => boolean;

/** Longer texts are of no such format, whatever is in them. */
const shortMax = 4096;
const matches =
  (pattern: RegExp): Check =>
  (text) =>
    text.length <= shortMax && pattern.test(text);

const uuidOf = (version: string, variant: string): Check =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i'));

const hostnameBytesMax = 255;
const labelBytesMax = 63;
const hostname =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u;
const isHostname: Check = (text) =>
  Buffer.byteLength(text) <= hostnameBytesMax &&
  text.split('.').every((label) => Buffer.byteLength(label) <= labelBytesMax) &&
  hostname.test(text);

const cardNumber =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;

function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/[^0-9]+/g, '');
  if (!cardNumber.test(digits)) return false;
  let sum = 0;
  for (let i = 1; i <= digits.length; i++) {
    const digit = Number(digits[digits.length - i]) * (i % 2 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

function isISBN10(text: string): boolean {
  const digits = text.replaceAll(/[\t\n\f\r -]+/g, '');
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  return [...digits].reduce((sum, digit, i) => sum + (i + 1) * (digit === 'X' ? 10 : Number(digit)), 0) % 11 === 0;
}

function isISBN13(text: string): boolean {
  const digits = text.replaceAll(/[\t\n\f\r -]+/g, '');
  if (!/^[0-9]{13}$/.test(digits)) return false;
  return [...digits].reduce((sum, digit, i) => sum + (i % 2 ? 3 : 1) * Number(digit), 0) % 10 === 0;
}

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (year === undefined) return false;
  const [m, d] = [Number(month), Number(day)];
  const isLeap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1] ?? 0;
  return d >= 1 && d <= days;
}

function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t', 2);
  if (text.length < 4 || time === undefined || !isDate(date)) return false;
  const [, hour = '', minute = '', second = ''] = /^(\d\d):(\d\d):(\d\d)(?:.\d+)?(?:z|[+-]\d\d:\d\d)$/.exec(time) ?? ['', ':', ':', ':'];
  return hour <= '23' && minute <= '59' && second <= '59';
}

/** What Scala takes beside Go's durations: `2 hours, 3 min`. The last word of each may go on. */
const units: readonly (readonly [unit: RegExp, ns: bigint])[] = [
  [/^(?:ns|nano.*)$/i, 1n],
  [/^(?:us|µs|micro.*)$/i, 1_000n],
  [/^(?:ms|milli.*)$/i, 1_000_000n],
  [/^(?:s|sec.*)$/i, 1_000_000_000n],
  [/^(?:m|min.*)$/i, 60_000_000_000n],
  [/^(?:h|hr|hour.*)$/i, 3_600_000_000_000n],
  [/^(?:d|day.*)$/i, 86_400_000_000_000n],
  [/^(?:w|wk|week.*)$/i, 604_800_000_000_000n],
];
/** Go's Atoi takes no more. */
const integerMax = 2n ** 63n - 1n;

/** No duration that counts is as long, save for zeros. */
const durationCharactersMax = 1024;

/** In nanoseconds; undefined for what is no duration. */
export function durationOf(text: string): bigint | undefined {
  if (text.length > durationCharactersMax) return undefined;
  const ofGo = parseDuration(text);
  if (ofGo !== undefined) return BigInt(Math.round(ofGo * 1e6));
  let totalNs: bigint | undefined;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)[\t\n\f\r ]*([A-Za-zµ]*)/g)) {
    if (!unit) continue;
    const digits = count.replace(/^0+/, '');
    if (digits.length > 19 || BigInt(digits || 0) > integerMax) return undefined;
    const ns = units.find(([names]) => names.test(unit))?.[1];
    if (ns !== undefined) totalNs = (totalNs ?? 0n) + BigInt(digits || 0) * ns;
  }
  return totalNs;
}

/** As Go's url.ParseRequestURI: with a scheme, or an absolute path. */
function isRequestURI(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (!text || /[\x00-\x1f\x7f]/.test(text) || text.startsWith(':')) return false;
  if (text === '*') return true;
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(text)?.[0] ?? '';
  const rest = text.slice(scheme.length).split('?', 1)[0] ?? '';
  if (!rest.startsWith('/')) return scheme !== '';
  if (!scheme || !rest.startsWith('//')) return isEscaped(rest);
  const [, authority = '', path = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? [];
  const at = authority.lastIndexOf('@');
  const user = authority.slice(0, Math.max(at, 0));
  return /^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/.test(user) && isEscaped(user) && isHost(authority.slice(at + 1)) && isEscaped(path);
}

const isEscaped: Check = (text) => !/%(?![0-9a-fA-F]{2})/.test(text);

function isHost(host: string): boolean {
  const bracket = host.startsWith('[') ? host.lastIndexOf(']') : 0;
  const port = bracket > 0 ? host.slice(bracket + 1) : host.slice(host.includes(':') ? host.indexOf(':') : host.length);
  const characters = /^(?:[A-Za-z0-9._~!$&'()*+,;=:[\]<>"\u0080-\uffff-]|%[89a-fA-F][0-9a-fA-F]|%25)*$/;
  return bracket >= 0 && /^(?::\d*)?$/.test(port) && characters.test(host);
}

/** As Go's mail.ParseAddress, but for comments, groups and old folding. */
const atext = "A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\uffff\\-";
const quoted = '"(?:[^"\\\\\\r\\n]|\\\\.)*"';
const dotAtom = `[${atext}]+(?:\\.[${atext}]+)*`;
const address = `[ \\t]*(?:${dotAtom}|${quoted})@(?:${dotAtom}|\\[[0-9a-fA-F.:]+\\])[ \\t]*`;
const anyAddress = new RegExp(`^(?:${address}|(?:[${atext}. \\t]|${quoted})*<${address}>[ \\t]*)$`);
const emailMax = 1024;
const isEmail: Check = (text) => text.length <= emailMax && anyAddress.test(text);

const rgb = '[\\t\\n\\f\\r ]*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])[\\t\\n\\f\\r ]*';
const shortName = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

const formats: Readonly<Record<string, Check>> = {
  bsonobjectid: matches(/^[0-9a-fA-F]{24}$/),
  uri: isRequestURI,
  email: isEmail,
  hostname: isHostname,
  ipv4: (text) => text.includes('.') && isIPAddress(withoutLeadingZeros(text)),
  ipv6: (text) => text.includes(':') && isIPv6Address(text),
  cidr: (text) => parseCIDR(text) !== undefined,
  mac: matches(
    /^(?:[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){2}|(?::[0-9a-f]{2}){14})?|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}(?:(?:-[0-9a-f]{2}){2}|(?:-[0-9a-f]{2}){14})?|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}(?:\.[0-9a-f]{4}|(?:\.[0-9a-f]{4}){7})?)$/i,
  ),
  uuid: uuidOf('[0-9a-f]', '[0-9a-f]'),
  uuid3: uuidOf('3', '[0-9a-f]'),
  uuid4: uuidOf('4', '[89ab]'),
  uuid5: uuidOf('5', '[89ab]'),
  isbn: (text) => isISBN10(text) || isISBN13(text),
  isbn10: isISBN10,
  isbn13: isISBN13,
  creditcard: isCreditCard,
  ssn: (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: matches(new RegExp(`^rgb\\(${rgb},${rgb},${rgb}\\)$`)),
  byte: (text) => text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  password: () => true,
  date: isDate,
  duration: (text) => durationOf(text) !== undefined,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && new RegExp(`^${shortName}$`).test(text),
  k8slongname: (text) => text.length <= 253 && new RegExp(`^${shortName}(\\.${shortName})*$`).test(text),
};
const numberFormats: Readonly<Record<string, readonly string[]>> = { integer: ['int32', 'int64'], number: ['float', 'double'] };

/** The format, where it counts for values of that type; `''` otherwise. */
export function countingFormat(type: string, format: string): string {
  if (type !== '' && type !== 'string') return own(numberFormats, type)?.includes(format) ? format : '';
  return own(formats, normalized(format)) ? format : '';
}

const normalized = (format: string): string => format.replaceAll('-', '');

/** Undefined for a format that says nothing of strings. */
export const formatCheck = (format: string): Check | undefined => own(formats, normalized(format));
