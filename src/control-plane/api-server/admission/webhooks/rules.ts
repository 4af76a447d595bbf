/**
 * Which requests a webhook or a policy is about: its rules, its selectors, and in which version of a resource it wants to
 * see the object (matchPolicy Equivalent). Pure, but for the look at the namespace.
 * Upstream: apiserver/pkg/admission/plugin/webhook/predicates, generic/webhook.go (ShouldCallHook).
 */
import type { MatchResources, NamedRuleWithOperations, RuleWithOperations } from '../../../../api/generated/admissionregistration-v1.ts';
import { Namespace } from '../../../../api/generated/kinds.ts';
import type { KindSnapshot } from '../../../../api/kinds/kind-snapshot.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import { isKind, type KubeObject } from '../../../../api/meta/object.ts';
import { type LabelMatcher, labelMatcher } from '../../../../api/meta/selectors.ts';
import { errors } from '../../../../api/meta/status-error.ts';
import type { ObjectReader } from '../../cache/reader.ts';
import type { AdmissionOperation, AdmissionRequest } from '../../request/request.ts';

/** What a rule looks at. */
export interface RuleSubject {
  readonly kind: Pick<Kind, 'group' | 'version' | 'resource' | 'namespaced'>;
  readonly operation: AdmissionOperation;
  readonly subresource?: string | undefined;
}

export function matchesRule(rule: RuleWithOperations, { kind, operation, subresource = '' }: RuleSubject): boolean {
  const has = (items: readonly string[] | undefined, word: string): boolean =>
    items?.some((item) => item === '*' || item === word) ?? false;
  if (rule.scope && rule.scope !== '*' && (rule.scope === 'Namespaced') !== kind.namespaced) return false;
  if (!has(rule.operations, operation) || !has(rule.apiGroups, kind.group) || !has(rule.apiVersions, kind.version)) return false;
  return (rule.resources ?? []).some((text) => {
    const slash = text.indexOf('/');
    const resource = slash < 0 ? text : text.slice(0, slash);
    const sub = slash < 0 ? '' : text.slice(slash + 1);
    return (resource === '*' || resource === kind.resource) && (sub === '*' || sub === subresource);
  });
}

/** Webhooks are not asked about what says what is admitted, policies not about policies. */
const policyKinds = [
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
];
const exempt = {
  webhooks: new Set([...policyKinds, 'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']),
  policies: new Set(policyKinds),
};
export const isExempt = ({ group, kind }: Pick<Kind, 'group' | 'kind'>, from: keyof typeof exempt): boolean =>
  group === 'admissionregistration.k8s.io' && exempt[from].has(kind);

export type Matching = Pick<MatchResources, 'matchPolicy' | 'namespaceSelector' | 'objectSelector'> & {
  readonly rules: readonly RuleWithOperations[];
};

/** The version in which the object is shown, by the first rule that names one; undefined when no rule is about it. */
export function matchingKind(
  { rules, matchPolicy }: Matching,
  subject: RuleSubject & { readonly kind: Kind },
  served: KindSnapshot,
): Kind | undefined {
  if (rules.some((rule) => matchesRule(rule, subject))) return subject.kind;
  if (matchPolicy === 'Exact') return undefined;
  const others = served.list().filter((kind) => kind !== subject.kind && kind.storagePrefix === subject.kind.storagePrefix);
  for (const rule of rules) {
    const found = others.find((kind) => matchesRule(rule, { ...subject, kind }));
    if (found) return found;
  }
  return undefined;
}

/**
 * The same for a policy or its binding: no excluding rule may name the request, and where there are rules, one has to.
 * Without a name nothing is excluded and every rule may name it: whether a request of the sort can be meant at all.
 */
export function matchedKind(
  { resourceRules = [], excludeResourceRules = [], matchPolicy }: MatchResources,
  subject: RuleSubject & { readonly kind: Kind; readonly name?: string | undefined },
  served: KindSnapshot,
): Kind | undefined {
  const { name } = subject;
  const naming = (rules: readonly NamedRuleWithOperations[]): readonly RuleWithOperations[] =>
    name === undefined ? rules : rules.filter(({ resourceNames }) => !resourceNames?.length || resourceNames.includes(name));
  const policy = matchPolicy ?? 'Exact';
  if (name !== undefined && matchingKind({ rules: naming(excludeResourceRules), matchPolicy: policy }, subject, served)) return undefined;
  if (resourceRules.length === 0) return subject.kind;
  return matchingKind({ rules: naming(resourceRules), matchPolicy: policy }, subject, served);
}

/** Both selectors of a webhook or policy, made once. Throws what the request is refused with when its namespace is gone. */
export function selectorsOf({
  namespaceSelector,
  objectSelector,
}: Pick<MatchResources, 'namespaceSelector' | 'objectSelector'>): (request: AdmissionRequest, reader: ObjectReader) => boolean {
  const ofNamespace = labelMatcher(namespaceSelector ?? {});
  const ofObject = labelMatcher(objectSelector ?? {});
  return (request, reader) => matchesObject(ofObject, request) && matchesNamespace(ofNamespace, request, reader);
}

function matchesObject(matcher: LabelMatcher, { object, oldObject }: AdmissionRequest): boolean {
  if (matcher.isEverything) return true;
  const matches = (each: KubeObject | undefined): boolean => each?.metadata !== undefined && matcher.matches(each.metadata.labels);
  return matches(object) || matches(oldObject);
}

function matchesNamespace(matcher: LabelMatcher, request: AdmissionRequest, reader: ObjectReader): boolean {
  if (matcher.isEverything) return true;
  const { kind, subresource, operation, object, namespace } = request;
  const isNamespace = isKind(kind, Namespace);
  if (isNamespace && !subresource && (operation === 'CREATE' || operation === 'UPDATE')) return matcher.matches(object?.metadata.labels);
  const name = isNamespace ? request.name : namespace;
  if (!name) return true;
  const found = reader.get(Namespace, { name });
  if (!found) throw errors.notFound(Namespace, name);
  return matcher.matches(found.metadata.labels);
}
