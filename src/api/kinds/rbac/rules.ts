/** What the four kinds of RBAC share. Upstream: pkg/apis/rbac/validation/validation.go, pkg/apis/rbac/v1/defaults.go. */
import type { PolicyRule, RoleRef, Subject } from '../../generated/rbac-v1.ts';
import type { KindHooks } from '../../meta/kind.ts';
import type { KubeObject } from '../../meta/object.ts';
import { all, demanded, each, fields, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { ageOf } from '../cells.ts';
import { listOf } from '../lists.ts';
import { change, mapSame, setDefaultsWhereEmpty } from '../set-defaults.ts';
import { pathName, subdomainName } from '../shared-rules.ts';

const groupName = 'rbac.authorization.k8s.io';
const people = ['User', 'Group'];

/** `namespaced`: of what there is in one namespace. */
export const policyRules = (namespaced: boolean): Rule<readonly PolicyRule[]> =>
  each<PolicyRule>(
    all(fields({ verbs: required(undefined, 'verbs must contain at least one value') }), (rule, walk) => {
      const { apiGroups, resources, resourceNames, nonResourceURLs: urls } = rule;
      const isOfResources = apiGroups?.length || resources?.length || resourceNames?.length;
      if (!urls?.length) return ofResources(rule, walk, undefined);
      const refuse = (message: string): void => walk.invalid('nonResourceURLs', urls, message);
      if (namespaced) refuse('namespaced rules cannot apply to non-resource URLs');
      if (isOfResources) refuse('rules cannot apply to both regular resources and non-resource URLs');
    }),
  );
const ofResources = fields<PolicyRule>({
  apiGroups: required(undefined, 'resource rules must supply at least one api group'),
  resources: required(undefined, 'resource rules must supply at least one resource'),
});

type Binding = KubeObject & { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] };

/** The hooks of a binding that may refer to these kinds. */
export function bindingHooks<T extends Binding>(roleKinds: readonly string[]): KindHooks<T> {
  return {
    default: (object) =>
      change<Binding, 'subjects'>(object, 'subjects', (subjects) =>
        mapSame(subjects, (subject) => (people.includes(subject.kind) ? setDefaultsWhereEmpty(subject, { apiGroup: groupName }) : subject)),
      ) as T,
    rules: all(bindingRule(roleKinds), lastingRole),
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

function bindingRule(roleKinds: readonly string[]): Rule<Binding> {
  const isNamespaced = roleKinds.includes('Role');
  const subject: Rule<Subject> = ({ kind = '', name, apiGroup = '', namespace }, walk) => {
    if (!name) walk.required('name');
    if (kind === 'ServiceAccount') {
      walk.check('name', name || undefined, subdomainName);
      if (apiGroup) walk.notSupported('apiGroup', apiGroup, ['']);
      if (!isNamespaced && !namespace) walk.required('namespace');
    } else if (people.includes(kind)) walk.check('apiGroup', apiGroup, ownGroup);
    else walk.notSupported('kind', kind, ['ServiceAccount', ...people]);
  };
  return fields<Binding>({
    roleRef: fields({ apiGroup: ownGroup, kind: demanded(...roleKinds), name: required(pathName) }),
    subjects: each(subject),
  });
}
const ownGroup = demanded(groupName);

const lastingRole: Rule<Binding> = ({ roleRef }, walk, old) => {
  const { apiGroup: APIGroup = '', kind: Kind = '', name: Name = '' } = roleRef;
  if (!old || (old.roleRef.apiGroup === APIGroup && old.roleRef.kind === Kind && old.roleRef.name === Name)) return;
  walk.invalid('roleRef', { APIGroup, Kind, Name }, 'cannot change roleRef');
};
