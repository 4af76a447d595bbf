/**
 * The step "own" of a write: who owns which fields afterwards. It looks at the object as the client wants it, decoded
 * and defaulted; what admission and the kind's own steps add belongs to nobody.
 *
 * Guarantees: a write after which everybody owns what he owned hands on the very bytes of the managed part, and does not
 * parse them. What clients send as managedFields counts as upstream has it: of the object itself it takes the place of
 * what is stored, an empty list or entry resets, what can't be read is passed over; through a subresource nothing of it
 * counts. An object that nobody owns fields of stays so until somebody applies it.
 * Upstream: apimachinery/pkg/util/managedfields/internal (fieldmanager.go, skipnonapplied.go).
 */
import {
  compareOwnable,
  managersAfterUpdate,
  managersOfNew,
  type OwnUpdate,
  type TypeVersions,
  type VersionedType,
} from '../../../api/apply/change-managers.ts';
import { isSame } from '../../../api/apply/compare.ts';
import { type ManagerName, type Managers, type Operation, parseManagers } from '../../../api/apply/managers.ts';
import { type Json, TypedError } from '../../../api/apply/structure.ts';
import type { ManagedFieldsEntry } from '../../../api/generated/meta-v1.ts';
import { fromStorage, inVersion, toStorage } from '../../../api/kinds/registry.ts';
import { resetFieldsOf } from '../../../api/kinds/reset-fields.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { isCustom, type Kind } from '../../../api/meta/kind.ts';
import { apiVersionOf, type KubeObject } from '../../../api/meta/object.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { Steps } from '../../../api/meta/steps.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { decode } from '../../../api/schema/decode.ts';
import type { Clock } from '../../../client/clock.ts';
import type { ManagedPart } from '../../store/managed-part.ts';
import type { ServedKinds } from '../cache/served-kinds.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { partAsLast, rememberMade } from './last-made.ts';
import { managersOf, type Part, renderInSteps, renderPart } from './managed-entries.ts';
import type { VerbContext } from './verb-context.ts';

export interface OwnedWrite {
  readonly kind: Kind;
  readonly by: ManagerName;
  /** as the client wants it, with the managedFields that he sends */
  readonly object: KubeObject;
}

type Server = Pick<VerbContext, 'kinds' | 'clock'>;

/** In steps: a large object has many fields. */
type Owning = Steps<Part | Promise<Part>>;

/** Of a new object. */
export function* ownNew(server: Server, write: OwnedWrite): Owning {
  const said = readGiven(write.object.metadata.managedFields);
  if (!said) return yield* ownMade(server.clock, write);
  return yield* afterUpdate(server, write, { before: emptyObject(write.kind), said, part: undefined });
}

/** Of a new object that comes without managedFields. */
export function* ownMade(clock: Pick<Clock, 'now'>, { kind, by, object: given }: OwnedWrite): Steps<Part> {
  const time = formatTime(clock.now());
  const made = { kind, by, object: asConverted(kind, given), empty: emptyObject(kind) };
  const asLast = partAsLast(made, time);
  if (asLast) return asLast;
  const type = { schema: kind.schema, reset: resetFieldsOf(kind, by.subresource) };
  const comparison = yield* told(compareOwnable(type, { before: json(made.empty), after: json(made.object) }));
  if (!comparison) return undefined;
  yield;
  const part = yield* renderInSteps(yield* managersOfNew({ by, comparison, time }));
  rememberMade(made, part);
  return part;
}

/** Of an object that takes the place of what is stored; `old`: that in the kind's version. */
export function* ownChanged(server: Server, write: OwnedWrite, { old, part }: { readonly old: KubeObject; readonly part: Part }): Owning {
  const given = write.by.subresource ? undefined : write.object.metadata.managedFields;
  if (given && isReset(given)) return undefined;
  const said = readGiven(given);
  return said || part ? yield* afterUpdate(server, write, { before: old, said, part }) : undefined;
}

/** What admission has made of the managed fields, if it has; what can't be read is not taken. */
export function ownAdmitted(request: Pick<ResourceRequest, 'warn'>, { metadata }: KubeObject, part: Part): Part {
  const { managedFields } = metadata;
  if (!managedFields) return part;
  try {
    return renderPart(parseManagers(managedFields));
  } catch (error) {
    const why = 'this could be caused by an outdated mutating admission controller; please fix your requests';
    request.warn(`.metadata.managedFields was in an invalid state after admission; ${why}: ${messageOf(error)}`);
    return part;
  }
}

