/**
 * What no caller can mean, whatever his language lets him write: both clients refuse it alike, as a bad request that
 * says what is missing, before anything is sent. Above all a call for one object without its name, whose path is that
 * of all objects. What is in the object is the server's to judge.
 */
import type { KindRef, ObjectName } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { PatchType } from '../../api/schema/patch.ts';
import type { ListOptions, Patch } from '../client.ts';

const patchTypes: readonly PatchType[] = ['json', 'merge', 'strategic', 'apply'];

/** For people; says nothing of what is in it. */
function typeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  return value === '' ? 'an empty text' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

export function checkKind(kind: KindRef): void {
  if (isMap(kind) && typeof kind.resource === 'string' && typeof kind.version === 'string' && typeof kind.group === 'string') return;
  throw errors.badRequest(`a kind is expected, such as kinds.Pod, not ${typeOf(kind)}`);
}

/** Namespace and name of one object, and nothing else. */
export function checkedObjectName(kind: KindRef, at: Partial<ObjectName>): ObjectName {
  checkKind(kind);
  if (!isMap(at)) throw errors.badRequest(`${kind.resource}: { namespace, name } is expected, not ${typeOf(at)}`);
  const { namespace, name } = at;
  if (typeof name !== 'string' || name === '') throw errors.badRequest(`${kind.resource}: the name is ${typeOf(name)}`);
  if (namespace !== undefined && typeof namespace !== 'string')
    throw errors.badRequest(`${kind.resource}: the namespace is ${typeOf(namespace)}`);
  return { name, namespace };
}

/** Of what is to be written. */
export function checkedMetadata<M>(kind: KindRef, object: { readonly metadata: M }): M {
  checkKind(kind);
  if (!isMap(object)) throw errors.badRequest(`${kind.kind}: an object is expected, not ${typeOf(object)}`);
  if (!isMap(object.metadata))
    throw errors.badRequest(`${kind.kind}: metadata is expected to be an object, not ${typeOf(object.metadata)}`);
  return object.metadata;
}

export function checkPatch(kind: KindRef, patch: Patch): void {
  checkKind(kind);
  if (isMap(patch) && patchTypes.includes(patch.type)) return;
  throw errors.badRequest(`${kind.kind}: a patch is { type, body }, and its type one of ${patchTypes.join(', ')}`);
}

/** All there are is `{}`, said aloud. */
export function checkSelection(kind: KindRef, selection: ListOptions): void {
  checkKind(kind);
  if (!isMap(selection)) throw errors.badRequest(`${kind.kind}: a selection is expected, not ${typeOf(selection)}`);
}

export function checkPath(path: string): void {
  if (typeof path !== 'string' || !path.startsWith('/')) throw errors.badRequest('a path begins with /');
}
