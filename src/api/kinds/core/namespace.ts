/**
 * Namespace: labelled with its own name, and held by the finalizer `kubernetes` until its content is gone. Finalizers
 * change only through the `finalize` view. Upstream: pkg/registry/core/namespace.
 */

import { Namespace } from '../../generated/kinds.ts';
import { checkQualifiedName, nameIsDnsLabel } from '../../meta/names.ts';
import { each, fields, outside } from '../../schema/rules/rules.ts';
import type { Walk } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind, named } from '../define-kind.ts';
import { listOf } from '../lists.ts';

const nameLabel = 'kubernetes.io/metadata.name';
const finalizer = 'kubernetes';
const standardFinalizers = new Set([finalizer, 'orphan', 'foregroundDeletion']);

export const namespace = defineKind<Namespace>(Namespace, {
  validateName: nameIsDnsLabel,
  returnsDeletedObject: 'unpublished',
  selectablePaths: { ...named, 'status.phase': '' },
  hooks: {
    default: withNameLabel,
    prepareForCreate(object) {
      const finalizers = listOf(object.spec.finalizers);
      const spec = { ...object.spec, finalizers: finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer] };
      return withNameLabel({ ...object, spec, status: { phase: 'Active' } });
    },
    prepareForUpdate: (object, old) => ({ ...object, spec: old.spec }),
    rules: fields<Namespace>({ spec: fields({ finalizers: each(outside(finalizerName)) }) }),
    statusRules,
    cells: nameAndAge((object) => [object.status.phase ?? '']),
    views: {
      finalize: {
        prepareForUpdate: (object, old) => ({ ...object, status: old.status }),
        rules: fields<Namespace>({ spec: fields({ finalizers: each(finalizerName) }) }),
      },
    },
  },
});

function withNameLabel(object: Namespace): Namespace {
  const { name, labels } = object.metadata;
  if (!name || labels?.[nameLabel] === name) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...labels, [nameLabel]: name } } };
}

function finalizerName(name: string, walk: Walk): void {
  for (const message of checkQualifiedName(name)) walk.invalid('', name, message);
  if (name.includes('/') || standardFinalizers.has(name)) return;
  walk.invalid('', name, 'name is neither a standard finalizer name nor is it fully qualified');
}

function statusRules({ metadata, status }: Namespace, walk: Walk): void {
  const deleting = metadata.deletionTimestamp !== undefined;
  const wanted = deleting ? 'Terminating' : 'Active';
  if (status.phase === wanted) return;
  const message = `may only be '${wanted}' if \`deletionTimestamp\` is ${deleting ? 'not empty' : 'empty'}`;
  walk.invalid('status.Phase', status.phase ?? '', message);
}
