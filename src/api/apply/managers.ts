/**
 * Who owns which fields of an object: what `metadata.managedFields` says, in memory. An entry is told from others by who
 * wrote, how (`Apply` or `Update`), through which subresource, and for updates in which version.
 *
 * Guarantees: rendered, entries are in upstream's order, and their fields too. Who changes managers makes new ones.
 * Specified by apimachinery (pkg/util/managedfields/internal/managedfields.go).
 */
import type { ManagedFieldsEntry } from '../generated/meta-v1.ts';
import type { Steps } from '../meta/steps.ts';
import { parseTime } from '../meta/time.ts';
import { type FieldSet, isEmpty, noFields, parseFieldSet, sorted, unionOf } from './field-set.ts';
import { compareTexts } from './path-element.ts';

export type Operation = 'Apply' | 'Update';

export interface ManagerName {
  readonly manager: string;
  readonly operation: Operation;
  /** that of the request; of an update it is part of the name */
  readonly apiVersion: string;
  /** '': the object itself */
  readonly subresource: string;
}

export interface Manager extends ManagerName {
  /** the version whose fields these are */
  readonly version: string;
  readonly fields: FieldSet;
  readonly time: string | undefined;
}

export type Managers = ReadonlyMap<string, Manager>;

export const nobody: Managers = new Map();

/** The key of an entry among all entries of an object. */
export function keyOfManager({ manager, operation, apiVersion, subresource }: ManagerName): string {
  return `${operation}\0${manager}\0${operation === 'Apply' ? '' : apiVersion}\0${subresource}`;
}

/** As this server has written it. */
export const readManager = (entry: ManagedFieldsEntry): Manager => managerOf(entry, (entry.fieldsV1 ?? noFields) as FieldSet);

/** As a client has written them. Throws what is wrong with them. */
export function parseManagers(entries: readonly ManagedFieldsEntry[]): Managers {
  entries.forEach(({ operation, apiVersion, fieldsType }, i) => {
    if (operation !== 'Apply' && operation !== 'Update') throw new Error('operation must be `Apply` or `Update`');
    if (!apiVersion) throw new Error('apiVersion must not be empty');
    if (!fieldsType) throw new Error(`missing fieldsType in managed fields entry ${i}`);
    if (fieldsType !== 'FieldsV1') throw new Error(`invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${i}`);
  });
  return managersByKey(entries.map((entry) => managerOf(entry, parseFieldSet(entry.fieldsV1))));
}

export const managersByKey = (managers: readonly Manager[]): Managers =>
  new Map(managers.map((manager) => [keyOfManager(manager), manager]));

function managerOf(
  { manager = '', operation = '', apiVersion = '', subresource = '', time }: ManagedFieldsEntry,
  fields: FieldSet,
): Manager {
  return { manager, operation: operation as Operation, apiVersion, subresource, version: apiVersion, fields, time };
}

/** In the order of `metadata.managedFields`. */
export const inOrder = (managers: Managers): readonly Manager[] =>
  managers.size > 1 ? [...managers.values()].sort(compareManagers) : [...managers.values()];

/** Its entry of `metadata.managedFields`. */
export function* renderManager({ manager, operation, version, time, fields, subresource }: Manager): Steps<ManagedFieldsEntry> {
  return {
    ...(manager && { manager }),
    operation,
    apiVersion: version,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: (yield* sorted(fields)) as NonNullable<ManagedFieldsEntry['fieldsV1']>,
    ...(subresource && { subresource }),
  };
}

const secondsOf = (time: string | undefined): number => Math.floor((time === undefined ? 0 : (parseTime(time) ?? 0)) / 1000);

function compareManagers(a: Manager, b: Manager): number {
  return (
    compareTexts(a.operation, b.operation) ||
    (a.time === b.time ? 0 : secondsOf(a.time) - secondsOf(b.time)) ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.version, b.version) ||
    compareTexts(a.subresource, b.subresource)
  );
}

/** Entries of updates that an object keeps apart; of more, the oldest become one. */
export const updateManagersMax = 10;
const oldUpdatesManager = 'ancient-changes';

/** With the oldest entries of updates joined per version, while there are too many. Upstream: capmanagers.go. */
export function capManagers(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation === 'Update');
  if (updaters.length <= updateManagersMax) return managers;
  updaters.sort(([a, x], [b, y]) => secondsOf(x.time) - secondsOf(y.time) || compareTexts(a, b));
  const capped = new Map(managers);
  const firstOf = new Map<string, string>();
  let count = updaters.length;
  for (const [key, manager] of updaters) {
    if (count <= updateManagersMax) break;
    const { version } = manager;
    const name: ManagerName = { manager: oldUpdatesManager, operation: 'Update', apiVersion: version, subresource: '' };
    const bucketKey = keyOfManager(name);
    const first = firstOf.get(version);
    if (first === undefined) firstOf.set(version, key);
    if (first === undefined || key === bucketKey) continue;
    const bucket = capped.get(bucketKey) ?? capped.get(first);
    if (!capped.has(bucketKey)) capped.delete(first);
    capped.delete(key);
    const fields = bucket ? unionOf(manager.fields, bucket.fields) : manager.fields;
    capped.set(bucketKey, { ...name, version, fields, time: manager.time });
    count--;
  }
  return capped;
}

/** Without entries that own nothing. */
export function withoutIdle(managers: Managers): Managers {
  if ([...managers.values()].every(({ fields }) => !isEmpty(fields))) return managers;
  return new Map([...managers].filter(([, { fields }]) => !isEmpty(fields)));
}
