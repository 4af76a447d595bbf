/**
 * JSON Patch (RFC 6902), with the leniencies of the library that upstream uses, since clients rely on them: `replace`
 * adds what is not there, `copy` of what is not there sets null, `test` takes a missing field for null, `add` without a
 * value sets null, an index below 0 counts from the end, what stands before the first slash of a path is not looked at.
 * The document stays as it is: containers along the paths are copied, each once.
 *
 * The work is bounded, not only the text: a few operations could double an object over and over (`copy`), and each of
 * many could look through or move a long list. A patch that goes beyond is refused like one that cannot be applied.
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go, gopkg.in/evanphx/json-patch.v4.
 */

import { equalJson } from '../meta/deep-equal.ts';
import type { Steps } from '../meta/steps.ts';
import { copyOf, own, put } from '../meta/words.ts';
import { parseJSON } from './json-scan.ts';
import { isJsonObject } from './merge-patch.ts';
import { isTooDeep, nestingMax } from './nesting.ts';

export interface JsonPatchOperation {
  readonly op?: string | null;
  readonly path?: string | null;
  readonly from?: string | null;
  readonly value?: unknown;
}

/** An operation that cannot be applied; the words are those of upstream's library. */
export class JsonPatchError extends Error {
  override readonly name = 'JsonPatchError';
}

/** Its path leads nowhere. */
class PathMissing extends JsonPatchError {}
/** It can't be done there. */
class NotThere extends JsonPatchError {}

/** What is said of either, beside the path. */
const words: Readonly<Record<string, readonly [missing: string, failed: string]>> = {
  add: ['add operation does not apply: doc is missing path: "', 'error in add for path: '],
  remove: ['remove operation does not apply: doc is missing path: "', 'error in remove for path: '],
  replace: ['replace operation does not apply: doc is missing path: ', 'error in remove for path: '],
  test: ['test operation does not apply: is missing path: ', 'error in test for path: '],
  move: ['move operation does not apply: doc is missing from path: ', 'error in move for path: '],
  copy: ['copy operation does not apply: doc is missing from path: ', 'error in copy for from: '],
};

function describe({ op, path, from }: JsonPatchOperation, error: PathMissing | NotThere): string {
  const [missing, failed] = own(words, op ?? '') ?? ['', ''];
  const where = op === 'move' || op === 'copy' ? from : path;
  if (error instanceof NotThere) return `${failed}'${where}': ${error.message}`;
  return `${missing}${where}${missing.endsWith('"') ? '"' : ''}: missing value`;
}

/** What `copy` may copy, as JSON; as upstream, which limits it like the body of a request. */
const copiedCharactersMax = 3 * 1024 * 1024;
/** Fields and items that all operations together may look through. */
const seenItemsMax = 1_000_000;
/** No key that an object can be stored with is longer than a few hundred. */
const pathCharactersMax = 64 * 1024;
/** Operations in one step. */
const operationsAtOnce = 2000;
/** Items of a list that are moved at the price of looking at one. */
const movedPerSeen = 16;

export function* applyJsonPatch(document: unknown, operations: readonly (JsonPatchOperation | null)[]): Steps<unknown> {
  const patched = new PatchedDocument(document);
  try {
    for (const [i, operation] of operations.entries()) {
      if (i % operationsAtOnce === operationsAtOnce - 1) yield;
      applyOne(patched, operation ?? {});
    }
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep();
    throw error;
  }
  if (patched.mayBeTooDeep && isTooDeep(patched.root)) throw tooDeep();
  return patched.root;
}

function applyOne(patched: PatchedDocument, operation: JsonPatchOperation): void {
  try {
    patched.apply(operation);
  } catch (error) {
    if (error instanceof PathMissing || error instanceof NotThere) throw new JsonPatchError(describe(operation, error));
    throw error;
  }
}

const tooDeep = (): JsonPatchError => new JsonPatchError(`nested deeper than ${nestingMax}`);

type Container = unknown[] | Record<string, unknown>;

