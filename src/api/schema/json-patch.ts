/**
 * JSON Patch (RFC 6902), with the leniencies of the library that upstream uses, since clients rely on them: `replace`
 * adds what is not there, `copy` of what is not there sets null, `test` takes a missing field for null, `add` without a
 * value sets null. Nothing is changed in place: each operation makes new objects along its path only.
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go, gopkg.in/evanphx/json-patch.v4.
 */
import { equalJson } from '../meta/deep-equal.ts';
import { isJsonObject, setField } from './merge-patch.ts';

export interface JsonPatchOperation {
  readonly op?: string;
  readonly path?: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** An operation that cannot be applied. */
export class JsonPatchError extends Error {
  override readonly name = 'JsonPatchError';
}

export function applyJsonPatch(document: unknown, operations: readonly JsonPatchOperation[]): unknown {
  let result = document;
  for (const operation of operations) result = applyOperation(result, operation);
  return result;
}

function applyOperation(document: unknown, { op, path, from, value = null }: JsonPatchOperation): unknown {
  const at = parsePointer(path);
  switch (op) {
    case 'add':
      return edit(document, at, (parent, key) => insert(parent, key, value));
    case 'replace':
      if (Array.isArray(parentOf(document, at))) requireValue(document, at);
      return edit(document, at, (parent, key) => assign(parent, key, value));
    case 'remove':
      requireValue(document, at);
      return edit(document, at, erase);
    case 'move': {
      const source = parsePointer(from);
      const moved = requireValue(document, source);
      const rest = edit(document, source, erase);
      return edit(rest, at, (parent, key) => insert(parent, key, moved));
    }
    case 'copy': {
      const copied = valueAt(document, parsePointer(from)) ?? null;
      return edit(document, at, (parent, key) => insert(parent, key, copied));
    }
    case 'test':
      if (equalJson(valueAt(document, at) ?? null, value)) return document;
      throw new JsonPatchError(`testing value ${path} failed: test failed`);
    default:
      throw new JsonPatchError(`Unexpected kind: ${op ?? 'unknown'}`);
  }
}

function parsePointer(pointer: string | undefined): readonly string[] {
  if (pointer === undefined) throw new JsonPatchError('missing path');
  if (!pointer.startsWith('/')) throw new JsonPatchError(`invalid path ${JSON.stringify(pointer)}`);
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function childOf(parent: unknown, key: string): unknown {
  if (Array.isArray(parent)) return /^(?:0|[1-9]\d*)$/.test(key) ? parent[Number(key)] : undefined;
  return isJsonObject(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
}

const valueAt = (document: unknown, path: readonly string[]): unknown => path.reduce(childOf, document);
const parentOf = (document: unknown, path: readonly string[]): unknown => valueAt(document, path.slice(0, -1));

function requireValue(document: unknown, path: readonly string[]): unknown {
  const value = valueAt(document, path);
  if (value === undefined) throw new JsonPatchError(`missing value at ${path.join('/')}`);
  return value;
}

type Edit = (parent: unknown[] | Record<string, unknown>, key: string) => void;

/** The document with the container of `path` changed; containers along the path are copied. */
function edit(document: unknown, path: readonly string[], change: Edit): unknown {
  const [key = '', ...rest] = path;
  const copy = Array.isArray(document) ? [...(document as unknown[])] : isJsonObject(document) ? { ...document } : undefined;
  if (!copy) throw new JsonPatchError(`missing container at ${key}`);
  if (!rest.length) change(copy, key);
  else if (Array.isArray(copy)) copy[indexOf(copy, key, copy.length - 1)] = edit(childOf(copy, key), rest, change);
  else setField(copy, key, edit(childOf(copy, key), rest, change));
  return copy;
}

function indexOf(list: readonly unknown[], key: string, max: number): number {
  const index = /^(?:0|[1-9]\d*)$/.test(key) ? Number(key) : -1;
  if (index < 0 || index > max) throw new JsonPatchError(`Unable to access invalid index: ${key} of ${list.length}`);
  return index;
}

const insert = (parent: unknown[] | Record<string, unknown>, key: string, value: unknown): void => {
  if (!Array.isArray(parent)) setField(parent, key, value);
  else if (key === '-') parent.push(value);
  else parent.splice(indexOf(parent, key, parent.length), 0, value);
};

const assign = (parent: unknown[] | Record<string, unknown>, key: string, value: unknown): void => {
  if (Array.isArray(parent)) parent[indexOf(parent, key, parent.length - 1)] = value;
  else setField(parent, key, value);
};

const erase: Edit = (parent, key) => {
  if (Array.isArray(parent)) parent.splice(indexOf(parent, key, parent.length - 1), 1);
  else delete parent[key];
};
