/** Role. Upstream: pkg/apis/rbac/validation/validation.go. */
import { Role } from '../../generated/kinds.ts';
import { nameIsPathSegment } from '../../meta/names.ts';
import { fields } from '../../schema/rules/rules.ts';
import { defineKind } from '../define-kind.ts';
import { policyRules } from './rules.ts';

export const role = defineKind(Role, {
  validateName: nameIsPathSegment,
  allowCreateOnUpdate: true,
  hooks: {
    rules: fields({ rules: policyRules(true) }),
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
  },
});
