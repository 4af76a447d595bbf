/**
 * Strategic merge patch: as a merge patch, but lists of the type table that merge do so by their key (or as sets), and
 * directives say what merging cannot: `$patch: replace | delete | merge`, `$retainKeys`, `$setElementOrder/<field>`,
 * `$deleteFromPrimitiveList/<field>`. Nothing is changed in place.
 * Upstream: apimachinery/pkg/util/strategicpatch/patch.go; the API conventions' page on strategic merge patch.
 */
import { own, put } from '../meta/words.ts';
import { isJsonObject } from './merge-patch.ts';
import type { FieldSchema, Schema } from './types.ts';

type Json = Readonly<Record<string, unknown>>;

/** A patch that cannot be applied. `malformed`: the request is at fault (400), `unprocessable` (422), else upstream answers 500. */
export class StrategicMergeError extends Error {
  override readonly name = 'StrategicMergeError';
  readonly reason: 'malformed' | 'unprocessable' | 'unknown';
  constructor(message: string, reason: 'malformed' | 'unprocessable' | 'unknown' = 'unknown') {
    super(message);
    this.reason = reason;
  }
}

const directive = '$patch';
const retainKeys = '$retainKeys';
const orderPrefix = '$setElementOrder';
const deletePrefix = '$deleteFromPrimitiveList';

export function applyStrategicMerge(schema: Schema, original: Json, patch: Json): Json {
  return mergeObjects(schema, original, patch);
}

/** What the type table says of a field below `schema`; undefined below free JSON. */
function fieldOf(schema: Schema | undefined, key: string): FieldSchema | undefined {
  return schema?.type === 'object' ? schema.fields.get(key) : undefined;
}

function schemaOf(schema: Schema | undefined, key: string): Schema | undefined {
  return schema?.type === 'map' ? schema.values : fieldOf(schema, key)?.schema;
}

function mergeObjects(schema: Schema | undefined, original: Json, patch: Json): Json {
  if (directive in patch) return applyDirective(patch);
  const merged: Record<string, unknown> = retainOnly(original, patch);
  const done = new Set([retainKeys]);
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(orderPrefix)) continue;
    done.add(key);
    const field = nameAfter(key, orderPrefix, 'invalid patch format of setElementOrder list');
    if (mergeOrdered(schema, merged, patch, { field, order: own(patch, key) })) done.add(field);
  }
  for (const key of Object.keys(patch)) if (!done.has(key)) mergeField(schema, merged, key, own(patch, key));
  return merged;
}

function applyDirective(patch: Json): Json {
  const { [directive]: kind, ...rest } = patch;
  if (kind === 'replace') return rest;
  if (kind === 'delete') return {};
  throw new StrategicMergeError(`unknown patch type: ${shown(kind)} in map: ${shown(patch)}`);
}

function retainOnly(original: Json, patch: Json): Record<string, unknown> {
  if (!(retainKeys in patch)) return { ...original };
  const wrong = new StrategicMergeError('invalid patch format of retainKeys', 'malformed');
  const list = patch[retainKeys];
  if (!Array.isArray(list)) throw wrong;
  const kept: ReadonlySet<unknown> = new Set(list);
  for (const key of Object.keys(patch)) {
    const free = key === retainKeys || own(patch, key) === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix);
    if (!free && !kept.has(key)) throw wrong;
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)));
}

function nameAfter(key: string, prefix: string, message: string): string {
  if (!key.startsWith(`${prefix}/`)) throw new StrategicMergeError(message, 'malformed');
  return key.slice(prefix.length + 1);
}

function mergeField(schema: Schema | undefined, merged: Record<string, unknown>, patchKey: string, value: unknown): void {
  const isDeleteList = patchKey.startsWith(deletePrefix);
  const key = isDeleteList ? nameAfter(patchKey, deletePrefix, 'invalid patch format of primitive list') : patchKey;
  if (value === null) {
    delete merged[key];
    return;
  }
  const old = own(merged, key);
  if (old === undefined || shapeOf(old) !== shapeOf(value)) {
    if (!isDeleteList) take(merged, key, value);
  } else if (isJsonObject(old) && isJsonObject(value)) {
    const replaces = fieldOf(schema, key)?.patchStrategy.includes('replace') ?? false;
    put(merged, key, replaces ? value : mergeObjects(schemaOf(schema, key), old, value));
  } else if (Array.isArray(old) && Array.isArray(value)) {
    put(merged, key, mergeLists(fieldOf(schema, key), old, value, isDeleteList));
  } else put(merged, key, value);
}

