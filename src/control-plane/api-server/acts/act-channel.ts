/**
 * Where the API server tells what was done through it (client/events/acts.ts), while somebody listens: every write and
 * every refusal comes by here with its request and its objects. Acts are for people; what is kept is the audit's (audit/).
 *
 * Guarantees: without a reader it costs one comparison for each write, after the first seconds; a reader never holds anybody up.
 */
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, type StatusError } from '../../../api/meta/status-error.ts';
import type { Clock } from '../../../client/clock.ts';
import { type Act, type ActFilter, type ActStart, idOf, type LostActs } from '../../../client/events/acts.ts';
import { RecentMap } from '../../../client/recent-map.ts';
import type { ServedKinds } from '../cache/served-kinds.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { ActReader } from './act-reader.ts';
import { actorNames } from './actor.ts';
import { planAct, planRefusal } from './plan-act.ts';

/** Owners of one object, and owners of owners, that are looked for; a CronJob's pod has two. */
const ownersMax = 8;
/** Objects whose owners are remembered when they are gone: what they leave behind is still theirs. */
const rememberedMax = 5000;

/** A server that keeps its first acts does so for so long, and so many: who read from the one before comes back meanwhile. */
const firstMs = 10_000;
const firstMax = 2000;
/** Whose kinds are meant sooner than others of the same name, such as a Service. */
const workloadGroups = new Set(['apps', 'batch']);

export class ActChannel {
  readonly #clock: Clock;
  readonly #kinds: ServedKinds;
  readonly #readers = new Set<ActReader>();
  /** by uid */
  readonly #owners = new RecentMap<string, readonly string[]>(rememberedMax);

  #hasEnded: boolean = false;

  /** names this start of the server */
  readonly #start: string;
  readonly #startMs: number;
  /** absent: not kept, or no more */
  #first: Act[] | undefined;

  constructor(clock: Clock, kinds: ServedKinds, { keepsFirst = false }: { readonly keepsFirst?: boolean | undefined } = {}) {
    this.#clock = clock;
    this.#start = this.#now();
    this.#startMs = clock.monotonic();
    if (keepsFirst) this.#first = [];
    this.#kinds = kinds;
  }

  get isWatched(): boolean {
    return this.#readers.size > 0 || this.#first !== undefined;
  }

