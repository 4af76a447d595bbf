/** PodTemplate. Upstream: pkg/registry/core/podtemplate. */

import { PodTemplate } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { fields } from '../../schema/rules/rules.ts';
import { containerCells, formatLabels } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { defaultTemplateOf } from './pod-spec/defaults.ts';
import { templateWarnings } from './pod-spec/pod-warnings.ts';
import { podTemplate as template } from './pod-spec/validate-pod-spec.ts';

export const podTemplate = defineKind(PodTemplate, {
  hasGeneration: true,
  returnsDeletedObject: true,
  hooks: {
    default: defaultTemplateOf,
    rules: fields({ template }),
    warnings: (object, old) =>
      old && equalSemantically(object.template, old.template) ? [] : templateWarnings('template', object.template),
    cells: (object) => [object.metadata.name, ...containerCells(object.template), formatLabels(object.template?.metadata?.labels)],
  },
});
