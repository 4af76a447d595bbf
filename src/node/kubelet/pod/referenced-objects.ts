/**
 * The ConfigMaps, Secrets and other objects that pods of this node refer to: each is watched by name as long as a pod
 * refers to it, and nothing else is ever read. (The node authorizer allows no more.)
 * Upstream: pkg/kubelet/util/manager/watch_based_manager.go.
 */
import type { Pod } from '../../../api/generated/core-v1.ts';
import type { KindRef, KubeObject } from '../../../api/meta/object.ts';
import { errors, isNotFound } from '../../../api/meta/status-error.ts';
import { rootCAConfigMap } from '../../../api/meta/well-known.ts';
import { podConfigMapNames, podSecretNames } from '../../../api/predicates/pod-references.ts';
import type { Client } from '../../../client/client.ts';
import { detach } from '../../../client/detached.ts';
import { createInformer, type InformerEnvironment, type RunningInformer } from '../../../client/informers/informer-cache.ts';

/** There is something that the pod may have to wait for. The cluster's certificate is in every namespace, and in most pods. */
export const mayWaitForObjects = ({ spec }: Pod): boolean =>
  podSecretNames(spec).length > 0 || podConfigMapNames(spec).some((name) => name !== rootCAConfigMap);

interface Watched {
  readonly informer: RunningInformer<KubeObject>;
  readonly listeners: Set<() => void>;
  users: number;
}

export class ReferencedObjects implements AsyncDisposable {
  readonly #client: Client;
  readonly #environment: InformerEnvironment;
  readonly #watched = new Map<string, Watched>();

  constructor(client: Client, environment: InformerEnvironment) {
    this.#client = client;
    this.#environment = environment;
  }

  /** Watches it until disposed; `onChange` is called when it comes, changes or goes. */
  watch(kind: KindRef, at: { readonly namespace: string; readonly name: string }, onChange?: () => void): Disposable {
    const key = keyOf(kind, at);
    let watched = this.#watched.get(key);
    if (!watched) {
      watched = this.#start(kind, at);
      this.#watched.set(key, watched);
    }
    const entry = watched;
    entry.users++;
    if (onChange) entry.listeners.add(onChange);
    let released = false;
    return {
      [Symbol.dispose]: () => {
        if (released) return;
        released = true;
        if (onChange) entry.listeners.delete(onChange);
        entry.users--;
        if (entry.users > 0) return;
        this.#watched.delete(key);
        detach(
          () => entry.informer[Symbol.asyncDispose](),
          (error) => this.#environment.log.error({ error }, 'an informer did not stop'),
        );
      },
    };
  }

  /** Rejects with NotFound. Asks the API when nobody watches it. */
  async get<T extends KubeObject>(kind: KindRef<T>, at: { readonly namespace: string; readonly name: string }): Promise<T> {
    const watched = this.#watched.get(keyOf(kind, at));
    if (!watched) return await this.#client.get(kind, at).catch((error: unknown) => rethrow(error, kind, at.name));
    await watched.informer.synced;
    const object = watched.informer.get(`${at.namespace}/${at.name}`);
    if (!object) rethrow(errors.notFound(kind, at.name), kind, at.name);
    return object as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#watched.values()];
    this.#watched.clear();
    await Promise.all(all.map(({ informer }) => informer[Symbol.asyncDispose]()));
  }

  #start(kind: KindRef, { namespace, name }: { readonly namespace: string; readonly name: string }): Watched {
    const informer = createInformer(this.#client, kind, { namespace, fieldSelector: `metadata.name=${name}` }, this.#environment);
    const listeners = new Set<() => void>();
    const tell = (): void => {
      if (informer.isSynced) for (const listener of listeners) listener();
    };
    informer.on({ added: tell, updated: tell, deleted: tell });
    return { informer, listeners, users: 0 };
  }
}

/** As upstream's caches say it: `configmap "x" not found`. */
function rethrow(error: unknown, kind: KindRef, name: string): never {
  throw isNotFound(error) ? errors.notFound({ group: kind.group, resource: kind.kind.toLowerCase() }, name) : error;
}

const keyOf = (kind: KindRef, at: { readonly namespace: string; readonly name: string }): string =>
  `${kind.group}/${kind.resource}/${at.namespace}/${at.name}`;
