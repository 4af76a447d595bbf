/**
 * What is wrong with an applied object for its type: values of another sort, fields that the type does not have, items
 * without keys or with the same ones. Whether the values themselves will do is asked later, as of every object.
 * Messages are upstream's, Go's way of showing values among them. Specified by structured-merge-diff (typed/validate.go).
 */
import { own } from '../meta/words.ts';
import { problemsMax } from '../schema/decode.ts';
import type { ListSchema, Schema } from '../schema/types.ts';
import { describePathElement, fieldElement, type PathElement } from './path-element.ts';
import { asList, asMap, fieldSchema, itemElement, type Json, shapeOf, TypedError } from './structure.ts';

/** Throws TypedError with all that is wrong. `repeats`: items may have the same keys, as those of stored objects may. */
export function checkTyped(schema: Schema, object: unknown, { repeats = false } = {}): void {
  const found: string[] = [];
  check(schema, object, { parent: undefined, element: undefined, repeats, found });
  if (found.length === 1) throw new TypedError(found[0]);
  if (found.length > 1) throw new TypedError(['errors:', ...found.map((problem) => `  ${problem}`)].join('\n'));
}

/** A place in the object; its path is made when something is wrong there. */
interface At {
  readonly parent: At | undefined;
  readonly element: PathElement | undefined;
  readonly repeats: boolean;
  readonly found: string[];
}

const below = (parent: At, element: PathElement): At => ({ parent, element, repeats: parent.repeats, found: parent.found });

const pathOf = ({ parent, element }: At): string => (parent && element ? pathOf(parent) + describePathElement(element) : '');

function report(at: At, problem: string): void {
  const path = pathOf(at);
  if (at.found.length < problemsMax) at.found.push(path ? `${path}: ${problem}` : problem);
}

function check(schema: Schema, value: unknown, at: At): void {
  const shape = shapeOf(schema, value);
  if (value === null || value === undefined) return;
  if (shape === 'scalar') checkScalar(schema, value, at);
  else if (shape === 'map') {
    const map = asMap(value);
    if (map) checkMap(schema, map, at);
    else report(at, `expected map, got &{${showPlain(value)}}`);
  } else {
    const list = asList(value);
    if (list && schema.type === 'list') checkList(schema, list, at);
    else if (!list) report(at, `expected list, got &{${showPlain(value)}}`);
  }
}

function checkMap(schema: Schema, map: Json, at: At): void {
  for (const name in map) {
    const type = fieldSchema(schema, name);
    const part = below(at, fieldElement(name));
    if (!type) {
      report(part, 'field not declared in schema');
      return;
    }
    check(type, own(map, name), part);
  }
}

function checkList(schema: ListSchema, list: readonly unknown[], at: At): void {
  const seen = new Set<PathElement>();
  for (const [i, item] of list.entries()) {
    let element: PathElement = `i:${i}`;
    if (schema.listType !== 'atomic') {
      try {
        element = itemElement(schema, item);
      } catch (error) {
        if (!(error instanceof TypedError)) throw error;
        report(at, `element ${i}: ${error.message}`);
        return;
      }
      if (seen.has(element) && !at.repeats) report(at, `duplicate entries for key ${describePathElement(element)}`);
      seen.add(element);
    }
    check(schema.items, item, below(at, element));
  }
}

function checkScalar({ type }: Schema, value: unknown, at: At): void {
  switch (type) {
    case 'int32':
    case 'int64':
    case 'double':
      if (typeof value !== 'number') report(at, `expected numeric (int or float), got ${goType(value)}`);
      return;
    case 'string':
    case 'bytes':
      if (typeof value !== 'string') report(at, `expected string, got &value.valueUnstructured{Value:${showTyped(value)}}`);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') report(at, `expected boolean, got &{${showPlain(value)}}`);
      return;
    default:
      if (typeof value === 'object') report(at, `expected any scalar, got &{${showPlain(value)}}`);
  }
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

const entries = (value: object): readonly (readonly [string, unknown])[] => Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** As %v shows it. */
function showPlain(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(showPlain).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${entries(value)
      .map(([name, part]) => `${name}:${showPlain(part)}`)
      .join(' ')}]`;
  return String(value);
}

/** As %#v shows it. */
function showTyped(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(showTyped).join(', ')}}`;
  if (typeof value === 'object') {
    return `map[string]interface {}{${entries(value)
      .map(([name, part]) => `${JSON.stringify(name)}:${showTyped(part)}`)
      .join(', ')}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
