/** What the four kinds of RBAC share. Upstream: pkg/apis/rbac/validation/validation.go, pkg/apis/rbac/v1/defaults.go. */
import type { PolicyRule, RoleRef, Subject } from '../../generated/rbac-v1.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { checkPathSegment, nameIsDnsSubdomain } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { ageOf } from '../cells.ts';
import { addInvalid, type Errors } from '../checks.ts';
import { listOf } from '../lists.ts';
import { change, mapSame, setDefaultsWhereEmpty } from '../set-defaults.ts';

const groupName = 'rbac.authorization.k8s.io';

export function checkRules(errors: Errors, rules: readonly PolicyRule[] | null | undefined, namespaced: boolean): void {
  listOf(rules).forEach((rule, i) => {
    checkRule(errors, `rules[${i}]`, rule, namespaced);
  });
}

function checkRule(errors: Errors, path: string, rule: PolicyRule, namespaced: boolean): void {
  const { apiGroups, resources, resourceNames, nonResourceURLs: urls } = rule;
  if (!rule.verbs?.length) errors.push(fieldErrors.required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (urls?.length) {
    const at = `${path}.nonResourceURLs`;
    if (namespaced) errors.push(fieldErrors.invalid(at, urls, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups?.length || resources?.length || resourceNames?.length) {
      errors.push(fieldErrors.invalid(at, urls, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return;
  }
  if (!apiGroups?.length) errors.push(fieldErrors.required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  if (!resources?.length) errors.push(fieldErrors.required(`${path}.resources`, 'resource rules must supply at least one resource'));
}

type Binding = KubeObject & { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] };

/** The hooks of a binding that may refer to these kinds. */
export function bindingHooks<T extends Binding>(roleKinds: readonly string[]): KindHooks<T> {
  return {
    default: (object) =>
      change<Binding, 'subjects'>(object, 'subjects', (subjects) =>
        mapSame(subjects, (subject) => (isPerson(subject) ? setDefaultsWhereEmpty(subject, { apiGroup: groupName }) : subject)),
      ) as T,
    validate: (object, old) => validateBinding(object, old, roleKinds),
    cells: (object, at) => {
      const { roleRef, metadata } = object;
      const named = (kind: string, show: (subject: Subject) => string): string =>
        listOf(object.subjects)
          .filter((subject) => subject.kind === kind)
          .map(show)
          .join(', ');
      return [
        metadata.name ?? '',
        `${roleRef.kind}/${roleRef.name}`,
        ageOf(object, at),
        named('User', (subject) => subject.name),
        named('Group', (subject) => subject.name),
        named('ServiceAccount', (subject) => `${subject.namespace ?? ''}/${subject.name}`),
      ];
    },
  };
}

const isPerson = ({ kind }: Subject): boolean => kind === 'User' || kind === 'Group';

function validateBinding(object: Binding, old: Binding | undefined, roleKinds: readonly string[]): readonly FieldError[] {
  const errors: Errors = [];
  const { apiGroup = '', kind = '', name = '' } = object.roleRef;
  if (apiGroup !== groupName) errors.push(fieldErrors.notSupported('roleRef.apiGroup', apiGroup, [groupName]));
  if (!roleKinds.includes(kind)) errors.push(fieldErrors.notSupported('roleRef.kind', kind, roleKinds));
  if (!name) errors.push(fieldErrors.required('roleRef.name'));
  else addInvalid(errors, 'roleRef.name', name, checkPathSegment(name));
  listOf(object.subjects).forEach((subject, i) => {
    checkSubject(errors, `subjects[${i}]`, subject, roleKinds.includes('Role'));
  });
  if (old && (old.roleRef.apiGroup !== apiGroup || old.roleRef.kind !== kind || old.roleRef.name !== name)) {
    errors.push(fieldErrors.invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'));
  }
  return errors;
}

function checkSubject(errors: Errors, path: string, subject: Subject, namespaced: boolean): void {
  const { kind = '', name, apiGroup = '', namespace } = subject;
  if (!name) errors.push(fieldErrors.required(`${path}.name`));
  if (kind === 'ServiceAccount') {
    if (name) addInvalid(errors, `${path}.name`, name, nameIsDnsSubdomain(name, false));
    if (apiGroup) errors.push(fieldErrors.notSupported(`${path}.apiGroup`, apiGroup, ['']));
    if (!namespaced && !namespace) errors.push(fieldErrors.required(`${path}.namespace`));
  } else if (isPerson(subject)) {
    if (apiGroup !== groupName) errors.push(fieldErrors.notSupported(`${path}.apiGroup`, apiGroup, [groupName]));
  } else errors.push(fieldErrors.notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
}
