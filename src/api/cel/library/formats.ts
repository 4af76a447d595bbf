/** Kubernetes' library of named formats (apiserver/pkg/cel/library/format.go). */

import {
  checkDns1035Label,
  checkLabelValue,
  checkQualifiedName,
  type NameCheck,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
} from '../../meta/names.ts';
import { type Declaration, func, method } from '../environment.ts';
import { readTimestamp } from '../time.ts';
import * as t from '../types.ts';
import { Foreign, List, Optional, type Value } from '../values.ts';
import { parseUrl } from './url.ts';

export const FORMAT = t.struct('kubernetes.NamedFormat');

class Format extends Foreign {
  override readonly typeName = 'kubernetes.NamedFormat';
  readonly name: string;
  readonly check: (text: string) => readonly string[];
  /** of its pattern, for the price */
  readonly maxPatternSize: number;
  constructor(name: string, maxPatternSize: number, check: (text: string) => readonly string[]) {
    super();
    this.name = name;
    this.check = check;
    this.maxPatternSize = maxPatternSize;
  }
  override equals(other: Value): boolean {
    return other === this;
  }
}

/** Names for objects, or, with a dash at the end, prefixes of generated ones. */
const label = nameIsDnsLabel;
const subdomain = nameIsDnsSubdomain;
const label1035: NameCheck = (name, isPrefix) => checkDns1035Label(isPrefix && name.endsWith('-') ? `${name.slice(0, -1)}a` : name);

const named = (check: NameCheck, isPrefix: boolean) => (text: string) => check(text, isPrefix);
const simple = (holds: (text: string) => boolean, words: string) => (text: string) => (holds(text) ? [] : [words]);

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text);
}
function isBase64(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(text);
}
function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && readTimestamp(`${text}T00:00:00Z`) !== undefined;
}
/** Looser than RFC 3339: lower case, and any character before the fraction. */
function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  const found = /^(\d\d):(\d\d):(\d\d)(?:.\d+)?(?:z|[+-]\d\d:\d\d)$/.exec(time ?? '');
  return isDate(date) && found !== null && Number(found[1]) <= 23 && Number(found[2]) <= 59 && Number(found[3]) <= 59;
}

const formats: readonly Format[] = [
  new Format('dns1123Label', 30, named(label, false)),
  new Format('dns1123Subdomain', 60, named(subdomain, false)),
  new Format('dns1035Label', 30, named(label1035, false)),
  new Format('qualifiedName', 60, checkQualifiedName),
  new Format('dns1123LabelPrefix', 30, named(label, true)),
  new Format('dns1123SubdomainPrefix', 60, named(subdomain, true)),
  new Format('dns1035LabelPrefix', 30, named(label1035, true)),
  new Format('labelValue', 40, checkLabelValue),
  new Format('uri', 1103, (text) => {
    const parsed = parseUrl(text);
    return typeof parsed === 'string' ? [parsed] : [];
  }),
  new Format('uuid', 70, simple(isUuid, 'does not match the UUID format')),
  new Format('byte', 84, simple(isBase64, 'invalid base64')),
  new Format('date', 71, simple(isDate, 'invalid date')),
  new Format('datetime', 71, simple(isDateTime, 'invalid datetime')),
];
const byName = new Map(formats.map((format) => [format.name, format]));

export const formatLibrary: readonly Declaration[] = [
  method('validate', 'format-validate', [FORMAT, t.STRING], t.optionalOf(t.listOf(t.STRING)), (format, x) => {
    const wrong = (format as Format).check(x as string);
    return wrong.length === 0 ? Optional.none : new Optional(new List(wrong));
  }),
  func('format.named', 'format-named', [t.STRING], t.optionalOf(FORMAT), (name) => {
    const found = byName.get(name as string);
    return found ? new Optional(found) : Optional.none;
  }),
  ...formats.map((format) => func(`format.${format.name}`, `format.${format.name}`, [], FORMAT, () => format)),
];
