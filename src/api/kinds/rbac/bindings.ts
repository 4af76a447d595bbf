/** RoleBinding and ClusterRoleBinding: what they refer to can't be changed. Upstream: pkg/apis/rbac/validation/validation.go. */
import { ClusterRoleBinding, RoleBinding } from '../../generated/kinds.ts';
import { nameIsPathSegment } from '../../meta/names.ts';
import { defineKind } from '../define-kind.ts';
import { bindingHooks } from './rules.ts';

export const roleBinding = defineKind(RoleBinding, {
  validateName: nameIsPathSegment,
  allowCreateOnUpdate: true,
  hooks: bindingHooks(['Role', 'ClusterRole']),
});
export const clusterRoleBinding = defineKind(ClusterRoleBinding, {
  validateName: nameIsPathSegment,
  allowCreateOnUpdate: true,
  hooks: bindingHooks(['ClusterRole']),
});
