/**
 * Ranges of nodes: a range that an update gives to a node is that node's alone, whoever gives it (two controllers, one of
 * which has lost its lease without knowing, read the same free range). A node that is made with its range is believed, as
 * upstream does: simulators bring such nodes, with ranges that others have too.
 */
import { Node } from '../../../api/generated/kinds.ts';
import { isKind, type KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { Op } from '../../store/storage.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { Allocation, AllocationRequest, Allocator } from '../write/allocator.ts';
import type { Claims } from './claims.ts';

export class NodeRanges implements Allocator {
  readonly #reader: ObjectReader;
  readonly #claims: Claims;

  constructor(reader: ObjectReader, claims: Claims) {
    this.#reader = reader;
    this.#claims = claims;
  }

  handles(kind: { readonly group: string; readonly resource: string }): boolean {
    return isKind(kind, Node);
  }

  allocate(change: AllocationRequest): Allocation | undefined {
    const ops = [...this.#claims.change('podcidrs', change, rangesOf, (range) => this.#takes(range, change))];
    return ops.length > 0 ? { ops } : undefined;
  }

  repair(): Iterable<Op> {
    return this.#claims.repair('podcidrs', this.#reader.list(Node), rangesOf);
  }

  #takes(range: string, { object, oldObject, lost }: AllocationRequest): boolean {
    const isTaken = this.#claims.isTaken('podcidrs', range, lost);
    if (isTaken && oldObject) throw errors.conflict(Node, object?.metadata.name ?? '', `the range ${range} is another node's`);
    return !isTaken;
  }
}

const none: readonly string[] = [];

const rangesOf = (node: KubeObject): readonly string[] => (node as Node).spec?.podCIDRs ?? none;
