/**
 * Takes from a custom resource what its schema does not know: unknown fields, nulls where null is no value, and in
 * metadata, its own and that of embedded resources, what no metadata has. Nothing is changed in place; what needs no
 * change is returned as it is.
 *
 * In lists, null stays until defaults are filled in. A field whose schema has a default keeps a null for the same reason.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting,objectmeta}.
 */
import { describeFieldError, type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own, put } from '../../meta/words.ts';
import { DecodeError, decode } from '../decode.ts';
import { objectSchema } from '../types.ts';
import { Path } from './places.ts';
import type { Structural, unsaid } from './structural.ts';
import { sortedFields } from './validate-value.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Pruned {
  readonly value: Record<string, unknown>;
  /** `unknown field "spec.x"`: those of its own metadata first, those of embedded metadata last */
  readonly unknown: readonly string[];
}

/** Fields that every object has, and that no schema has to name. */
export const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** Unknown fields that are told of one object. */
const toldMax = 100;

/** Throws DecodeError for metadata of wrong types. */
export function prune(root: Structural, object: Json): Pruned {
  const pruning = new Pruning(object);
  const value = pruning.value(object, root, false) as Record<string, unknown>;
  if (pruning.refusal) throw new DecodeError(describeFieldError(pruning.refusal));
  return { value, unknown: pruning.told() };
}

/** What the schema keeps of an object whose own metadata have been decoded. Throws DecodeError for those of embedded resources. */
export function keep(root: Structural, object: Json): Json {
  const pruning = new Pruning(object, { isDecoded: true });
  const value = pruning.value(object, root, false) as Json;
  if (pruning.refusal) throw new DecodeError(describeFieldError(pruning.refusal));
  return value;
}

/** A default, and what is wrong with it: whether it has what the schema doesn't know, and the first metadata of a wrong type. */
export interface PrunedDefault {
  readonly value: unknown;
  readonly hasUnknown: boolean;
  readonly refusal: FieldError | undefined;
}

export function pruneDefault(node: Structural, value: unknown, path = new Path()): PrunedDefault {
  const pruning = new Pruning(undefined, { base: path.text });
  return { value: pruning.value(value, node, false), hasUnknown: pruning.hasUnknown, refusal: pruning.refusal };
}

class Pruning {
  /** the whole object */
  readonly #root: Json | undefined;
  readonly #path: Step[] = [];
  readonly #unknown: string[] = [];
  readonly #ofMetadata: string[] = [];
  readonly #ofEmbedded: string[] = [];
  /** why metadata of an embedded resource can't be decoded */
  refusal: FieldError | undefined;
  /** before its path */
  readonly #base: string;
  /** the metadata of the whole object stay as they are */
  readonly #isDecoded: boolean;
  constructor(root: Json | undefined, { base = '', isDecoded = false } = {}) {
    this.#root = root;
    this.#base = base;
    this.#isDecoded = isDecoded;
  }

  get hasUnknown(): boolean {
    return this.#unknown.length > 0;
  }

  told(): readonly string[] {
    return [...this.#ofMetadata, ...this.#unknown.sort(), ...this.#ofEmbedded.sort()].map((path) => `unknown field "${path}"`);
  }

  /** `keeps`: unknown fields stay. It holds for the items of lists, and ends where a schema says something of a field. */
  value(value: unknown, node: Structural | typeof unsaid | undefined, keeps: boolean): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const preserves = keeps || (node?.preserves ?? false);
    if (Array.isArray(value)) return this.#list(value, node?.items, preserves);
    return this.#object(value as Json, node, preserves);
  }

