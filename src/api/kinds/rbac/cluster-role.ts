/** ClusterRole. Upstream: pkg/apis/rbac/validation/validation.go. */
import { ClusterRole } from '../../generated/kinds.ts';
import { nameIsPathSegment } from '../../meta/names.ts';
import { validateLabelSelector } from '../../meta/selectors.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import type { Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkRules } from './rules.ts';

export const clusterRole = defineKind(ClusterRole, {
  validateName: nameIsPathSegment,
  allowCreateOnUpdate: true,
  hooks: {
    validate({ rules, aggregationRule }): readonly FieldError[] {
      const errors: Errors = [];
      checkRules(errors, rules, false);
      if (!aggregationRule) return errors;
      const path = 'aggregationRule.clusterRoleSelectors';
      const selectors = aggregationRule.clusterRoleSelectors ?? [];
      if (!selectors.length) {
        errors.push(fieldErrors.required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
      }
      selectors.forEach((selector, i) => {
        const found = validateLabelSelector(selector, `${path}[${i}]`);
        errors.push(...found);
        if (found.length) errors.push(fieldErrors.invalid(`${path}[${i}]`, null, 'invalid label selector.'));
      });
      return errors;
    },
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
  },
});
