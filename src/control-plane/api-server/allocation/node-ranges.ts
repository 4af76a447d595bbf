/**
 * Ranges of nodes: a range that an update gives to a node is that node's alone, whoever gives it (two controllers, one of
 * which has lost its lease without knowing, read the same free range). A node that is made with its range is believed, as
 * upstream does: simulators bring such nodes, with ranges that others have too.
 */
import { Node } from '../../../api/generated/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { ClaimAllocator } from './claim-allocator.ts';
import type { Claims } from './claims.ts';

export const nodeRanges = (reader: ObjectReader, claims: Claims): ClaimAllocator =>
  new ClaimAllocator(reader, claims, {
    kind: Node,
    thing: 'podcidrs',
    namesOf: rangesOf,
    refuse(range, { object, oldObject }) {
      if (oldObject) throw errors.conflict(Node, object?.metadata.name ?? '', `the range ${range} is another node's`);
    },
  });

const none: readonly string[] = [];

const rangesOf = (node: KubeObject): readonly string[] => (node as Node).spec?.podCIDRs ?? none;
