/**
 * Objects that other servers hold, for those who count them: followed by a list and a watch of that server, in whichever
 * of its versions says that it serves the resource, for as long as its APIService is there. What goes with its server is
 * told as deleted, as of a custom resource whose definition goes. While a server is away, what it held counts on.
 * What it does not do: notice that a server has begun to serve a resource before its APIService changes.
 * Upstream: pkg/controller/resourcequota (the monitors of resources that discovery shows).
 */
import { APIService } from '../../../api/generated/kinds.ts';
import type { KindSnapshot } from '../../../api/kinds/kind-snapshot.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { KindRef, KubeObject } from '../../../api/meta/object.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock, Random } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import { createInformer, type RunningInformer } from '../../../client/informers/informer-cache.ts';
import type { Log } from '../../../client/log.ts';
import type { ObjectReader } from '../cache/reader.ts';

export interface ElsewhereParts {
  readonly reader: ObjectReader;
  readonly client: Client;
  readonly served: () => KindSnapshot;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

type Change = (object: KubeObject | undefined, old: KubeObject | undefined) => void;

interface Followed {
  readonly resource: Pick<KindRef, 'group' | 'resource'>;
  readonly change: Change;
  running?: { readonly kind: KindRef; readonly informer: RunningInformer<KubeObject> } | undefined;
}

/** A resource of aggregated discovery, as far as it is looked at. */
interface Discovered {
  readonly resource?: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope?: string;
  readonly verbs?: readonly string[];
}

export class ObjectsElsewhere implements Disposable {
  readonly #parts: ElsewhereParts;
  readonly #followed = new Set<Followed>();
  readonly #services: Disposable;

  constructor(parts: ElsewhereParts) {
    this.#parts = parts;
    // What it means for what is served is known a moment later.
    this.#services = parts.reader.follow(APIService, (service, old) => {
      if ((service ?? old)?.spec.service || old?.spec.service) this.#soon(() => this.#renewAll());
    });
  }

  list({ group, resource }: KindRef, namespace?: string): readonly KubeObject[] {
    const there = [...this.#followed].find((each) => each.resource.group === group && each.resource.resource === resource);
    return there?.running?.informer.list(namespace) ?? [];
  }

  /** One follower per resource. */
  follow(resource: Pick<KindRef, 'group' | 'resource'>, change: Change): Disposable {
    const followed: Followed = { resource, change };
    this.#followed.add(followed);
    this.#renew(followed);
    return {
      [Symbol.dispose]: () => {
        this.#followed.delete(followed);
        this.#end(followed);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#services[Symbol.dispose]();
    for (const each of this.#followed) this.#end(each);
    this.#followed.clear();
  }

  #renewAll(): void {
    for (const each of this.#followed) this.#renew(each);
  }

  #renew(followed: Followed): void {
    const { running, change, resource } = followed;
    const kind = this.#find(resource);
    if (running && kind && equalJson(running.kind, kind)) return;
    if (running) {
      const left = running.informer.list();
      this.#end(followed);
      for (const object of left) change(undefined, object);
    }
    if (!kind) return;
    const informer = createInformer(this.#parts.client, kind, {}, this.#parts);
    followed.running = { kind, informer };
    informer.on({
      added: (object) => change(object, undefined),
      updated: (object, old) => change(object, old),
      deleted: (old) => change(undefined, old),
    });
  }

  #end(followed: Followed): void {
    const { running } = followed;
    followed.running = undefined;
    if (running) this.#soon(() => running.informer[Symbol.asyncDispose]());
  }

  #find({ group, resource }: Pick<KindRef, 'group' | 'resource'>): KindRef | undefined {
    for (const { group: of, version, resources = [] } of this.#parts.served().backends) {
      if (of !== group || !this.#parts.reader.get(APIService, { name: `${version}.${group}` })?.spec.service) continue;
      const found = (resources as readonly Discovered[]).find((each) => each.resource === resource);
      if (found && ['list', 'watch'].every((verb) => found.verbs?.includes(verb)))
        return { group, version, resource, kind: found.responseKind?.kind ?? '', namespaced: found.scope === 'Namespaced' };
    }
    return undefined;
  }

  #soon(work: () => void | PromiseLike<void>): void {
    detach(
      () => Promise.resolve().then(work),
      (error) => this.#parts.log.error({ error }, 'objects of another server are not followed as they should be'),
    );
  }
}

/** A reader that shows those, too. */
export const withElsewhere = (reader: ObjectReader, elsewhere: ObjectsElsewhere): ObjectReader => ({
  get: (kind, at) => reader.get(kind, at),
  *list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): Iterable<T> {
    yield* reader.list(kind, namespace);
    yield* elsewhere.list(kind, namespace) as readonly T[];
  },
  revision: (kind) => reader.revision(kind),
  follow<T extends KubeObject>(kind: KindRef<T>, change: (object: T | undefined, old: T | undefined) => void): Disposable {
    const both = new DisposableStack();
    both.use(reader.follow(kind, change));
    both.use(elsewhere.follow(kind, change as Change));
    return both;
  },
});
