/**
 * Makes a built-in kind from the tables: names, scope, verbs, subresources, columns, type, and upstream's traits. A
 * kind's own file adds hooks and what no table can say.
 */

import printerColumns from '../data/printer-columns.json' with { type: 'json' };
import resourceTable from '../data/resources.json' with { type: 'json' };
import { formatAge } from '../meta/duration.ts';
import type { Cell, Column, FieldGetter, Kind, KindHooks, Subresource, Verb, VersionConversion } from '../meta/kind.ts';
import { nameIsDnsSubdomain } from '../meta/names.ts';
import type { KindRef, KubeObject } from '../meta/object.ts';
import { own } from '../meta/words.ts';
import { objectSchema, typeNameOf } from '../schema/types.ts';
import { conversions } from './conversions.ts';
import {
  createOnUpdateKinds,
  fieldRefusals,
  generationKinds,
  nameChecks,
  returnsDeletedKinds,
  selectableByDefault,
  selectablePaths,
  shortNames,
  storagePrefixes,
  storageVersions,
  ttlSeconds,
  versionedUpdateKinds,
} from './traits.ts';

/** What a kind's file may say; everything else comes from the tables. */
export interface KindExtra<T extends KubeObject> {
  readonly hooks?: KindHooks<T>;
  /** added to those of the traits */
  readonly selectableFields?: Readonly<Record<string, FieldGetter<T>>>;
  readonly immutablePaths?: readonly string[];
  readonly hasGeneration?: boolean;
  validateName?(name: string, prefix: boolean, object: T): readonly string[];
  readonly allowCreateOnUpdate?: boolean;
  readonly allowUnconditionalUpdate?: boolean;
  readonly storagePrefix?: string;
  readonly ttlSeconds?: number;
  readonly columns?: readonly Column[];
  readonly convert?: VersionConversion<T>;
}

export interface ResourceRow {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly singular: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources: Readonly<Record<string, Subresource>>;
}

/** The 95 resources of the API, in the table's order. */
export const resourceRows: readonly ResourceRow[] = resourceTable as readonly ResourceRow[];

const columnTable = printerColumns as unknown as Readonly<Record<string, readonly (readonly [string, string, string, number])[]>>;

/** `resource.group`, or `resource` in the core group. */
export const resourceKey = (r: { readonly group: string; readonly resource: string }): string =>
  r.group ? `${r.resource}.${r.group}` : r.resource;

const findRow = (ref: KindRef): ResourceRow => {
  const row = resourceRows.find((r) => r.group === ref.group && r.version === ref.version && r.resource === ref.resource);
  if (!row) throw new Error(`no resource ${ref.resource} in ${ref.group}/${ref.version}`);
  return row;
};

export function defineKind<T extends KubeObject>(ref: KindRef<T>, extra: KindExtra<T> = {}): Kind<T> {
  const row = findRow(ref);
  const key = resourceKey(ref);
  const typeName = typeNameOf(row);
  if (!typeName) throw new Error(`no type for ${key}`);
  const convert = extra.convert ?? (conversions[`${key}/${ref.version}`] as VersionConversion<T> | undefined);
  const columns = extra.columns ?? columnsOf(row);
  const ttl = extra.ttlSeconds ?? own(ttlSeconds, key);
  return {
    group: ref.group,
    version: ref.version,
    kind: ref.kind,
    resource: ref.resource,
    namespaced: ref.namespaced,
    typeName,
    schema: objectSchema(typeName),
    storageVersion: storageVersionOf(row),
    ...(convert && { convert }),
    singular: row.singular,
    shortNames: row.shortNames ?? own(shortNames, key) ?? [],
    categories: row.categories ?? [],
    verbs: row.verbs as readonly Verb[],
    subresources: row.subresources,
    columns,
    selectableFields: new Map([...fieldGetters<T>(own(selectablePaths, key)), ...Object.entries(extra.selectableFields ?? {})]),
    describeUnknownField: (field) => describeUnknownField(key, field, row.version),
    hooks: { cells: defaultCells(columns), ...extra.hooks },
    immutablePaths: extra.immutablePaths ?? [],
    hasGeneration: extra.hasGeneration ?? generationKinds.has(key),
    validateName: extra.validateName ?? own(nameChecks, key) ?? nameIsDnsSubdomain,
    returnsDeletedObject: returnsDeletedKinds.has(key),
    allowCreateOnUpdate: extra.allowCreateOnUpdate ?? createOnUpdateKinds.has(key),
    allowUnconditionalUpdate: extra.allowUnconditionalUpdate ?? !versionedUpdateKinds.has(key),
    storagePrefix: extra.storagePrefix ?? own(storagePrefixes, key) ?? ref.resource,
    ...(ttl !== undefined && { ttlSeconds: ttl }),
  };
}

/** Stable before beta before alpha, then the greater number. */
export function versionPriority(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return -1;
  const stability = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
  return stability * 1e6 + Number(match[1]) * 1e3 + Number(match[3] ?? 0);
}

function storageVersionOf(row: ResourceRow): { readonly group: string; readonly version: string } {
  const elsewhere = own(storageVersions, resourceKey(row));
  if (elsewhere) return elsewhere;
  const versions = resourceRows.filter((r) => r.group === row.group && r.resource === row.resource).map((r) => r.version);
  const newest = versions.reduce((a, b) => (versionPriority(b) > versionPriority(a) ? b : a), row.version);
  return { group: row.group, version: newest };
}

/** The Table's columns: those of the version, else of another version of the resource, else name and age. */
function columnsOf(row: ResourceRow): readonly Column[] {
  const suffix = row.group ? `.${row.group}` : '';
  const versions = [row.version, ...resourceRows.filter((r) => r.group === row.group && r.resource === row.resource).map((r) => r.version)];
  const found = versions.map((v) => columnTable[`${row.resource}.${v}${suffix}`]).find((c) => c !== undefined);
  return (found ?? defaultColumns).map(([name, type, format, priority]) => ({ name, type, format, priority }));
}

/** The cells of kinds whose file has no own: what every object has. */
function defaultCells(columns: readonly Column[]): NonNullable<KindHooks['cells']> {
  return ({ metadata }, { nowMs }) =>
    columns.map(({ name }): Cell => {
      if (name === 'Name') return metadata.name ?? '';
      if (name === 'Age') return formatAge(metadata.creationTimestamp, nowMs);
      return name === 'Created At' ? (metadata.creationTimestamp ?? null) : '<none>';
    });
}

const defaultColumns = [
  ['Name', 'string', 'name', 0],
  ['Age', 'string', '', 0],
] as const;

function fieldGetters<T extends KubeObject>(
  paths: Readonly<Record<string, string>> = selectableByDefault,
): readonly (readonly [string, (object: T) => string])[] {
  return Object.entries(paths).map(([path, absent]) => {
    const steps = path.split('.');
    return [path, (object) => textAt(object, steps) ?? absent];
  });
}

function describeUnknownField(key: string, field: string, version: string): string {
  const refusal = own(fieldRefusals, key);
  if (refusal) return refusal(field, version);
  if (own(selectablePaths, key)) return `field label not supported: ${field}`;
  return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

function textAt(object: unknown, steps: readonly string[]): string | undefined {
  let at = object;
  for (const step of steps) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = own(at as Record<string, unknown>, step);
  }
  return at === undefined || at === null ? undefined : String(at);
}
