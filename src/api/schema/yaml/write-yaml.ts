/**
 * A JSON value as YAML, as Kubernetes' own tools write it: fields in the order of their names, lists not indented, texts
 * of several lines as such; what is nested deep in one line. What could be read as something else than text, by any reader of YAML, is in quotes.
 */
import { own } from '../../meta/words.ts';
import { isJsonObject } from '../merge-patch.ts';
import { resolvePlain } from './resolve.ts';

export const writeYaml = (value: unknown): string => writeYamlParts(value).toArray().join('');

/** The same in parts: the caller can do something else between them. */
export function* writeYamlParts(value: unknown): Generator<string, undefined> {
  yield* inParts(linesOf(value, '', ''));
}

/** The lines of an item of a list, in parts. */
export function* writeYamlItem(value: unknown): Generator<string, undefined> {
  yield* inParts(linesOfItem(value, '', ''));
}

const partLines = 1000;

function* inParts(lines: Iterable<string>): Generator<string, undefined> {
  let part: string[] = [];
  for (const line of lines) {
    part.push(line);
    if (part.length < partLines) continue;
    yield `${part.join('\n')}\n`;
    part = [];
  }
  if (part.length > 0) yield `${part.join('\n')}\n`;
}

/** The lines of a value, each with its indentation; `lead`: what stands in its place before the first of them. */
function* linesOf(value: unknown, indent: string, lead: string): Generator<string, undefined> {
  let before = lead;
  if (indent.length > indentMax) yield lead + flow(value);
  else if (Array.isArray(value) && value.length > 0) {
    for (const item of value) {
      if (isOneLine(item)) yield `${before}- ${inLine(item)}`;
      else yield* linesOfItem(item, indent, before);
      before = indent;
    }
  } else if (isFilled(value)) {
    for (const key of Object.keys(value as object).sort()) {
      const field = own(value as Readonly<Record<string, unknown>>, key);
      if (field === undefined) continue;
      const name = `${before}${isPlain(key) ? key : flow(key)}:`;
      before = indent;
      if (isOneLine(field)) yield `${name} ${inLine(field)}`;
      else if (typeof field === 'string') yield* block(field, `${indent}  `, `${name} `);
      else {
        yield name;
        const inner = Array.isArray(field) ? indent : `${indent}  `;
        yield* linesOf(field, inner, inner);
      }
    }
  } else if (isOneLine(value)) yield lead + inLine(value);
  else yield* block(value as string, indent || '  ', lead);
}

function* linesOfItem(value: unknown, indent: string, lead: string): Generator<string, undefined> {
  yield* linesOf(value, `${indent}  `, `${lead}- `);
}

/** Deeper in, values stand in one line: else a small one would be written as a hundred times as many blanks. */
const indentMax = 100;

const isFilled = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : isJsonObject(value) && Object.keys(value).length > 0;

const isOneLine = (value: unknown): boolean => (typeof value === 'string' ? !isBlock(value) : !isFilled(value));

/** A text in lines of its own. */
function* block(value: string, indent: string, lead: string): Generator<string, undefined> {
  yield `${lead}|${!value.endsWith('\n') ? '-' : value.endsWith('\n\n') ? '+' : ''}`;
  const end = value.endsWith('\n') ? value.length - 1 : value.length;
  for (let at = 0; at <= end; ) {
    const next = value.indexOf('\n', at);
    const line = value.slice(at, next < 0 ? end : next);
    yield line && indent + line;
    at += line.length + 1;
  }
}

/** What stands in one line: a scalar, or a collection that is empty. */
function inLine(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null);
  return isPlain(value) ? value : flow(value);
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

const beyondJSON = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;

/** JSON is YAML, save for a few characters, which can only be within its texts. */
function flow(value: unknown): string {
  let text = JSON.stringify(value);
  for (let found = beyondJSON.exec(text)?.[0]; found !== undefined; found = beyondJSON.exec(text)?.[0]) {
    text = text.replaceAll(found, `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }
  return text;
}
