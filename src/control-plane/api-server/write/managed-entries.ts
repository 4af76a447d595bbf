/**
 * Managers as the entries of a managed part, and back. Objects of one sort have the same entries but for their times, so
 * what an entry says is parsed once, and an entry whose fields are the very ones that were parsed or rendered before is not
 * rendered again: a write that changes nothing but values costs its entry a time.
 *
 * What it keeps is the process's, since equal entries are the same bytes in all of its stores; bounded by number and size.
 */
import type { FieldSet } from '../../../api/apply/field-set.ts';
import { inOrder, type Manager, type Managers, managersByKey, nobody, readManager, renderManager } from '../../../api/apply/managers.ts';
import type { ManagedFieldsEntry } from '../../../api/generated/meta-v1.ts';
import { type Steps, takeSteps } from '../../../api/meta/steps.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { interned } from '../../store/interned.ts';
import { isPlainTime, type ManagedEntry, ManagedPart } from '../../store/managed-part.ts';

/** Undefined: nobody owns any fields. */
export type Part = ManagedPart | undefined;

/** Bytes of all entries whose managers are kept, and of the largest of them; parsed, they take about ten times as much. */
const keptBytesMax = 1024 * 1024;
const entryBytesMax = 64 * 1024;
/** By their bytes; what was asked for last comes last. */
const kept = new Map<Uint8Array, Manager>();
let keptBytes = 0;
/** Without their times. By their fields, so that it holds nothing alive. */
const rendered = new WeakMap<FieldSet, { readonly manager: Manager; readonly bytes: Uint8Array }>();

export function managersOf(part: Part): Managers {
  if (!part) return nobody;
  if (!part.isList) return managersByKey((parseJSON(String(part)) as ManagedFieldsEntry[]).map(readManager));
  return managersByKey(part.entries.map(managerOf));
}

function managerOf({ bytes, time }: ManagedEntry): Manager {
  const known = kept.get(bytes);
  const manager = known ?? readManager(parseJSON(Buffer.from(bytes).toString()) as ManagedFieldsEntry);
  keep(manager, bytes);
  return time === undefined ? manager : { ...manager, time };
}

function keep(manager: Manager, bytes: Uint8Array): void {
  if (manager.time !== undefined) return;
  rendered.set(manager.fields, { manager, bytes });
  if (bytes.byteLength > entryBytesMax) return;
  if (!kept.delete(bytes)) keptBytes += bytes.byteLength;
  kept.set(bytes, manager);
  for (const oldest of kept.keys()) {
    if (keptBytes <= keptBytesMax) break;
    kept.delete(oldest);
    keptBytes -= oldest.byteLength;
  }
}

export const renderPart = (managers: Managers): Part => takeSteps(renderInSteps(managers));

export function* renderInSteps(managers: Managers): Steps<Part> {
  const [first, ...others] = inOrder(managers);
  if (!first) return undefined;
  const entries: [ManagedEntry, ...ManagedEntry[]] = [yield* render(first)];
  for (const manager of others) entries.push(yield* render(manager));
  return ManagedPart.ofEntries(entries);
}

function* render(manager: Manager): Steps<ManagedEntry> {
  const { time } = manager;
  if (time !== undefined && !isPlainTime(time)) return { bytes: encode(yield* renderManager(manager)), time: undefined };
  const known = rendered.get(manager.fields);
  if (known && isSameManager(known.manager, manager)) return { bytes: known.bytes, time };
  yield;
  const entry = yield* renderManager({ ...manager, time: undefined });
  yield;
  const bytes = encode(entry);
  keep(readManager(entry), bytes);
  return { bytes, time };
}

const encode = (entry: ManagedFieldsEntry): Uint8Array => interned(Buffer.from(JSON.stringify(entry)));

const isSameManager = (a: Manager, b: Manager): boolean =>
  a.manager === b.manager && a.operation === b.operation && a.version === b.version && a.subresource === b.subresource;
