/**
 * Strategic merge patch: as a merge patch, but lists of the type table that merge do so by their key (or as sets), and
 * directives say what merging cannot: `$patch: replace | delete | merge`, `$retainKeys`, `$setElementOrder/<field>`,
 * `$deleteFromPrimitiveList/<field>`. Nothing is changed in place.
 * Upstream: apimachinery/pkg/util/strategicpatch/patch.go; the API conventions' page on strategic merge patch.
 */
import { isJsonObject, setField } from './merge-patch.ts';
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
    if (mergeOrdered(schema, merged, patch, { field, order: patch[key] })) done.add(field);
  }
  for (const key of Object.keys(patch)) if (!done.has(key)) mergeField(schema, merged, key, patch[key]);
  return merged;
}

function applyDirective(patch: Json): Json {
  const { [directive]: kind, ...rest } = patch;
  if (kind === 'replace') return rest;
  if (kind === 'delete') return {};
  throw new StrategicMergeError(`unknown patch type: ${formatGoValue(kind)} in map: ${formatGoValue(patch)}`);
}

function retainOnly(original: Json, patch: Json): Record<string, unknown> {
  if (!(retainKeys in patch)) return { ...original };
  const wrong = new StrategicMergeError('invalid patch format of retainKeys', 'malformed');
  const list = patch[retainKeys];
  if (!Array.isArray(list)) throw wrong;
  const kept: ReadonlySet<unknown> = new Set(list);
  for (const key of Object.keys(patch)) {
    const free = key === retainKeys || patch[key] === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix);
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
  const old = Object.hasOwn(merged, key) ? merged[key] : undefined;
  if (old === undefined || shapeOf(old) !== shapeOf(value)) {
    if (!isDeleteList) take(merged, key, value);
  } else if (isJsonObject(old) && isJsonObject(value)) {
    const replaces = fieldOf(schema, key)?.patchStrategy.includes('replace') ?? false;
    setField(merged, key, replaces ? value : mergeObjects(schemaOf(schema, key), old, value));
  } else if (Array.isArray(old) && Array.isArray(value)) {
    setField(merged, key, mergeLists(fieldOf(schema, key), old, value, isDeleteList));
  } else setField(merged, key, value);
}

/** The patch's value as it is, without directives and nulls; a value that is only a directive is no value. */
function take(merged: Record<string, unknown>, key: string, value: unknown): void {
  const plain = withoutDirectives(value);
  if (plain === undefined) delete merged[key];
  else setField(merged, key, plain);
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isJsonObject(value)) return value;
  if (directive in value) return undefined;
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = value[key] === null ? undefined : withoutDirectives(value[key]);
    if (item !== undefined) setField(plain, key, item);
  }
  return plain;
}

const shapeOf = (value: unknown): string => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value);

type List = readonly unknown[];

function mergeLists(field: FieldSchema | undefined, original: List, patch: List, isDeleteList: boolean): List {
  if (!isDeleteList && !field?.patchStrategy.includes('merge')) return patch;
  if (!original.length && !patch.length) return original;
  if (!isJsonObject(elementOf(original, patch))) {
    if (isDeleteList) return original.filter((item) => !patch.includes(item));
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
    throw new StrategicMergeError(`list element types are not identical: ${lists.map(formatGoValue).join(' ')}`);
  }
  return first;
}

/** Performs `$patch` in items; what is left of both lists. */
function applyItemDirectives(
  original: readonly Json[],
  patch: readonly Json[],
  key: string,
): { readonly kept: readonly Json[]; readonly items: readonly Json[] } {
  let kept = original;
  let replaces = false;
  const items: Json[] = [];
  for (const item of patch) {
    const kind = item[directive];
    if (kind === undefined) items.push(item);
    else if (kind === 'replace') replaces = true;
    else if (kind === 'delete') {
      const value = keyOf(item, key);
      kept = kept.filter((o) => !sameKey(o[key], value));
    } else if (kind === 'merge') throw new StrategicMergeError('merging lists cannot yet be specified in the patch');
    else throw new StrategicMergeError(`unknown patch type: ${formatGoValue(kind)} in map: ${formatGoValue(item)}`);
  }
  return { kept: replaces ? [] : kept, items };
}

function keyOf(item: Json, key: string): unknown {
  const value = item[key];
  if (value === undefined) throw new StrategicMergeError(`map: ${formatGoValue(item)} does not contain declared merge key: ${key}`);
  return value;
}

const sameKey = (a: unknown, b: unknown): boolean => a === b || formatGoValue(a) === formatGoValue(b);

function mergeItems(schema: Schema | undefined, original: readonly Json[], patch: readonly Json[], key: string): readonly Json[] {
  const merged = [...original];
  for (const item of patch) {
    const value = keyOf(item, key);
    const at = merged.findIndex((o) => sameKey(o[key], value));
    const old = merged[at];
    if (old) merged[at] = mergeObjects(schema, old, item);
    else merged.push(withoutDirectives(item) as Json);
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
  const keyValue = (item: unknown): unknown => (key ? (item as Json)[key] : item);
  const position = (list: List, item: unknown): number => list.findIndex((other) => sameKey(keyValue(other), keyValue(item)));
  const named = merged.filter((item) => position(order, item) >= 0).toSorted((a, b) => position(order, a) - position(order, b));
  const others = merged.filter((item) => position(order, item) < 0).toSorted((a, b) => position(original, a) - position(original, b));
  const result: unknown[] = [];
  while (named.length && others.length) {
    const other = position(original, others[0]);
    const own = position(original, named[0]);
    const otherFirst = other >= 0 && own >= 0 && other < own;
    result.push(otherFirst ? others.shift() : named.shift());
  }
  return [...result, ...named, ...others];
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
  const old = merged[name];
  const given = patch[name];
  if ((old !== undefined && !Array.isArray(old)) || (given !== undefined && given !== null && !Array.isArray(given))) throw wrong;
  if (given === null || (old === undefined && given === undefined)) return false;
  const field = fieldOf(schema, name);
  const key = field?.patchMergeKey ?? '';
  if (given) checkOrder(given, order as List, key);
  const list = !given ? (old ?? []) : old === undefined ? (withoutDirectives(given) as List) : mergeLists(field, old, given, false);
  merged[name] = inOrder(list, { order: order as List, original: old ?? [], key });
  return true;
}

/** Items of the patch have to come in the order that the directive gives. */
function checkOrder(patch: List, order: List, key: string): void {
  if (!order.length) return;
  const keyValue = (item: unknown): unknown => (key && isJsonObject(item) ? item[key] : item);
  let at = 0;
  for (const item of patch) {
    if (isJsonObject(item) && directive in item) continue;
    while (at < order.length && !sameKey(keyValue(order[at]), keyValue(item))) at++;
    if (at++ >= order.length) {
      const lists = `The order in patch list:\n${formatGoValue(patch)}\n doesn't match ${orderPrefix} list:\n${formatGoValue(order)}\n`;
      throw new StrategicMergeError(lists);
    }
  }
}

/** A JSON value as Go's %v prints it: `map[a:1 b:[x y]]`. */
export function formatGoValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(formatGoValue).join(' ')}]`;
  if (!isJsonObject(value)) return String(value);
  return `map[${Object.keys(value)
    .toSorted()
    .map((key) => `${key}:${formatGoValue(value[key])}`)
    .join(' ')}]`;
}
