/**
 * A JSON value as YAML, as Kubernetes' own tools write it: fields in the order of their names, lists not indented, texts
 * of several lines as such. What could be read as something else than text, by any reader of YAML, is in quotes.
 */
import { isJsonObject } from '../merge-patch.ts';
import { resolvePlain } from './resolve.ts';

export function writeYaml(value: unknown): string {
  const lines: string[] = [];
  write(value, '', lines);
  return `${lines.join('\n')}\n`;
}

/** The lines of an item of a list. */
export function writeYamlItem(value: unknown): string {
  const lines: string[] = [];
  writeItem(value, '', lines);
  return `${lines.join('\n')}\n`;
}

/** Adds the lines of a value, each with its indentation. */
function write(value: unknown, indent: string, lines: string[]): void {
  if (Array.isArray(value) && value.length > 0) for (const item of value) writeItem(item, indent, lines);
  else if (isJsonObject(value) && Object.keys(value).length > 0) {
    for (const [key, field] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (field !== undefined) writeField(key, field, indent, lines);
    }
  } else lines.push(indent + inLine(value, indent));
}

const isFilled = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : isJsonObject(value) && Object.keys(value).length > 0;

function writeField(key: string, value: unknown, indent: string, lines: string[]): void {
  const name = `${indent}${isPlain(key) ? key : quoted(key)}:`;
  if (!isFilled(value)) lines.push(`${name} ${inLine(value, indent)}`);
  else {
    lines.push(name);
    write(value, Array.isArray(value) ? indent : `${indent}  `, lines);
  }
}

/** The mark of an item stands in the indentation of its first line. */
function writeItem(value: unknown, indent: string, lines: string[]): void {
  const first = lines.length;
  if (isFilled(value)) write(value, `${indent}  `, lines);
  else lines.push(`${indent}  ${inLine(value, indent)}`);
  lines[first] = `${indent}- ${(lines[first] ?? '').slice(indent.length + 2)}`;
}

function inLine(value: unknown, indent: string): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null);
  if (isPlain(value)) return value;
  return isBlock(value) ? block(value, `${indent}  `) : quoted(value);
}

const plain = /^[A-Za-z0-9_/.$][A-Za-z0-9_/.$()+=@;<>^~*&%!?,'"\\|{}[\]-]*(?:[ :][A-Za-z0-9_/.$()+=@;<>^~*&%!?,'"\\|{}[\]-]+)*$/;
/** Dates, digits of a clock, and what looks like a number but is none: some readers take them for more than text. */
const doubtful = /^(?:\d+[-:]\d|=$|(?=[-+._eE]*[\d.])[-+._\deE]*$)/;
const version = /^\d+\.\d+\.\d/;
/** A plain text is read again by everybody if it is shorter. */
const plainCharactersMax = 1000;

const isPlain = (value: string): boolean =>
  value.length <= plainCharactersMax &&
  plain.test(value) &&
  resolvePlain(value).type === 'str' &&
  (!doubtful.test(value) || version.test(value));

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
const unprintable = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

/** Whether a text can stand in lines of its own. */
const isBlock = (value: string): boolean =>
  value.includes('\n') && !/^[ \n\t]/.test(value) && !/[ \t](?:\n|$)/.test(value) && !unprintable.test(value);

function block(value: string, indent: string): string {
  const chomping = !value.endsWith('\n') ? '-' : value.endsWith('\n\n') ? '+' : '';
  const text = value.endsWith('\n') ? value.slice(0, -1) : value;
  return `|${chomping}\n${text.replace(/^(?!$)/gm, indent)}`;
}

/** JSON is YAML, save for a few characters. */
const quoted = (value: string): string =>
  JSON.stringify(value).replace(/[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