/** The patch's value as it is, without directives and nulls; a value that is only a directive is no value. */
function take(merged: Record<string, unknown>, key: string, value: unknown): void {
  const plain = withoutDirectives(value);
  if (plain === undefined) delete merged[key];
  else put(merged, key, plain);
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isJsonObject(value)) return value;
  if (directive in value) return undefined;
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = own(value, key) === null ? undefined : withoutDirectives(own(value, key));
    if (item !== undefined) put(plain, key, item);
  }
  return plain;
}

const shapeOf = (value: unknown): string => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value);

type List = readonly unknown[];

function mergeLists(field: FieldSchema | undefined, original: List, patch: List, isDeleteList: boolean): List {
  if (!isDeleteList && !field?.patchStrategy.includes('merge')) return patch;
  if (!original.length && !patch.length) return original;
  if (!isJsonObject(elementOf(original, patch))) {
    if (isDeleteList) {
      const deleted = new Set(patch);
      return original.filter((item) => !deleted.has(item));
    }
    return inOrder([...new Set([...original, ...patch])], { order: patch, original, key: '' });
  }
  const key = field?.patchMergeKey ?? '';
  if (!key) throw new StrategicMergeError(`cannot merge lists without merge key for ${field?.name ?? 'field'}`);
  const { kept, items } = applyItemDirectives(original as readonly Json[], patch as readonly Json[], key);
  const itemSchema = field?.schema.type === 'list' ? field.schema.items : undefined;
  return inOrder(mergeItems(itemSchema, kept, items, key), { order: items, original: kept, key });
}

/** An element of either list; all of them have to be of one type, and no lists. */
function elementOf(...lists: readonly List[]): unknown {
  const all = lists.flat(1) as List;
  if (lists.some((list) => list.some((item) => Array.isArray(item)))) {
    throw new StrategicMergeError('lists of lists are not supported', 'unprocessable');
  }
  const first = all[0];
  if (all.some((item) => shapeOf(item) !== shapeOf(first))) {
    throw new StrategicMergeError(`list element types are not identical: ${lists.map(shown).join(' ')}`);
  }
  return first;
}

/** Performs `$patch` in items; what is left of both lists. */
function applyItemDirectives(
  original: readonly Json[],
  patch: readonly Json[],
  key: string,
): { readonly kept: readonly Json[]; readonly items: readonly Json[] } {
  const deleted = new Set<string>();
  let replaces = false;
  const items: Json[] = [];
  for (const item of patch) {
    const kind = item[directive];
    if (kind === undefined) items.push(item);
    else if (kind === 'replace') replaces = true;
    else if (kind === 'delete') deleted.add(identify(keyOf(item, key)));
    else if (kind === 'merge') throw new StrategicMergeError('merging lists cannot yet be specified in the patch');
    else throw new StrategicMergeError(`unknown patch type: ${shown(kind)} in map: ${shown(item)}`);
  }
  const kept = deleted.size ? original.filter((item) => !deleted.has(identify(own(item, key)))) : original;
  return { kept: replaces ? [] : kept, items };
}

function keyOf(item: Json, key: string): unknown {
  const value = own(item, key);
  if (value === undefined) throw new StrategicMergeError(`map: ${shown(item)} does not contain declared merge key: ${key}`);
  return value;
}

/** Two keys are one when they are printed alike, so that lists are merged by look-ups. */
const identify = (value: unknown): string => formatGoValue(value);

/** Where each key is found first. */
function positions(list: List, keyValue: (item: unknown) => unknown): Map<string, number> {
  const found = new Map<string, number>();
  for (const [i, item] of list.entries()) {
    const id = identify(keyValue(item));
    if (!found.has(id)) found.set(id, i);
  }
  return found;
}

function mergeItems(schema: Schema | undefined, original: readonly Json[], patch: readonly Json[], key: string): readonly Json[] {
  const merged = [...original];
  const places = positions(merged, (item) => own(item as Json, key));
  for (const item of patch) {
    const id = identify(keyOf(item, key));
    const at = places.get(id);
    const old = at === undefined ? undefined : merged[at];
    if (at !== undefined && old) merged[at] = mergeObjects(schema, old, item);
    else {
      places.set(id, merged.length);
      merged.push(withoutDirectives(item) as Json);
    }
  }
  return merged;
}

