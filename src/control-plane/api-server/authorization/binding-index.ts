/**
 * Role bindings by whom they bind: per scope ('' for the cluster, else a namespace) and subject. Follows the watch
 * cache, so it is never behind it; `generation` grows with every change of a role or binding.
 * Upstream: pkg/registry/rbac/validation/rule.go (appliesTo, GetRoleReferenceRules, describeSubject).
 */

import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../../../api/generated/kinds.ts';
import type { PolicyRule, RoleRef, Subject } from '../../../api/generated/rbac-v1.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { UserInfo } from '../request/request.ts';
import { serviceAccountUsername } from '../request/user.ts';

type Binding = ClusterRoleBinding | RoleBinding;

/** The rules that one binding gives, or why there are none. */
export interface BoundRules {
  readonly rules: readonly PolicyRule[];
  readonly source: string;
  readonly error?: string;
}

export class BindingIndex implements Disposable {
  readonly #reader: ObjectReader;
  readonly #scopes = new Map<string, Map<string, Map<string, Binding>>>();
  readonly #following: Disposable[];
  #generation = 0;

  constructor(reader: ObjectReader) {
    this.#reader = reader;
    const binding = (object: Binding | undefined, old: Binding | undefined): void => {
      this.#generation++;
      if (old) this.#unbind(old);
      if (object) this.#bind(object);
    };
    const role = (): void => {
      this.#generation++;
    };
    this.#following = [
      reader.follow(ClusterRoleBinding, binding),
      reader.follow(RoleBinding, binding),
      reader.follow(ClusterRole, role),
      reader.follow(Role, role),
    ];
  }

  get generation(): number {
    return this.#generation;
  }

  /** What every binding that applies to the user in the scope gives. */
  boundTo(user: UserInfo, scope: string): readonly BoundRules[] {
    const subjects = this.#scopes.get(scope);
    if (!subjects) return [];
    const found = new Map<Binding, string>();
    const add = (key: string): void => {
      for (const binding of subjects.get(key)?.values() ?? []) if (!found.has(binding)) found.set(binding, key);
    };
    add(userKey(user.name));
    for (const group of user.groups) add(groupKey(group));
    return [...found].map(([binding, key]) => this.#rulesOf(binding, { scope, key }));
  }

  /** The rules of the role that a binding refers to. Throws what upstream's lister says when there is none. */
  rulesOfRole(ref: RoleRef, scope: string): readonly PolicyRule[] {
    if (ref.kind === 'ClusterRole') {
      const role = this.#reader.get(ClusterRole, { name: ref.name });
      if (!role) throw new MissingRoleError('clusterrole', ref.name);
      return role.rules ?? [];
    }
    if (ref.kind !== 'Role') throw new Error(`unsupported role reference kind: ${JSON.stringify(ref.kind)}`);
    const role = this.#reader.get(Role, { namespace: scope, name: ref.name });
    if (!role) throw new MissingRoleError('role', ref.name);
    return role.rules ?? [];
  }

  [Symbol.dispose](): void {
    for (const each of this.#following) each[Symbol.dispose]();
  }

  #rulesOf(binding: Binding, found: { scope: string; key: string }): BoundRules {
    const source = describeBinding(binding, found);
    try {
      return { rules: this.rulesOfRole(binding.roleRef, found.scope), source };
    } catch (error) {
      return { rules: [], source, error: messageOf(error) };
    }
  }

  #bind(binding: Binding): void {
    const scope = binding.metadata.namespace ?? '';
    const subjects = this.#scopes.get(scope) ?? new Map<string, Map<string, Binding>>();
    this.#scopes.set(scope, subjects);
    for (const key of subjectKeys(binding)) {
      const bindings = subjects.get(key) ?? new Map<string, Binding>();
      subjects.set(key, bindings.set(binding.metadata.name, binding));
    }
  }

  #unbind(binding: Binding): void {
    const scope = binding.metadata.namespace ?? '';
    const subjects = this.#scopes.get(scope);
    if (!subjects) return;
    for (const key of subjectKeys(binding)) {
      const bindings = subjects.get(key);
      bindings?.delete(binding.metadata.name);
      if (bindings?.size === 0) subjects.delete(key);
    }
    if (subjects.size === 0) this.#scopes.delete(scope);
  }
}

export class MissingRoleError extends Error {
  override readonly name = 'MissingRoleError';
  readonly roleName: string;
  constructor(resource: 'role' | 'clusterrole', roleName: string) {
    super(`${resource}.rbac.authorization.k8s.io ${JSON.stringify(roleName)} not found`);
    this.roleName = roleName;
  }
}

const userKey = (name: string): string => `u:${name}`;
/** Mostly the name as it is: a review may ask for a hundred thousand groups, and a new text for each is dear. */
const groupKey = (name: string): string => (name.startsWith('u:') || name.startsWith('g:') ? `g:${name}` : name);

/** A service account without a namespace is one of the binding's own; in a cluster binding it is nobody. */
function subjectKey(subject: Subject, scope: string): string | undefined {
  if (subject.kind === 'User') return userKey(subject.name);
  if (subject.kind === 'Group') return groupKey(subject.name);
  if (subject.kind !== 'ServiceAccount') return undefined;
  const namespace = subject.namespace || scope;
  return namespace ? userKey(serviceAccountUsername(namespace, subject.name)) : undefined;
}

function subjectKeys(binding: Binding): Set<string> {
  const keys = (binding.subjects ?? []).map((subject) => subjectKey(subject, binding.metadata.namespace ?? ''));
  return new Set(keys.filter((key) => key !== undefined));
}

function describeBinding(binding: Binding, found: { scope: string; key: string }): string {
  const { roleRef, metadata } = binding;
  const subject = binding.subjects?.find((each) => subjectKey(each, found.scope) === found.key);
  const name = subject?.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || found.scope}` : subject?.name;
  const kind = found.scope ? 'RoleBinding' : 'ClusterRoleBinding';
  const bindingName = found.scope ? `${metadata.name}/${found.scope}` : metadata.name;
  return `${kind} "${bindingName}" of ${roleRef.kind} "${roleRef.name}" to ${subject?.kind ?? ''} "${name ?? ''}"`;
}
