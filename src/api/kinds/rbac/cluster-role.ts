/** ClusterRole. Upstream: pkg/apis/rbac/validation/validation.go. */
import { ClusterRole } from '../../generated/kinds.ts';
import type { LabelSelector } from '../../generated/meta-v1.ts';
import { nameIsPathSegment } from '../../meta/names.ts';
import { each, fields, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { defineKind } from '../define-kind.ts';
import { selector } from '../shared-rules.ts';
import { policyRules } from './rules.ts';

const usable: Rule<LabelSelector> = (given, walk, old) => {
  const before = walk.errors.length;
  selector(given, walk, old);
  if (walk.errors.length > before) walk.invalid('', null, 'invalid label selector.');
};

export const clusterRole = defineKind(ClusterRole, {
  validateName: nameIsPathSegment,
  allowCreateOnUpdate: true,
  hooks: {
    rules: fields({
      rules: policyRules(false),
      aggregationRule: fields({
        clusterRoleSelectors: required(each(usable), 'at least one clusterRoleSelector required if aggregationRule is non-nil'),
      }),
    }),
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
  },
});
