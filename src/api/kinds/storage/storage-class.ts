/** StorageClass: what it provisions, and how, can't be changed. Upstream: pkg/apis/storage/validation/validation.go. */

import type { TopologySelectorLabelRequirement, TopologySelectorTerm } from '../../generated/core-v1.ts';
import { StorageClass } from '../../generated/kinds.ts';
import { own } from '../../meta/words.ts';
import { all, eachBy, fields, filled, immutable, onCreate, oneOf, required, uniqueBy } from '../../schema/rules/rules.ts';
import { ageOf } from '../cells.ts';
import { repeats } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { demandedQualifiedName } from '../shared-rules.ts';
import { parameters, provisioner } from './parameters.ts';

const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

const values = required(uniqueBy<string>((value) => value));
const requirements = uniqueBy<TopologySelectorLabelRequirement>(({ key }) => key, {
  at: 'key',
  rule: fields({ values, key: demandedQualifiedName }),
});
const identityOf = ({ matchLabelExpressions }: TopologySelectorTerm): string => {
  const wanted = new Map(listOf(matchLabelExpressions).map(({ key, values: some }) => [key, listOf(some).toSorted()]));
  return JSON.stringify([...wanted].sort(([a], [b]) => (a < b ? -1 : 1)));
};

const topologies = eachBy<TopologySelectorTerm>(() => {
  // A term without expressions is the same as none, as upstream compares them.
  const isRepeated = repeats<string>();
  isRepeated(identityOf({}));
  return (term, walk) => {
    walk.check('matchLabelExpressions', term.matchLabelExpressions, requirements);
    if (isRepeated(identityOf(term))) walk.duplicate('matchLabelExpressions', '');
  };
});

const rules = all<StorageClass>(
  onCreate(
    fields({
      provisioner,
      parameters,
      reclaimPolicy: filled(oneOf('Delete', 'Retain')),
      volumeBindingMode: oneOf('Immediate', 'WaitForFirstConsumer'),
      allowedTopologies: topologies,
    }),
  ),
  fields({ parameters: immutable(), provisioner: immutable(), reclaimPolicy: immutable(), volumeBindingMode: immutable() }),
);

export const storageClass = defineKind(StorageClass, {
  returnsDeletedObject: true,
  hooks: {
    rules,
    cells: (object, at) => {
      const { metadata } = object;
      const isDefault = defaultAnnotations.some((key) => own(metadata.annotations, key) === 'true');
      return [
        isDefault ? `${metadata.name} (default)` : metadata.name,
        object.provisioner,
        object.reclaimPolicy ?? 'Delete',
        object.volumeBindingMode ?? 'Immediate',
        object.allowVolumeExpansion ?? false,
        ageOf(object, at),
      ];
    },
  },
});