export function withoutManagers(object: KubeObject): KubeObject {
  if (!object.metadata.managedFields) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

interface Before {
  readonly before: KubeObject;
  /** by the client, in place of the part that is stored */
  readonly said: Managers | undefined;
  readonly part: Part;
}

function* afterUpdate(server: Server, { kind, by, object }: OwnedWrite, { before, said, part }: Before): Owning {
  const types = typeVersions(server.kinds, kind, by.subresource);
  const change = { before: json(before), after: json(asConverted(kind, object)) };
  const comparison = yield* told(compareOwnable(typeOf(types), change));
  if (!comparison) return undefined;
  if (isSame(comparison)) return said ? renderPart(said) : part;
  yield;
  const managers = said ?? managersOf(part);
  const after = yield* afterChange(server, { types, change, managers, comparison, by });
  return after instanceof Promise ? after.then(renderPart) : yield* renderInSteps(after);
}

/**
 * As it comes back from the stored version, where that is another: defaults that only a conversion fills in are the
 * writer's. Of a custom resource, all that he wants is his.
 */
function asConverted(kind: Kind, object: KubeObject): KubeObject {
  const stored = kind.convert && !isCustom(kind) ? toStorage(kind, object) : object;
  return stored === object ? object : fromStorage(kind, stored);
}

/** As upstream: what can't be told apart into fields belongs to nobody. */
function* told<T>(make: Steps<T>): Steps<T | undefined> {
  try {
    return yield* make;
  } catch (error) {
    if (error instanceof TypedError) return undefined;
    throw error;
  }
}

const json = (object: KubeObject): Json => object as unknown as Json;

/** The managers after an update, if nobody reads or writes what they were. */
export const afterChange = (server: Pick<VerbContext, 'clock'>, change: Omit<OwnUpdate, 'time'>): Steps<Managers | Promise<Managers>> =>
  managersAfterUpdate({ ...change, time: formatTime(server.clock.now()) });

/** The type in the request's own version. */
export function typeOf(types: TypeVersions): VersionedType {
  const type = types.typeIn(types.version);
  if (!type) throw new Error(`there is no version ${types.version}`);
  return type;
}

/** `managedFields: []` and `[{}]`. */
function isReset(given: readonly ManagedFieldsEntry[]): boolean {
  const [first] = given;
  return given.length <= 1 && (!first || Object.keys(first).length === 0);
}

function readGiven(given: readonly ManagedFieldsEntry[] | undefined): Managers | undefined {
  if (!given?.length || isReset(given)) return undefined;
  try {
    return parseManagers(given);
  } catch {
    // As upstream: clients that don't know managedFields can't do harm to them.
    return undefined;
  }
}

/** Whether two parts differ in nothing but times. Entries of the same bytes are not parsed, and so are large ones never. */
export function isSamePart(a: Part, b: Part): boolean {
  if (a === b) return true;
  if (!a || !b || a.isList !== b.isList || a.entries.length !== b.entries.length) return false;
  const isTimed = ({ entries }: ManagedPart): boolean => entries.every(({ time }) => time !== undefined);
  if (isTimed(a) && isTimed(b)) return a.entries.every(({ bytes }, i) => Buffer.compare(bytes, b.entries[i]?.bytes ?? bytes) === 0);
  const timeless = (part: Part) => [...managersOf(part).values()].map(({ time: _, ...manager }) => manager);
  return equalJson(timeless(a), timeless(b));
}

/** As whom a request writes. */
export function writerOf({ fieldManager, target }: ResourceRequest, operation: Operation): ManagerName {
  const { kind, subresource = '' } = target;
  return { manager: fieldManager || 'unknown', operation, apiVersion: apiVersionOf(kind), subresource };
}

const empties = new WeakMap<Kind, KubeObject>();

/** What an object of the kind is when nothing is said of it. */
export function emptyObject(kind: Kind): KubeObject {
  let empty = empties.get(kind);
  if (!empty) {
    empty = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: {}, ...decode(kind.schema, {}).value } as unknown as KubeObject;
    empties.set(kind, empty);
  }
  return empty;
}

/** The kind in all versions that there are of it: what is owned in one that is not served any more stays owned. */
export function typeVersions(kinds: ServedKinds, kind: Kind, subresource = ''): TypeVersions {
  const { group, resource } = kind;
  const version = apiVersionOf(kind);
  const kindIn = (wanted: string): Kind | undefined => {
    if (wanted === version) return kind;
    const prefix = group ? `${group}/` : '';
    return wanted.startsWith(prefix) ? kinds.served.known(group, wanted.slice(prefix.length), resource) : undefined;
  };
  return {
    version,
    typeIn(wanted) {
      const found = kindIn(wanted);
      return found && { schema: found.schema, reset: resetFieldsOf(found, subresource) };
    },
    convert(object, wanted) {
      const to = kindIn(wanted);
      const from = kindIn((object as unknown as KubeObject).apiVersion);
      return to && from ? (inVersion(object as unknown as KubeObject, from, to) as unknown as Json | Promise<Json>) : object;
    },
  };
}
