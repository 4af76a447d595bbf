/**
 * Fills defaults into a custom resource: an absent field, and a null where null is no value, becomes the default of its
 * schema. Nothing is changed in place; what is complete comes back as it is. A default is one frozen value, shared by all
 * objects that have it.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/defaulting/algorithm.go.
 */
import { own, put } from '../../meta/words.ts';
import { pruneDefault } from './prune.ts';
import type { Structural, unsaid } from './structural.ts';

type Json = Readonly<Record<string, unknown>>;

export function fillDefaults(node: Structural, value: unknown): unknown {
  if (!node.fills || typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? fillList(node.items, value) : fillObject(node, value as Json);
}

function fillObject(node: Structural, source: Json): Json {
  let target: Record<string, unknown> | undefined;
  const change = (name: string, value: unknown): void => {
    target ??= { ...source };
    put(target, name, value);
  };
  for (const [name, property] of node.filling) {
    const given = own(source, name);
    const value = given === undefined || (given === null && isNoNull(property)) ? defaultOf(property) : given;
    const next = fillDefaults(property, value);
    if (next !== given) change(name, next);
  }
  if (!node.additional?.fills) return target ?? source;
  for (const name in source) {
    if (node.property(name)) continue;
    const given = own(source, name);
    const next = fillPlace(node.additional, given);
    if (next !== given) change(name, next);
  }
  return target ?? source;
}

function fillList(items: Structural | undefined, source: readonly unknown[]): readonly unknown[] {
  if (!items) return source;
  let target: unknown[] | undefined;
  for (let i = 0; i < source.length; i++) {
    const next = fillPlace(items, source[i]);
    if (next === source[i]) continue;
    target ??= source.slice();
    target[i] = next;
  }
  return target ?? source;
}

/** An item or a value of a map, which is there. */
function fillPlace(node: Structural, given: unknown): unknown {
  return fillDefaults(node, given === null && isNoNull(node) ? (defaultOf(node) ?? null) : given);
}

const isNoNull = (node: Structural | typeof unsaid): boolean => !node?.said.nullable;

const defaults = new WeakMap<Structural, unknown>();

/** Without what its own schema does not know: an older server may have accepted that. */
function defaultOf(node: Structural): unknown {
  if (typeof node.said.default !== 'object') return node.said.default;
  if (!defaults.has(node)) defaults.set(node, pruneDefault(node, node.said.default).value);
  return defaults.get(node);
}
