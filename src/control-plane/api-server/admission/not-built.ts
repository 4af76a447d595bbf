/**
 * Says of an object what will not happen with it yet, by the rows of `api/kinds/not-built.ts`, in warnings. Told when an object is created, and when it changes in more than its metadata and status,
 * or into what a row is about; with a dry run as without. Upstream has nothing of the kind.
 */

import { type NotBuilt, notBuilt as rows, type WrittenObject } from '../../../api/kinds/not-built.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { AdmissionPlugin } from './plugin.ts';

const rowsByKind = Map.groupBy(
  rows.flatMap((row) => row.kinds.map((kind) => ({ kind, row }))),
  ({ kind }) => keyOf(kind),
);
function keyOf({ group, resource }: Pick<Kind, 'group' | 'resource'>): string {
  return `${group}/${resource}`;
}

export const notBuiltPlugin = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'NotBuilt',
  handles: (kind, operation, subresource) =>
    (operation === 'CREATE' || operation === 'UPDATE') && !subresource && rowsByKind.has(keyOf(kind)),
  validate(request) {
    const { object, oldObject: old } = request;
    if (!object) return;
    const written = { object, old, others: reader };
    const concerning = (rowsByKind.get(keyOf(request.kind)) ?? []).map(({ row }) => row).filter((row) => concerns(row, written));
    for (const { says } of concerning) request.warn(says);
  },
});

function concerns(row: NotBuilt, { object, old, others }: WrittenObject): boolean {
  const holds = (of: WrittenObject): boolean => row.when?.(of) ?? true;
  if (!holds({ object, old, others })) return false;
  return !old || !holds({ object: old, others }) || !equalSemantically(saidIn(object), saidIn(old));
}

/** What its writer wants of it. */
function saidIn(object: KubeObject): object {
  const { metadata: _, status: __, ...said } = object as KubeObject & { readonly status?: unknown };
  return said;
}
