/** Changes a stored object on the server's own account (bindings, evictions): no admission, no validation, retried until it fits. */
import type { KubeObject } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { ResourceRequest } from './api-request.ts';
import { commitObject } from './commit.ts';
import type { Core } from './core.ts';
import type { ServedKind } from './served-kinds.ts';
import type { StoredObject } from './stored-object.ts';

const attemptsMax = 100;

export interface StoredChange<T extends KubeObject> {
  readonly cause: ResourceRequest;
  readonly served: ServedKind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly dryRun: boolean;
  /** Throws what keeps it from being done. */
  change(object: T): T;
}

/** What is stored now; throws NotFound when there is nothing. */
export async function changeStored<T extends KubeObject>(core: Core, given: StoredChange<T>): Promise<StoredObject> {
  const { cause, served, namespace, name, dryRun } = given;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const old = served.find(namespace, name);
    if (!old) throw errors.notFound(served.kind, name);
    const object = given.change(served.asServed(old).object as T);
    if (dryRun) return old;
    const stored = await commitObject(core, served, { cause, object, at: old });
    if (stored) return stored;
  }
  throw errors.conflict(served.kind, name);
}
