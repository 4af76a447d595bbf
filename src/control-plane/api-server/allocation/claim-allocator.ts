/** What an object has alone and the API has no object for, where nothing of the object itself changes: claims that go along with it. */
import { isKind, type KindRef, type KubeObject } from '../../../api/meta/object.ts';
import type { Op } from '../../store/storage.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { Allocation, AllocationRequest, Allocator } from '../write/allocator.ts';
import type { Claims, Thing } from './claims.ts';

export interface Claimed {
  readonly kind: KindRef;
  readonly thing: Thing;
  /** each once */
  namesOf(object: KubeObject): readonly string[];
  /** Of what somebody else has: throws, or leaves it to him. */
  refuse(name: string, change: AllocationRequest): void;
}

export class ClaimAllocator implements Allocator {
  readonly #reader: ObjectReader;
  readonly #claims: Claims;
  readonly #claimed: Claimed;

  constructor(reader: ObjectReader, claims: Claims, claimed: Claimed) {
    this.#reader = reader;
    this.#claims = claims;
    this.#claimed = claimed;
  }

  handles(kind: { readonly group: string; readonly resource: string }): boolean {
    return isKind(kind, this.#claimed.kind);
  }

  allocate(change: AllocationRequest): Allocation | undefined {
    const { thing, namesOf } = this.#claimed;
    const ops = [...this.#claims.change(thing, change, namesOf, (name) => this.#takes(name, change))];
    return ops.length > 0 ? { ops } : undefined;
  }

  repair(): Iterable<Op> {
    const { kind, thing, namesOf } = this.#claimed;
    return this.#claims.repair(thing, this.#reader.list(kind), namesOf);
  }

  #takes(name: string, change: AllocationRequest): boolean {
    if (!this.#claims.isTaken(this.#claimed.thing, name, change.lost)) return true;
    this.#claimed.refuse(name, change);
    return false;
  }
}
