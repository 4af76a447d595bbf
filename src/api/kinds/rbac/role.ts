/** Role. Upstream: pkg/apis/rbac/validation/validation.go. */
import { Role } from '../../generated/kinds.ts';
import { nameIsPathSegment } from '../../meta/names.ts';
import type { FieldError } from '../../meta/status-error.ts';
import type { Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkRules } from './rules.ts';

export const role = defineKind(Role, {
  validateName: nameIsPathSegment,
  allowCreateOnUpdate: true,
  hooks: {
    validate({ rules }): readonly FieldError[] {
      const errors: Errors = [];
      checkRules(errors, rules, true);
      return errors;
    },
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
  },
});
