/** ControllerRevision: one state of a workload, which never changes. Upstream: pkg/registry/apps/controllerrevision. */

import { ControllerRevision } from '../../generated/kinds.ts';
import { fields, immutable, nonNegative } from '../../schema/rules/rules.ts';
import type { Walk } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';

export const controllerRevision = defineKind(ControllerRevision, {
  hooks: {
    rules,
    cells: nameAndAge((object) => [ownerOf(object), object.revision]),
  },
});

function rules({ data, revision }: ControllerRevision, walk: Walk, old: ControllerRevision | undefined): void {
  const given: unknown = data;
  walk.check('revision', revision, nonNegative);
  if (old) changed({ data: given }, walk, { data: old.data });
  else if (given === undefined || given === null) walk.required('data', 'data is mandatory');
  else if (typeof given !== 'object' || Array.isArray(given)) walk.required('data', 'data must be a valid JSON object');
}
const changed = fields<{ readonly data: unknown }>({ data: immutable() });

function ownerOf(object: ControllerRevision): string {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller);
  if (!owner) return '<none>';
  const [group, version] = owner.apiVersion.split('/');
  const kind = version ? `${owner.kind}.${group}` : owner.kind;
  return `${kind.toLowerCase()}/${owner.name}`;
}
