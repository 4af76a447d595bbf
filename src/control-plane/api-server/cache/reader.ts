/**
 * Synchronous reads of the watch cache, for what decides about requests: authorizers, authenticators, admission,
 * allocation. Never behind an acknowledged write. No authorization: the server itself reads.
 */
import type { KindRef, KubeObject, ObjectName } from '../../../api/meta/object.ts';

export interface ObjectReader {
  get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName): T | undefined;
  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): Iterable<T>;
  /** Grows with each change of the kind: what was derived from it stays valid while this stands. */
  revision(kind: KindRef): number;
  /**
   * Calls `change` for every object that is there (`old` absent), and from then on for each change as the cache takes it
   * in, before the write that caused it is acknowledged: (new, undefined) created, (new, old) updated, (undefined, old)
   * deleted. For indexes that must be as current as the cache itself. Handlers return at once and never throw.
   * The kind need not be served yet: when it comes or goes, so do all of its objects.
   */
  follow<T extends KubeObject>(kind: KindRef<T>, change: (object: T | undefined, old: T | undefined) => void): Disposable;
}
