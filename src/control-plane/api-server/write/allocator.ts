/**
 * What the server hands out with an object (cluster IPs, node ports, quota, ranges of nodes): each allocator plans ops
 * that go into the object's own commit, so what is handed out and who holds it can't disagree, whoever writes and
 * whatever dies in between. Of a write that failed nothing is left to be given back; what an allocator knows of writes
 * that are queued helps the next one, and decides nothing.
 */
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Op, Revision } from '../../store/storage.ts';

/** What one write does to one object: `object` is absent when it goes, `oldObject` when it is new. */
export interface AllocationRequest {
  readonly kind: Kind;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly object?: KubeObject | undefined;
  readonly oldObject?: KubeObject | undefined;
  readonly dryRun: boolean;
  /** keys at which this write lost to others: whatever the cache shows, they are taken */
  readonly lost: readonly string[];
}

export interface Allocation {
  /** with what it was given */
  readonly object?: KubeObject | undefined;
  readonly ops: readonly Op[];
  /** Told the revision that the write gets, before it is durable. What it gives back is disposed when the write has ended. */
  queued?(revision: Revision): Disposable;
}

export interface Allocator {
  handles(kind: Kind): boolean;
  /**
   * Writes that all change one object besides their own (a quota) name it here: in this process they go one after
   * another, instead of losing to each other. Undefined: this one does not.
   */
  turn?(change: AllocationRequest): string | undefined;
  /** Asked again after a lost race. Undefined: nothing is handed out or given back. Throws what refuses the write. */
  allocate(change: AllocationRequest): Allocation | undefined;
  /** Ops after which what is handed out and who holds it agree: none, but for a store that an older version has left. */
  repair?(): Iterable<Op>;
}

/** Which of the things of an object, by their names, a write lets go, and which it takes. */
export function changeOf(
  { object, oldObject }: Pick<AllocationRequest, 'object' | 'oldObject'>,
  namesOf: (object: KubeObject) => readonly string[],
): { readonly dropped: readonly string[]; readonly taken: readonly string[] } {
  const before = oldObject ? namesOf(oldObject) : [];
  const after = object ? namesOf(object) : [];
  return { dropped: before.filter((name) => !after.includes(name)), taken: after.filter((name) => !before.includes(name)) };
}

const noOps: readonly Op[] = [];

/** Which allocators a kind concerns is asked once and kept. */
export class Allocators {
  readonly #all: readonly Allocator[];
  readonly #concerned = new WeakMap<Kind, readonly Allocator[]>();

  constructor(all: readonly Allocator[]) {
    this.#all = all;
  }

  /** The word by which the write waits for its turn. */
  turn(change: AllocationRequest): string | undefined {
    for (const allocator of this.#of(change.kind)) {
      const word = allocator.turn?.(change);
      if (word !== undefined) return word;
    }
    return undefined;
  }

  /** What all of them give to one write. */
  allocate(change: AllocationRequest): Allocation | undefined {
    let { object } = change;
    const parts: Allocation[] = [];
    for (const allocator of this.#of(change.kind)) {
      const given = allocator.allocate(object === change.object || !object ? change : { ...change, object });
      if (!given) continue;
      parts.push(given);
      if (given.object) object = given.object;
    }
    if (parts.length < 2) return parts[0];
    return {
      object,
      ops: parts.flatMap(({ ops }) => ops),
      queued(revision) {
        const underWay = new DisposableStack();
        for (const part of parts) underWay.use(part.queued?.(revision));
        return underWay;
      },
    };
  }

  *repairs(): Iterable<Op> {
    for (const allocator of this.#all) yield* allocator.repair?.() ?? noOps;
  }

  #of(kind: Kind): readonly Allocator[] {
    let concerned = this.#concerned.get(kind);
    if (!concerned) {
      concerned = this.#all.filter((allocator) => allocator.handles(kind));
      this.#concerned.set(kind, concerned);
    }
    return concerned;
  }
}
