/**
 * What one RBAC rule says: does it allow a request, does a set of rules cover another?
 * Upstream: pkg/apis/rbac/v1/evaluation_helpers.go, component-helpers/auth/rbac/validation/policy_comparator.go,
 * pkg/registry/rbac/validation/policy_compact.go.
 */
import type { PolicyRule } from '../../../api/generated/rbac-v1.ts';
import type { RequestAttributes } from '../request/request.ts';

const has = (set: readonly string[] | undefined, value: string): boolean => set?.includes(value) ?? false;
const matches = (set: readonly string[] | undefined, value: string): boolean => has(set, '*') || has(set, value);

/** Whether the rule speaks of the verb and resource (or path), whatever the object's name. */
export function ruleConcerns(rule: PolicyRule, { verb, resource, path }: Omit<RequestAttributes, 'user'>): boolean {
  if (!matches(rule.verbs, verb)) return false;
  if (!resource) return (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, path));
  const { subresource } = resource;
  const full = subresource ? `${resource.resource}/${subresource}` : resource.resource;
  return (
    matches(rule.apiGroups, resource.group) &&
    (matches(rule.resources, full) || (subresource !== undefined && has(rule.resources, `*/${subresource}`)))
  );
}

const ruleNames = (rule: PolicyRule, name: string): boolean => !rule.resourceNames?.length || rule.resourceNames.includes(name);

export const ruleAllows = (rule: PolicyRule, attributes: Omit<RequestAttributes, 'user'>): boolean =>
  ruleConcerns(rule, attributes) && (!attributes.resource || ruleNames(rule, attributes.resource.name ?? ''));

function urlCovers(owned: string, asked: string): boolean {
  return owned === '*' || owned === asked || (owned.endsWith('*') && asked.startsWith(withoutStars(owned)));
}

function withoutStars(text: string): string {
  let end = text.length;
  while (text[end - 1] === '*') end--;
  return text.slice(0, end);
}

/** Comparisons that one question may cost: a rule of a few hundred groups, resources and verbs is millions of small ones. */
const comparisonsMax = 1_000_000;
/** Uncovered rules that anybody is told. */
const uncoveredMax = 1000;

/** The smallest rules (one verb, one group, one resource, one name) among `asked` that no rule of `owned` covers; the first of them. */
export function uncoveredRules(owned: readonly PolicyRule[], asked: readonly PolicyRule[]): readonly PolicyRule[] {
  const uncovered: PolicyRule[] = [];
  let comparisons = 0;
  for (const rule of asked) {
    if (owned.some((own) => covers(own, rule))) continue;
    for (const small of breakDown(rule)) {
      comparisons += 1 + owned.length;
      // Nobody knows of the rest: it counts as not covered.
      if (comparisons > comparisonsMax) return uncovered.length > 0 ? uncovered : [rule];
      if (!owned.some((own) => covers(own, small))) uncovered.push(small);
      if (uncovered.length === uncoveredMax) return uncovered;
    }
  }
  return uncovered;
}

function* breakDown(rule: PolicyRule): Generator<PolicyRule> {
  for (const group of rule.apiGroups ?? [])
    for (const resource of rule.resources ?? [])
      for (const verb of rule.verbs) {
        const one = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (!rule.resourceNames?.length) yield one;
        else for (const name of rule.resourceNames) yield { ...one, resourceNames: [name] };
      }
  for (const url of rule.nonResourceURLs ?? []) for (const verb of rule.verbs) yield { nonResourceURLs: [url], verbs: [verb] };
}

function covers(owned: PolicyRule, small: PolicyRule): boolean {
  return (
    small.verbs.every((verb) => matches(owned.verbs, verb)) &&
    (small.apiGroups ?? []).every((group) => matches(owned.apiGroups, group)) &&
    (small.resources ?? []).every((resource) => coversResource(owned.resources, resource)) &&
    (small.nonResourceURLs ?? []).every((url) => (owned.nonResourceURLs ?? []).some((own) => urlCovers(own, url))) &&
    (!owned.resourceNames?.length || (small.resourceNames ?? ['']).every((name) => has(owned.resourceNames, name)))
  );
}

function coversResource(owned: readonly string[] | undefined, resource: string): boolean {
  if (matches(owned, resource)) return true;
  const slash = resource.indexOf('/');
  return slash > 0 && has(owned, `*${resource.slice(slash)}`);
}

/** One line per rule, those of the same resource and name joined, sorted: how refused grants are listed. */
export function describeRules(rules: readonly PolicyRule[]): readonly string[] {
  const simple = new Map<string, PolicyRule>();
  const rest: PolicyRule[] = [];
  for (const rule of rules) {
    if (rule.nonResourceURLs?.length || rule.resources?.length !== 1 || rule.apiGroups?.length !== 1) {
      rest.push(rule);
      continue;
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames]);
    const known = simple.get(key);
    simple.set(key, known ? { ...known, verbs: [...known.verbs, ...rule.verbs] } : rule);
  }
  return [...new Set([...rest, ...simple.values()].map(describeRule))].sort();
}

function describeRule(rule: PolicyRule): string {
  const part = (name: string, values: readonly string[] | undefined): string[] =>
    values?.length ? [`${name}:${describeStrings(values)}`] : [];
  const parts = [
    ...part('APIGroups', rule.apiGroups),
    ...part('Resources', rule.resources),
    ...part('NonResourceURLs', rule.nonResourceURLs),
    ...part('ResourceNames', rule.resourceNames),
    ...part('Verbs', rule.verbs),
  ];
  return `{${parts.join(', ')}}`;
}

/** `["a" "b"]` */
export const describeStrings = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