  #list(list: readonly unknown[], items: Structural | undefined, keeps: boolean): readonly unknown[] {
    if (keeps && !items) return list;
    let target: unknown[] | undefined;
    for (let i = 0; i < list.length; i++) {
      this.#path.push(i);
      const next = this.value(list[i], items, keeps);
      this.#path.pop();
      if (next === list[i]) continue;
      target ??= list.slice();
      target[i] = next;
    }
    return target ?? list;
  }

  #object(source: Json, node: Structural | typeof unsaid | undefined, keeps: boolean): Json {
    const isRoot = source === this.#root;
    const hasMeta = isRoot || (node?.isEmbedded ?? false);
    let target: Record<string, unknown> | undefined;
    for (const name in source) {
      const given = own(source, name);
      const next =
        hasMeta && metaFields.has(name) ? this.#metaField(name, given, isRoot ? null : node) : this.#field(name, given, node, keeps);
      if (next === given && !target) continue;
      target ??= before(source, name);
      if (next !== undefined) put(target, name, next);
    }
    return target ?? source;
  }

  #field(name: string, given: unknown, node: Structural | typeof unsaid | undefined, keeps: boolean): unknown {
    const property = node?.property(name);
    const known = property ?? node?.additional;
    if (known === undefined) {
      if (keeps) return given;
      tell(this.#unknown, describePath([...this.#path, name]));
      return undefined;
    }
    if (given === null) return known?.dropsNull ? undefined : null;
    if (typeof given !== 'object') return given;
    this.#path.push(property ? name : { key: name });
    const next = this.value(given, known, false);
    this.#path.pop();
    return next;
  }

  /** `node`: of the embedded resource; null for the whole object */
  #metaField(name: string, given: unknown, node: Structural | null | undefined): unknown {
    if (node === null && this.#isDecoded) return given;
    if (given === null && node?.field(name)?.dropsNull) return undefined;
    if (name === 'metadata') return node === null ? decodeMetadata(given, 'metadata', this.#ofMetadata) : this.#embeddedMetadata(given);
    if (node === null || typeof given === 'string') return given;
    return this.#refuse([...this.#path, name], given, 'must be a string');
  }

  #embeddedMetadata(given: unknown): unknown {
    const path = [...this.#path, 'metadata'];
    try {
      return decodeMetadata(given, describePath(path, { brackets: true }), this.#ofEmbedded);
    } catch (error) {
      if (error instanceof DecodeError) return this.#refuse(path, given, error.message);
      throw error;
    }
  }

  /** The first counts. The value stays as it is. */
  #refuse<T>(path: readonly Step[], value: T, why: string): T {
    const at = describePath(path, { brackets: true });
    this.refusal ??= fieldErrors.invalid(`${this.#base}${this.#base && !at.startsWith('[') ? '.' : ''}${at}`, sortedFields(value), why);
    return value;
  }
}

function decodeMetadata(given: unknown, path: string, unknown: string[]): Json {
  if (given === null) return {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    const what = Array.isArray(given) ? 'array' : typeof given === 'boolean' ? 'bool' : typeof given;
    throw new DecodeError(`json: cannot unmarshal ${what} into Go value of type v1.ObjectMeta`);
  }
  const decoded = decode(objectSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'), given as Json);
  for (const told of decoded.unknown) tell(unknown, `${path}.${told.slice('unknown field "'.length, -1)}`);
  return decoded.value;
}

function tell(list: string[], path: string): void {
  if (list.length < toldMax) list.push(path);
}

function before(source: Json, name: string): Record<string, unknown> {
  const target: Record<string, unknown> = {};
  for (const key in source) {
    if (key === name) break;
    put(target, key, source[key]);
  }
  return target;
}

/** A property, an index, a key of a map. */
type Step = string | number | { readonly key: string };

/** `spec.list[0].map.a`, as unknown fields are told; what is said of metadata has keys in brackets. */
function describePath(steps: readonly Step[], { brackets }: { brackets: boolean } = { brackets: false }): string {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (typeof step === 'string' || !brackets) text += `${text && '.'}${typeof step === 'string' ? step : step.key}`;
    else text += `[${step.key}]`;
  }
  return text;
}
