/**
 * Synchronous reads of the watch cache, for what decides about requests: authorizers, authenticators, admission,
 * allocation. Never behind an acknowledged write. No authorization: the server itself reads.
 */
import type { KindRef, KubeObject, ObjectName } from '../../api/meta/object.ts';

export interface ObjectReader {
  get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName): T | undefined;
  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): Iterable<T>;
  /** Grows with each change of the kind: what was derived from it stays valid while this stands. */
  revision(kind: KindRef): number;
}