interface Ordering {
  /** what the patch names, in its order */
  readonly order: List;
  /** the list as it was */
  readonly original: List;
  /** the merge key, '' for scalars */
  readonly key: string;
}

/** Items that the patch names in its order, the others in theirs, each of them before what it was before. */
function inOrder(merged: List, { order, original, key }: Ordering): List {
  const keyValue = (item: unknown): unknown => (key && isJsonObject(item) ? own(item, key) : item);
  const inPatch = positions(order, keyValue);
  const before = positions(original, keyValue);
  const placed = merged.map((item) => {
    const id = identify(keyValue(item));
    return { item, named: inPatch.get(id), was: before.get(id) ?? -1 };
  });
  const named = placed.filter((p) => p.named !== undefined).toSorted((a, b) => (a.named ?? 0) - (b.named ?? 0));
  const others = placed.filter((p) => p.named === undefined).toSorted((a, b) => a.was - b.was);
  const result: unknown[] = [];
  let next = 0;
  for (const { item, was } of named) {
    for (let other = others[next]; other && other.was >= 0 && other.was < was; other = others[++next]) result.push(other.item);
    result.push(item);
  }
  return [...result, ...others.slice(next).map((other) => other.item)];
}

/** Merges one list by a `$setElementOrder` directive; true when the patch's own list for the field is dealt with. */
function mergeOrdered(
  schema: Schema | undefined,
  merged: Record<string, unknown>,
  patch: Json,
  { field: name, order }: { readonly field: string; readonly order: unknown },
): boolean {
  const wrong = new StrategicMergeError('invalid patch format of setElementOrder list', 'malformed');
  if (!Array.isArray(order)) throw wrong;
  const old = own(merged, name);
  const given = own(patch, name);
  if ((old !== undefined && !Array.isArray(old)) || (given !== undefined && given !== null && !Array.isArray(given))) throw wrong;
  if (given === null || (old === undefined && given === undefined)) return false;
  const field = fieldOf(schema, name);
  const key = field?.patchMergeKey ?? '';
  if (given) checkOrder(given, order as List, key);
  const list = !given ? (old ?? []) : old === undefined ? (withoutDirectives(given) as List) : mergeLists(field, old, given, false);
  put(merged, name, inOrder(list, { order: order as List, original: old ?? [], key }));
  return true;
}

/** Items of the patch have to come in the order that the directive gives. */
function checkOrder(patch: List, order: List, key: string): void {
  if (!order.length) return;
  const keyValue = (item: unknown): unknown => (key && isJsonObject(item) ? own(item, key) : item);
  let at = 0;
  for (const item of patch) {
    if (isJsonObject(item) && directive in item) continue;
    const id = identify(keyValue(item));
    while (at < order.length && identify(keyValue(order[at])) !== id) at++;
    if (at++ >= order.length) {
      const lists = `The order in patch list:\n${shown(patch)}\n doesn't match ${orderPrefix} list:\n${shown(order)}\n`;
      throw new StrategicMergeError(lists);
    }
  }
}

const shownCharactersMax = 16 * 1024;
const shown = (value: unknown): string => formatGoValue(value, shownCharactersMax);

/** A JSON value as Go's %v prints it: `map[a:1 b:[x y]]`; no more than about so many characters of it. */
export function formatGoValue(value: unknown, charactersMax: number = Number.POSITIVE_INFINITY): string {
  const rest = { characters: charactersMax };
  const format = (given: unknown): string => {
    if (rest.characters < 0) return '...';
    if (given === null || given === undefined) return '<nil>';
    if (Array.isArray(given)) return `[${each(given, format)}]`;
    if (isJsonObject(given)) return `map[${each(Object.keys(given).toSorted(), (key) => `${key}:${format(own(given, key))}`)}]`;
    const text = String(given);
    rest.characters -= text.length;
    return text.length > charactersMax ? `${text.slice(0, charactersMax)}...` : text;
  };
  const each = <T>(list: readonly T[], one: (item: T) => string): string => {
    const texts: string[] = [];
    for (const item of list) {
      texts.push(one(item));
      rest.characters -= 1;
      if (rest.characters < 0) break;
    }
    return texts.join(' ');
  };
  return format(value);
}
