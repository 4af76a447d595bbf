/**
 * Role-based access control: Roles and ClusterRoles, bound by RoleBindings and ClusterRoleBindings.
 *
 * Guarantees: an answer reflects the watch cache as it is now; asked again about the same user, verb and resource it
 * costs two map lookups, because what the rules say is kept per user until a role or binding changes.
 * Upstream: plugin/pkg/auth/authorizer/rbac/rbac.go.
 */
import type { PolicyRule } from '../../../api/generated/rbac-v1.ts';
import type { RequestAttributes, UserInfo } from '../request/request.ts';
import type { Authorizer, Decision } from './authorizer.ts';
import type { BindingIndex, BoundRules } from './binding-index.ts';
import { ruleConcerns } from './policy-rule.ts';

/** What the rules say of one verb and resource in one namespace: for any object, for some by name, for the rest. */
interface Verdicts {
  readonly anyName?: Decision;
  readonly byName: ReadonlyMap<string, Decision>;
  readonly otherwise: Decision;
}

interface UserMemo {
  readonly generation: number;
  readonly verdicts: Map<string, Verdicts>;
}

/** Per user; a user who asks about more is forgotten and starts anew. */
const verdictsMax = 4096;

export class RBAC implements Authorizer {
  readonly #index: BindingIndex;
  #memos = new WeakMap<UserInfo, UserMemo>();

  constructor(index: BindingIndex) {
    this.#index = index;
  }

  authorize(attributes: RequestAttributes): Decision {
    const { verdicts } = this.#memoOf(attributes.user);
    const key = memoKey(attributes);
    const found = verdicts.get(key) ?? this.#remember(verdicts, key, attributes);
    return found.anyName ?? found.byName.get(attributes.resource?.name ?? '') ?? found.otherwise;
  }

  rulesFor(user: UserInfo, namespace: string): ReturnType<NonNullable<Authorizer['rulesFor']>> {
    const { rules, errors } = this.rulesOf(user, namespace);
    return {
      resourceRules: rules
        .filter((rule) => rule.resources?.length)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          ...(apiGroups && { apiGroups }),
          ...(resources && { resources }),
          ...(resourceNames && { resourceNames }),
        })),
      nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs }) => (nonResourceURLs?.length ? [{ verbs, nonResourceURLs }] : [])),
      incomplete: false,
      ...(errors.length > 0 && { evaluationError: describeErrors(errors) }),
    };
  }

  /** Everything the user may do in the namespace ('': cluster-wide only), and what could not be resolved. */
  rulesOf(user: UserInfo, namespace: string): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] } {
    const bound = this.#boundTo(user, namespace);
    return { rules: bound.flatMap(({ rules }) => rules), errors: bound.flatMap(({ error }) => error ?? []) };
  }

  #boundTo(user: UserInfo, namespace: string): readonly BoundRules[] {
    const cluster = this.#index.boundTo(user, '');
    return namespace ? [...cluster, ...this.#index.boundTo(user, namespace)] : cluster;
  }

  #memoOf(user: UserInfo): UserMemo {
    const { generation } = this.#index;
    const known = this.#memos.get(user);
    if (known?.generation === generation) return known;
    const memo = { generation, verdicts: new Map<string, Verdicts>() };
    this.#memos.set(user, memo);
    return memo;
  }

  #remember(verdicts: UserMemo['verdicts'], key: string, attributes: RequestAttributes): Verdicts {
    const found = this.#judge(attributes);
    if (verdicts.size >= verdictsMax) verdicts.clear();
    verdicts.set(key, found);
    return found;
  }

  #judge(attributes: RequestAttributes): Verdicts {
    const byName = new Map<string, Decision>();
    const errors = new Set<string>();
    for (const { rules, source, error } of this.#boundTo(attributes.user, attributes.resource?.namespace ?? '')) {
      if (error) errors.add(error);
      for (const rule of rules) {
        if (!ruleConcerns(rule, attributes)) continue;
        const allow: Decision = { verdict: 'allow', reason: `RBAC: allowed by ${source}` };
        if (!attributes.resource || !rule.resourceNames?.length) return { anyName: allow, byName, otherwise: allow };
        for (const name of rule.resourceNames) if (!byName.has(name)) byName.set(name, allow);
      }
    }
    const reason = errors.size === 0 ? '' : `RBAC: ${describeErrors([...errors])}`;
    return { byName, otherwise: { verdict: 'no-opinion', reason } };
  }
}

function memoKey({ verb, resource, path }: RequestAttributes): string {
  if (!resource) return `${verb} ${path}`;
  return `${verb} ${resource.group}/${resource.resource}/${resource.subresource ?? ''} ${resource.namespace ?? ''}`;
}

/** One error as it is, several in brackets. */
const describeErrors = (errors: readonly string[]): string => (errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`);