  /** Everything from now on that the filter lets through. Throws BadRequest for what is no kind, and no component; ServiceUnavailable after the end. */
  subscribe(filter?: ActFilter): AsyncIterableIterator<Act | LostActs> & Disposable;
  /** After another start of the server, everything since this one began. */
  subscribe(filter: ActFilter, after: string | undefined): AsyncIterableIterator<Act | LostActs | ActStart> & Disposable;
  subscribe(filter: ActFilter = {}, after?: string): AsyncIterableIterator<Act | LostActs | ActStart> & Disposable {
    if (this.#hasEnded) throw errors.serviceUnavailable('the API server has stopped');
    const objects = filter.objects?.map((object) => this.#resolve(object, filter.namespace));
    const nobody = filter.components?.find((name) => !actorNames.includes(name));
    if (nobody !== undefined) throw errors.badRequest(`there is no component "${nobody}", but: ${actorNames.join(', ')}`);
    const reader = new ActReader({ ...filter, objects }, () => this.#readers.delete(reader));
    if (after !== undefined) this.#tellSince(after, reader);
    this.#readers.add(reader);
    return reader;
  }

  /** A write took effect. `before`, `after`: as stored. */
  changed(cause: ResourceRequest, before: KubeObject | undefined, after: KubeObject | undefined): void {
    const object = after ?? before;
    if (!object) return;
    this.#tell(planAct({ cause, time: this.#now(), owners: this.#ownersOf(object), before, after }));
  }

  refused(request: ResourceRequest, error: StatusError): void {
    const { kind, namespace, name } = request.target;
    const at = name
      ? this.#find({ apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version, kind: kind.kind, name }, namespace)
      : undefined;
    const act = planRefusal({ request, time: this.#now(), owners: at ? this.#ownersOf(at) : [], error });
    if (act) this.#tell(act);
  }

  /** No more: every reader comes to its end. */
  end(): void {
    this.#hasEnded = true;
    for (const reader of this.#readers) reader[Symbol.dispose]();
  }

  #tellSince(after: string, reader: ActReader): void {
    const first = after === '' || after === this.#start ? undefined : this.#kept();
    reader.begin({ start: this.#start, isWhole: first !== undefined });
    for (const act of first ?? []) reader.take(act);
  }

  /** The first acts, as long as they are all that there are. */
  #kept(): Act[] | undefined {
    if (this.#first && (this.#first.length >= firstMax || this.#clock.monotonic() - this.#startMs > firstMs)) this.#first = undefined;
    return this.#first;
  }

  #tell(act: Act): void {
    this.#kept()?.push(act);
    for (const reader of this.#readers) reader.take(act);
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }

  /** An Event belongs to what its object belongs to. */
  #ownersOf(object: KubeObject): readonly string[] {
    const about = object.kind === 'Event' ? (object as { readonly involvedObject?: Reference }).involvedObject : undefined;
    if (!about) return this.#chain(object, 0);
    const there = this.#find(about, about.namespace);
    return there ? this.#chain(there, 0) : (this.#owners.get(about.uid ?? '') ?? []);
  }

  #chain({ metadata }: KubeObject, depth: number): readonly string[] {
    const { ownerReferences = [], namespace, uid = '' } = metadata;
    if (ownerReferences.length === 0 || depth === ownersMax) return [];
    const found = new Set<string>();
    for (const owner of ownerReferences.slice(0, ownersMax)) {
      found.add(idOf({ kind: owner.kind.toLowerCase(), name: owner.name }));
      const there = this.#find(owner, namespace);
      const above = there ? this.#chain(there, depth + 1) : (this.#owners.get(owner.uid) ?? []);
      for (const id of above) found.add(id);
    }
    const chain = [...found];
    this.#owners.set(uid, chain);
    return chain;
  }

  #find({ apiVersion = '', kind = '', name = '' }: Reference, namespace: string | undefined): KubeObject | undefined {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const known = this.#kinds.served.byKind(group ?? '', version ?? '', kind);
    return known && this.#kinds.find(known)?.find(known.namespaced ? namespace : undefined, name)?.object;
  }

  /** `po/x` is `pod/x`, and so are `pods.v1./x` and, of a kind with a group, `deployments.apps/x`. */
  #resolve(object: string, namespace: string | undefined): string {
    const [word = '', name, ...more] = object.split('/');
    const kind = this.#kindCalled(word.toLowerCase());
    if (name === undefined && more.length === 0) {
      const meant = this.#objectCalled(object, namespace);
      if (meant !== undefined) throw errors.badRequest(`"${object}" is no KIND/NAME: did you mean ${meant}?`);
    }
    if (!name || more.length > 0) throw errors.badRequest(`"${object}" is no KIND/NAME`);
    if (!kind) throw errors.badRequest(`there is no kind "${word}"`);
    return idOf({ kind: kind.kind.toLowerCase(), name });
  }

  #kindCalled(word: string) {
    const [called = '', ...of] = word.split('.');
    return this.#kinds.served.list().find(({ group, version, resource, singular, shortNames }) => {
      const isCalled = called === resource || called === singular || shortNames.includes(called);
      return isCalled && ['', group, `${version}.${group}`].includes(of.join('.'));
    });
  }

  /** The one that owns the others, where several are called so. */
  #objectCalled(name: string, namespace = 'default'): string | undefined {
    const found = this.#kinds.served
      .list()
      .filter(({ kind }) => kind !== 'Event')
      .flatMap((kind) => {
        const there = this.#kinds.find(kind)?.find(kind.namespaced ? namespace : undefined, name)?.object;
        return there && !there.metadata.ownerReferences ? [kind] : [];
      });
    const first = found.find(({ group }) => workloadGroups.has(group)) ?? found[0];
    return first && idOf({ kind: first.kind.toLowerCase(), name });
  }
}

interface Reference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
}
