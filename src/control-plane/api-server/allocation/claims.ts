/**
 * Claims: records in the store, beside the objects, of what only one may have and the API has no object for (node ports,
 * ranges of nodes, names of custom resources). Who takes a thing creates its claim in the same commit, which fails when the claim is there; who
 * lets go deletes it in the same commit. They are cached like objects, and served to nobody.
 */
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Op } from '../../store/storage.ts';
import { Draft, type StoredObject } from '../cache/stored-object.ts';
import type { CachedResource, WatchCache } from '../cache/watch-cache.ts';
import { type AllocationRequest, changeOf } from '../write/allocator.ts';

/** What may be claimed. */
const things = ['nodeports', 'podcidrs', 'resourcenames'] as const;
export type Thing = (typeof things)[number];

interface Claim extends KubeObject {
  /** for whoever looks into the store; the uid tells an object from a later one of the same name */
  readonly holder: { readonly kind: string; readonly namespace?: string | undefined; readonly name: string; readonly uid: string };
}

const storagePrefix = (thing: Thing): string => `claims/${thing}`;

/** What the watch cache has to hold for it. */
export const claimResources: readonly CachedResource[] = things.map((thing) => ({
  storagePrefix: storagePrefix(thing),
  namespaced: false,
}));

export class Claims {
  readonly #cache: Pick<WatchCache, 'resource'>;

  constructor(cache: Pick<WatchCache, 'resource'>) {
    this.#cache = cache;
  }

  /** `lost`: keys that a write has lost to others, whatever the cache shows. */
  isTaken(thing: Thing, name: string, lost: readonly string[] = []): boolean {
    return this.#find(thing, name) !== undefined || lost.includes(this.#key(thing, name));
  }

  /**
   * Ops by which the claims go along with a write: what the object has no longer is let go, what it has newly is taken,
   * except what `takes` leaves to others. Taking what somebody has fails the commit.
   */
  *change(
    thing: Thing,
    { object, oldObject }: Pick<AllocationRequest, 'object' | 'oldObject'>,
    namesOf: (object: KubeObject) => readonly string[],
    takes: (name: string) => boolean = () => true,
  ): Iterable<Op> {
    const { dropped, taken } = changeOf({ object, oldObject }, namesOf);
    for (const name of dropped) {
      const op = oldObject && this.#drop(thing, name, oldObject);
      if (op) yield op;
    }
    for (const name of taken) if (object && takes(name)) yield this.#take(thing, name, object);
  }

  #take(thing: Thing, name: string, { kind, metadata }: KubeObject): Op {
    const { namespace, name: holderName = '', uid = '' } = metadata;
    const claim: Claim = {
      kind: 'Claim',
      apiVersion: 'timonier.dev/v1',
      metadata: { name },
      holder: { kind, namespace, name: holderName, uid },
    };
    return { key: this.#key(thing, name), expect: 'absent', ...new Draft(claim, undefined).puts };
  }

  /** Undefined: it was not this object's. */
  #drop(thing: Thing, name: string, { metadata }: KubeObject): Op | undefined {
    const claim = this.#find(thing, name);
    return claim && holderUid(claim) === metadata.uid ? { key: claim.key, expect: claim.revision } : undefined;
  }

  /** Ops after which each thing is claimed by its holder, or by the first of them. */
  *repair<T extends KubeObject>(thing: Thing, holders: Iterable<T>, namesOf: (holder: T) => readonly string[]): Iterable<Op> {
    const uids = new Map<string, Set<string | undefined>>();
    for (const holder of holders) {
      for (const name of namesOf(holder)) {
        const key = this.#key(thing, name);
        const others = uids.get(key);
        if (!others && !this.isTaken(thing, name)) yield this.#take(thing, name, holder);
        uids.set(key, (others ?? new Set()).add(holder.metadata.uid));
      }
    }
    for (const claim of this.#cache.resource(storagePrefix(thing))?.values() ?? [])
      if (!uids.get(claim.key)?.has(holderUid(claim))) yield { key: claim.key, expect: claim.revision };
  }

  #key(thing: Thing, name: string): string {
    return `/registry/${storagePrefix(thing)}/${fileName(name)}`;
  }

  #find(thing: Thing, name: string): StoredObject | undefined {
    return this.#cache.resource(storagePrefix(thing))?.get('', fileName(name));
  }
}

const holderUid = ({ object }: StoredObject): string => (object as Claim).holder.uid;

/** A range's slash would be another folder. */
const fileName = (name: string): string => name.replaceAll('/', '-');
