/** Whether an update changes what metadata.generation counts: everything but metadata and status. */

import { equalSemantically } from '../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { own } from '../../api/meta/words.ts';

export function changesSpec(object: KubeObject, old: KubeObject): boolean {
  const now = object as unknown as Readonly<Record<string, unknown>>;
  const before = old as unknown as Readonly<Record<string, unknown>>;
  for (const field in now) if (isCounted(field) && !equalSemantically(now[field], own(before, field))) return true;
  for (const field in before)
    if (isCounted(field) && !Object.hasOwn(now, field) && !equalSemantically(undefined, before[field])) return true;
  return false;
}

const isCounted = (field: string): boolean => field !== 'metadata' && field !== 'status' && field !== 'kind' && field !== 'apiVersion';