/** Where an operation takes place: the container that the path leads to, and the last step. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

class PatchedDocument {
  root: unknown;
  /** Something was moved deeper into the document, and not looked through; what an operation brings is. */
  mayBeTooDeep = false;
  /** containers that this patch has made, and may change */
  readonly #own = new Set<unknown>();
  #copiedCharacters = 0;
  #seenItems = 0;

  constructor(document: unknown) {
    this.root = document;
  }

  apply({ op, path, from, value = null }: JsonPatchOperation): void {
    switch (op) {
      case 'add':
        checkDepth(path, value);
        this.#insert(path, value);
        break;
      case 'replace':
        checkDepth(path, value);
        this.#replace(path, value);
        break;
      case 'remove':
        this.#remove(this.#placeToChange(path));
        break;
      case 'move':
        this.#bring(path, this.#take(this.#placeToChange(from)));
        break;
      case 'copy':
        this.#bring(path, this.#copy(get(this.#place(from))));
        break;
      case 'test':
        this.#test(path, value);
        break;
      default:
        throw new JsonPatchError(`Unexpected kind: ${op ?? 'unknown'}`);
    }
  }

  /** What was elsewhere in the document. */
  #bring(path: string | null | undefined, value: unknown): void {
    if (typeof value === 'object' && value !== null) this.mayBeTooDeep = true;
    this.#insert(path, value);
  }

  #insert(path: string | null | undefined, value: unknown): void {
    const { container, key } = this.#placeToChange(path);
    if (!Array.isArray(container)) put(container, key, value);
    else if (key === '-') container.push(value);
    else {
      const index = indexOf(key, container.length);
      this.#see((container.length - index) / movedPerSeen);
      container.splice(index, 0, value);
    }
  }

  #replace(path: string | null | undefined, value: unknown): void {
    if (path === '') {
      if (typeof value !== 'object' || value === null) throw new JsonPatchError('replace operation value must be object or array');
      this.root = value;
      return;
    }
    const { container, key } = this.#placeToChange(path);
    if (Array.isArray(container)) container[indexOf(key, container.length - 1)] = value;
    else put(container, key, value);
  }

  #remove({ container, key }: Place): void {
    if (Array.isArray(container)) {
      const index = indexOf(key, container.length - 1);
      this.#see((container.length - index) / movedPerSeen);
      container.splice(index, 1);
    } else if (Object.hasOwn(container, key)) delete container[key];
    else throw new NotThere(`Unable to remove nonexistent key: ${key}: missing value`);
  }

  #take(place: Place): unknown {
    const value = get(place);
    this.#remove(place);
    return value;
  }

  #copy(value: unknown): unknown {
    const text = JSON.stringify(value ?? null);
    this.#copiedCharacters += text.length;
    if (this.#copiedCharacters > copiedCharactersMax) throw new JsonPatchError(`copies of more than ${copiedCharactersMax} characters`);
    return parseJSON(text);
  }

  #test(path: string | null | undefined, wanted: unknown): void {
    const found = path === '' ? this.root : (get(this.#place(path)) ?? null);
    if (typeof found === 'object' && found !== null) this.#see(Array.isArray(found) ? found.length : Object.keys(found).length);
    if (!equalJson(wanted, found)) throw new JsonPatchError(`testing value ${path} failed: test failed`);
  }

  #see(items: number): void {
    this.#seenItems += items;
    if (this.#seenItems > seenItemsMax) throw new JsonPatchError(`operations on more than ${seenItemsMax} fields and items`);
  }

  #place(path: string | null | undefined): Place {
    const steps = stepsOf(path);
    const key = steps.pop() ?? '';
    let container = this.root as Container;
    for (const step of steps) container = containerAt({ container, key: step });
    return { container, key };
  }

  /** The same, with every container that leads there copied. */
  #placeToChange(path: string | null | undefined): Place {
    const steps = stepsOf(path);
    const key = steps.pop() ?? '';
    let container = this.#owned(this.root as Container);
    this.root = container;
    for (const step of steps) {
      const next = this.#owned(containerAt({ container, key: step }));
      if (Array.isArray(container)) container[indexOf(step, container.length - 1)] = next;
      else put(container, step, next);
      container = next;
    }
    return { container, key };
  }

  #owned(container: Container): Container {
    if (this.#own.has(container)) return container;
    const copy = Array.isArray(container) ? container.slice() : copyOf(container);
    this.#own.add(copy);
    return copy;
  }
}

/** Of what comes to stand at the end of a path. */
function checkDepth(path: string | null | undefined, value: unknown): void {
  if (typeof value === 'object' && isTooDeep(value, nestingMax - (path ? stepsOf(path).length : 0))) throw tooDeep();
}

/** The steps of a path, the last one being the key of the place. */
function stepsOf(pointer: string | null | undefined): string[] {
  if (pointer === undefined || pointer === null) throw new JsonPatchError('operation missing path field');
  if (pointer.length > pathCharactersMax) throw new JsonPatchError(`a path of more than ${pathCharactersMax} characters`);
  const [, ...steps] = pointer.split('/', nestingMax + 2);
  if (steps.length === 0) throw new PathMissing();
  if (steps.length > nestingMax) throw tooDeep();
  return pointer.includes('~') ? steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')) : steps;
}

function containerAt(place: Place): Container {
  const found = get(place);
  if (Array.isArray(found) || isJsonObject(found)) return found as Container;
  throw new PathMissing();
}

/** undefined for a field that is not there; an item has to be. */
function get({ container, key }: Place): unknown {
  if (Array.isArray(container)) return container[indexOf(key, container.length - 1)];
  return own(container, key);
}

const integer = /^[-+]?\d+$/;

function indexOf(key: string, max: number): number {
  const given = integer.test(key) ? Number(key) : Number.NaN;
  const index = given < 0 ? given + max + 1 : given;
  if (!(index >= 0 && index <= max)) throw new NotThere(`Unable to access invalid index: ${key}: invalid index referenced`);
  return index;
}
