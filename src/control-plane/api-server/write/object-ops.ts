/**
 * Ops on objects beside the one that is written, for what allocators put into its commit: an IPAddress, a quota's status.
 * Each expects what the cache shows, so that a commit whose plan is out of date fails as a whole.
 *
 * What it does not do: admission. These objects are the server's own bookkeeping.
 */
import type { ManagerName } from '../../../api/apply/managers.ts';
import { prepareNew, withDefaults } from '../../../api/kinds/write-steps.ts';
import type { KindRef, KubeObject, New, ObjectName } from '../../../api/meta/object.ts';
import { takeSteps } from '../../../api/meta/steps.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Clock, Random } from '../../../client/clock.ts';
import type { ManagedPart } from '../../store/managed-part.ts';
import type { Op, Revision } from '../../store/storage.ts';
import type { ServedKind, ServedKinds } from '../cache/served-kinds.ts';
import { Draft } from '../cache/stored-object.ts';
import { serverManager } from '../request/field-manager.ts';
import { ownMade } from './own.ts';

export interface ObjectOps {
  create<T extends KubeObject>(kind: KindRef<T>, object: New<T>): Op;
  /** Throws when there is none. `expect`: a write of it that is queued and not shown yet. */
  replace<T extends KubeObject>(kind: KindRef<T>, object: T, expect?: Revision): Op;
  /** Undefined: there is none. */
  remove(kind: KindRef, at: ObjectName): Op | undefined;
}

export function objectOps(kinds: ServedKinds, { clock, random }: { readonly clock: Clock; readonly random: Random }): ObjectOps {
  const servedOf = (kind: KindRef): ServedKind => kinds.of(kinds.kind(kind));
  const put = (served: ServedKind, object: KubeObject, managed?: ManagedPart): Draft['puts'] =>
    new Draft(served.toStored(object), managed).puts;
  return {
    create(ref, given) {
      const served = servedOf(ref);
      const { kind } = served;
      const metadata = { ...given.metadata, uid: random.uuid(), creationTimestamp: formatTime(clock.now()) };
      const named = { kind: kind.kind, apiVersion: served.apiVersion, ...given, metadata } as KubeObject;
      const decoded = takeSteps(withDefaults(kind, named));
      const { object } = takeSteps(prepareNew(kind, decoded, { nowMs: clock.now() }));
      const by: ManagerName = { manager: serverManager, operation: 'Update', apiVersion: served.apiVersion, subresource: '' };
      const managed = takeSteps(ownMade(clock, { kind, by, object: decoded }));
      return { key: served.key(metadata.namespace, metadata.name ?? ''), expect: 'absent', ...put(served, object, managed) };
    },
    replace(ref, object, expect) {
      const served = servedOf(ref);
      const { namespace, name = '' } = object.metadata;
      const old = served.find(namespace, name);
      if (!old) throw new Error(`there is no ${ref.resource} ${name} to replace`);
      return { key: old.key, expect: expect ?? old.revision, ...put(served, object, old.managed) };
    },
    remove(ref, at) {
      const old = servedOf(ref).find(at.namespace, at.name);
      return old && { key: old.key, expect: old.revision };
    },
  };
}
