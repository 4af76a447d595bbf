/**
 * Puts what other servers say of their group-versions into a document of version 2. A path is whose it was first. A
 * definition that is there already, but for the kinds that it names, is shared; one that says something else under the
 * same name gets another (`_v2`), by which its own paths refer to it.
 * Upstream: kube-openapi/pkg/aggregator (MergeSpecsIgnorePathConflictRenamingDefinitionsAndParameters).
 */
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { Steps } from '../../../api/meta/steps.ts';
import { own, put } from '../../../api/meta/words.ts';
import type { Json } from './openapi-schemas.ts';

export interface Part {
  readonly paths: Json;
  readonly definitions: Json;
}

const prefix = '#/definitions/';
const kindsKey = 'x-kubernetes-group-version-kind';

export function* mergeOpenApiV2(document: Json, parts: Iterable<Part>): Steps<Json> {
  const paths: Record<string, unknown> = { ...(document['paths'] as Json) };
  const definitions: Record<string, unknown> = { ...(document['definitions'] as Json) };
  for (const part of parts) {
    const names = planNames(definitions, part.definitions);
    for (const [name, definition] of Object.entries(part.definitions)) {
      yield;
      const merged = names.get(name) ?? name;
      const added = renamed(definition, names);
      const there = own(definitions, merged);
      put(definitions, merged, there === undefined ? added : withKinds(there as Json, added as Json));
    }
    for (const [path, item] of Object.entries(part.paths)) if (!Object.hasOwn(paths, path)) put(paths, path, renamed(item, names));
  }
  const sorted = Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, paths: sorted, definitions };
}

/** Under which name each definition comes in, where it is not its own. */
function planNames(there: Json, added: Json): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, definition] of Object.entries(added)) {
    let free = name;
    for (let i = 2; isOther(own(there, free), definition) || (free !== name && Object.hasOwn(added, free)); i++) free = `${name}_v${i}`;
    if (free !== name) names.set(name, free);
  }
  return names;
}

const isOther = (there: unknown, definition: unknown): boolean =>
  there !== undefined && !equalJson(withoutKinds(there), withoutKinds(definition));

const withoutKinds = (definition: unknown): Json => {
  const { [kindsKey]: _, ...rest } = definition as Json;
  return rest;
};

function withKinds(there: Json, added: Json): Json {
  const more = added[kindsKey];
  if (!Array.isArray(more)) return there;
  const kinds = Array.isArray(there[kindsKey]) ? (there[kindsKey] as unknown[]) : [];
  const missing = more.filter((kind) => !kinds.some((each) => equalJson(each, kind)));
  return missing.length > 0 ? { ...there, [kindsKey]: [...kinds, ...missing] } : there;
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      const name = key === '$ref' && typeof each === 'string' && each.startsWith(prefix) ? names.get(each.slice(prefix.length)) : undefined;
      return [key, name === undefined ? renamed(each, names) : prefix + name];
    }),
  );
}
