/**
 * A value beside what it was: which part of the old object a part of the new one takes the place of, by the schema. Fields
 * have their names; items only those of lists that are maps, by their keys.
 * Upstream: apiserver/pkg/cel/common/equality.go.
 */
import { equalJson } from '../../meta/deep-equal.ts';
import { own } from '../../meta/words.ts';
import type { Structural } from './structural.ts';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

export class Correlation {
  readonly node: Structural;
  readonly value: unknown;
  readonly old: unknown;
  #unchanged: boolean | undefined;
  #items: ReadonlyMap<string, unknown> | undefined;
  constructor(node: Structural, value: unknown, old: unknown) {
    this.node = node;
    this.value = value;
    this.old = old;
  }

  /** Undefined where the field is new, or the schema does not know it. */
  field(name: string): Correlation | undefined {
    const { value, old, node } = this;
    const known = node.field(name);
    if (!known || !isObject(value) || !isObject(old)) return undefined;
    const before = own(old, name);
    const now = own(value, name);
    return before === undefined || now === undefined ? undefined : new Correlation(known, now, before);
  }

  item(index: number): Correlation | undefined {
    const { value, old, node } = this;
    if (!Array.isArray(value) || !Array.isArray(old) || !node.items || node.said['x-kubernetes-list-type'] !== 'map') return undefined;
    const keys = node.said['x-kubernetes-list-map-keys'] ?? [];
    this.#items ??= new Map(
      old.toReversed().flatMap((item: unknown) => {
        const key = keyOf(item, keys);
        return key === undefined ? [] : [[key, item] as const];
      }),
    );
    const key = keyOf(value[index], keys);
    const before = key === undefined ? undefined : this.#items.get(key);
    return before === undefined ? undefined : new Correlation(node.items, value[index], before);
  }

  /** Of an object, every field has to be known: what is only preserved counts as changed, as upstream has it. */
  get isUnchanged(): boolean {
    this.#unchanged ??= this.#compare();
    return this.#unchanged;
  }

  #compare(): boolean {
    const { value, old, node } = this;
    if (Array.isArray(value) && Array.isArray(old) && node.items && node.said['x-kubernetes-list-type'] === 'map') {
      return value.length === old.length && value.every((_, i) => this.item(i)?.isUnchanged ?? false);
    }
    if (!isObject(value) || !isObject(old)) return equalJson(value, old);
    const names = Object.keys(value);
    return names.length === Object.keys(old).length && names.every((name) => this.field(name)?.isUnchanged ?? false);
  }
}

/** Undefined for an item that lacks a key, or whose key is no scalar. */
function keyOf(item: unknown, keys: readonly string[]): string | undefined {
  if (!isObject(item) || keys.length === 0) return undefined;
  const values = keys.map((key) => own(item, key));
  return values.every((value) => value !== undefined && value !== null && typeof value !== 'object') ? JSON.stringify(values) : undefined;
}
