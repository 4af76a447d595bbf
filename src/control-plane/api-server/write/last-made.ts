/**
 * The entries of new objects, from those of the last ones of their kind: a writer makes objects of one sort, which have the
 * same fields, and then only the time of the entry is another.
 *
 * What it keeps is the process's, per kind, and no object is kept alive by it.
 */
import type { ManagerName } from '../../../api/apply/managers.ts';
import { haveSameFields } from '../../../api/apply/same-fields.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { ManagedPart } from '../../store/managed-part.ts';
import type { Part } from './managed-entries.ts';

interface Made {
  readonly by: ManagerName;
  readonly object: WeakRef<KubeObject>;
  readonly part: ManagedPart;
}

/** Sorts of objects that are told apart per kind. */
const sortsMax = 4;
/** What is larger is walked in turns instead. */
const partBytesMax = 4 * 1024;
/** the one that was asked for last comes first */
const lastMade = new WeakMap<Kind, Made[]>();

export interface New {
  readonly kind: Kind;
  readonly by: ManagerName;
  readonly object: KubeObject;
  /** what an object of the kind is when nothing is said of it */
  readonly empty: KubeObject;
}

/** Undefined: none of the last was like it. */
export function partAsLast({ kind, by, object, empty }: New, time: string): Part {
  const made = lastMade.get(kind);
  const found = made?.findIndex((last) => isLike(last)) ?? -1;
  const last = made?.[found];
  if (!made || !last) return undefined;
  if (found > 0) made.unshift(...made.splice(found, 1));
  const [entry] = last.part.entries;
  if (!entry || entry.time === time) return last.part;
  const part = ManagedPart.ofEntries([{ ...entry, time }]);
  made[0] = { ...last, part };
  return part;

  function isLike(last: Made): boolean {
    const other = isSameWriter(last.by, by) ? last.object.deref() : undefined;
    return other !== undefined && haveSameFields(kind.schema, { one: object, other }, empty);
  }
}

export function rememberMade({ kind, by, object }: New, part: Part): void {
  if (part?.entries.length !== 1 || part.byteLength > partBytesMax) return;
  const made = { by, object: new WeakRef(object), part };
  lastMade.set(kind, [made, ...(lastMade.get(kind) ?? [])].slice(0, sortsMax));
}

const isSameWriter = (a: ManagerName, b: ManagerName): boolean =>
  a.manager === b.manager && a.apiVersion === b.apiVersion && a.subresource === b.subresource && a.operation === b.operation;
