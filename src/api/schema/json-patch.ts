/**
 * JSON Patch (RFC 6902), with the leniencies of the library that upstream uses, since clients rely on them: `replace`
 * adds what is not there, `copy` of what is not there sets null, `test` takes a missing field for null, `add` without a
 * value sets null, an index below 0 counts from the end. The document stays as it is: containers along the paths are
 * copied, each once. What `copy` may copy is limited, since a few operations could double an object over and over.
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

/** As upstream, which limits it like the body of a request. */
const copiedCharactersMax = 3 * 1024 * 1024;

interface Work {
  /** containers that this patch has made, and may change */
  readonly own: Set<unknown>;
  /** by `copy`, as JSON */
  copiedCharacters: number;
}

export function applyJsonPatch(document: unknown, operations: readonly JsonPatchOperation[]): unknown {
  const work: Work = { own: new Set(), copiedCharacters: 0 };
  let result = document;
  for (const operation of operations) result = applyOperation(result, operation, work);
  return result;
}

function applyOperation(document: unknown, { op, path, from, value = null }: JsonPatchOperation, work: Work): unknown {
  const at = parsePointer(path);
  switch (op) {
    case 'add':
      return edit(document, at, (parent, key) => insert(parent, key, value), work);
    case 'replace':
      if (Array.isArray(parentOf(document, at))) requireValue(document, at);
      return edit(document, at, (parent, key) => assign(parent, key, value), work);
    case 'remove':
      requireValue(document, at);
      return edit(document, at, erase, work);
    case 'move': {
      const source = parsePointer(from);
      const moved = requireValue(document, source);
      const rest = edit(document, source, erase, work);
      return edit(rest, at, (parent, key) => insert(parent, key, moved), work);
    }
    case 'copy': {
      const text = JSON.stringify(valueAt(document, parsePointer(from)) ?? null);
      work.copiedCharacters += text.length;
      if (work.copiedCharacters > copiedCharactersMax) throw new JsonPatchError(`copies of more than ${copiedCharactersMax} characters`);
      return edit(document, at, (parent, key) => insert(parent, key, JSON.parse(text)), work);
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

const integer = /^[-+]?\d+$/;

function childOf(parent: unknown, key: string): unknown {
  if (Array.isArray(parent)) return integer.test(key) ? parent.at(Number(key)) : undefined;
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
function edit(document: unknown, path: readonly string[], change: Edit, work: Work): unknown {
  const [key = '', ...rest] = path;
  const copy = ownCopy(document, work.own);
  if (!copy) throw new JsonPatchError(`missing container at ${key}`);
  if (!rest.length) change(copy, key);
  else if (Array.isArray(copy)) copy[indexOf(copy, key, copy.length - 1)] = edit(childOf(copy, key), rest, change, work);
  else setField(copy, key, edit(childOf(copy, key), rest, change, work));
  return copy;
}

function ownCopy(container: unknown, own: Set<unknown>): unknown[] | Record<string, unknown> | undefined {
  if (own.has(container)) return container as unknown[] | Record<string, unknown>;
  const copy = Array.isArray(container) ? [...(container as unknown[])] : isJsonObject(container) ? { ...container } : undefined;
  if (copy) own.add(copy);
  return copy;
}

function indexOf(list: readonly unknown[], key: string, max: number): number {
  const given = integer.test(key) ? Number(key) : Number.NaN;
  const index = given < 0 ? given + max + 1 : given;
  if (!(index >= 0 && index <= max)) throw new JsonPatchError(`Unable to access invalid index: ${key} of ${list.length}`);
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
