/**
 * Makes a built-in kind from the tables (names, scope, verbs, subresources, columns, type) and from what its own file
 * says beside them.
 */

import addonTable from '../data/addon-resources.json' with { type: 'json' };
import printerColumns from '../data/printer-columns.json' with { type: 'json' };
import resourceTable from '../data/resources.json' with { type: 'json' };
import { formatAge } from '../meta/duration.ts';
import type { Cell, Column, FieldGetter, Kind, KindHooks, Subresource, Verb, VersionConversion } from '../meta/kind.ts';
import { nameIsDnsSubdomain } from '../meta/names.ts';
import type { KindRef, KubeObject } from '../meta/object.ts';
import { own } from '../meta/words.ts';
import { objectSchema, typeNameOf } from '../schema/types.ts';

/**
 * What a kind's file may say; what it leaves out is as with most kinds. Each is explained at `Kind`.
 * Upstream: pkg/registry/<group>/<resource>/strategy.go and storage.go, pkg/kubeapiserver/default_storage_factory_builder.go.
 */
export interface KindStrategy<T extends KubeObject> {
  readonly hooks?: KindHooks<T>;
  /**
   * All that a field selector may name, where it is not just name and namespace: paths in the object, and what an absent
   * one counts as. Upstream's lists are whole: a kind has the namespace only if it says so.
   */
  readonly selectablePaths?: Readonly<Record<string, string>>;
  /** those that are no paths */
  readonly selectableFields?: Readonly<Record<string, FieldGetter<T>>>;
  describeUnknownField?(field: string, version: string): string;
  /** default: a DNS subdomain */
  validateName?(name: string, prefix: boolean, object: T): readonly string[];
  /** default: none */
  readonly hasGeneration?: boolean;
  readonly allowCreateOnUpdate?: boolean;
  /** default: true */
  readonly allowUnconditionalUpdate?: boolean;
  readonly returnsDeletedObject?: Kind['returnsDeletedObject'];
  readonly orphansByDefault?: boolean;
  /** default: true */
  readonly isCollected?: boolean;
  readonly isComputed?: boolean;
  /** default: the resource's name */
  readonly storagePrefix?: string;
  /** default: the newest stable version of the group */
  readonly storageVersion?: Kind['storageVersion'];
  readonly hashedVersion?: string;
  readonly indexedField?: string;
  readonly bulkyFields?: readonly string[];
  readonly ttlSeconds?: number;
  readonly deprecation?: string;
  readonly resetFields?: Kind['resetFields'];
  /** that the resource table lacks */
  readonly shortNames?: readonly string[];
  /** default: those of upstream's printers */
  readonly columns?: readonly Column[];
  readonly convert?: VersionConversion<T>;
}

/** Beginnings of `selectablePaths`. */
export const named = { 'metadata.name': '' } as const;
export const placed = { ...named, 'metadata.namespace': '' } as const;

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

/** Those of kinds that add-ons answer for. */
const addonRows = addonTable as readonly ResourceRow[];

const columnTable = printerColumns as unknown as Readonly<Record<string, readonly (readonly [string, string, string, number])[]>>;

/** `resource.group`, or `resource` in the core group. */
export const resourceKey = (r: { readonly group: string; readonly resource: string }): string =>
  r.group ? `${r.resource}.${r.group}` : r.resource;

const findRow = (ref: KindRef): ResourceRow => {
  const row = [...resourceRows, ...addonRows].find(
    (r) => r.group === ref.group && r.version === ref.version && r.resource === ref.resource,
  );
  if (!row) throw new Error(`no resource ${ref.resource} in ${ref.group}/${ref.version}`);
  return row;
};

export function defineKind<T extends KubeObject>(ref: KindRef<T>, extra: KindStrategy<T> = {}): Kind<T> {
  const row = findRow(ref);
  const typeName = typeNameOf(row);
  if (!typeName) throw new Error(`no type for ${resourceKey(ref)}`);
  const { selectablePaths = placed, columns = columnsOf(row), storageVersion = newestVersion(row) } = extra;
  return {
    group: ref.group,
    version: ref.version,
    kind: ref.kind,
    resource: ref.resource,
    namespaced: ref.namespaced,
    typeName,
    schema: objectSchema(typeName),
    storageVersion,
    hashedVersion: extra.hashedVersion ?? storageVersion.version,
    convert: extra.convert,
    convertRemotely: undefined,
    singular: row.singular,
    listKind: `${ref.kind}List`,
    shortNames: row.shortNames ?? extra.shortNames ?? [],
    categories: row.categories ?? [],
    verbs: row.verbs as readonly Verb[],
    subresources: row.subresources,
    scale: undefined,
    resetFields: extra.resetFields,
    columns,
    selectableFields: new Map([...fieldGetters<T>(selectablePaths), ...Object.entries(extra.selectableFields ?? {})]),
    describeUnknownField: (field) =>
      extra.describeUnknownField?.(field, row.version) ?? describeUnknownField(field, { hasOwn: extra.selectablePaths !== undefined }),
    hooks: { cells: defaultCells(columns), ...extra.hooks },
    hasGeneration: extra.hasGeneration ?? false,
    validateName: extra.validateName ?? nameIsDnsSubdomain,
    returnsDeletedObject: extra.returnsDeletedObject ?? false,
    orphansByDefault: extra.orphansByDefault ?? false,
    isCollected: extra.isCollected ?? true,
    isComputed: extra.isComputed ?? false,
    allowCreateOnUpdate: extra.allowCreateOnUpdate ?? false,
    allowUnconditionalUpdate: extra.allowUnconditionalUpdate ?? true,
    storagePrefix: extra.storagePrefix ?? ref.resource,
    indexedField: extra.indexedField,
    bulkyFields: extra.bulkyFields ?? [],
    ttlSeconds: extra.ttlSeconds,
    definition: undefined,
    isTerminating: false,
    deprecation: extra.deprecation,
  };
}

/** The same in several versions, whose types say the same of all that the hooks look at. */
export const defineVersions = <T extends KubeObject, const R extends readonly KindRef[]>(
  refs: R,
  extra: KindStrategy<T>,
): { readonly [K in keyof R]: Kind<T> } =>
  refs.map((ref) => defineKind(ref as KindRef as KindRef<T>, extra)) as readonly Kind<T>[] as { readonly [K in keyof R]: Kind<T> };

/** Stable before beta before alpha, then the greater number. */
export function versionPriority(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return -1;
  const stability = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
  return stability * 1e6 + Number(match[1]) * 1e3 + Number(match[3] ?? 0);
}

function newestVersion(row: ResourceRow): Kind['storageVersion'] {
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
  paths: Readonly<Record<string, string>>,
): readonly (readonly [string, (object: T) => string])[] {
  return Object.entries(paths).map(([path, absent]) => {
    const steps = path.split('.');
    return [path, (object) => textAt(object, steps) ?? absent];
  });
}

function describeUnknownField(field: string, { hasOwn }: { readonly hasOwn: boolean }): string {
  if (hasOwn) return `field label not supported: ${field}`;
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
