/**
 * What is kept of which request: upstream's audit.k8s.io/v1 Policy. The first rule that concerns a request decides; what
 * no rule concerns is not kept. Pure.
 *
 * A policy with an unknown field is refused: a rule that loses a condition to a typing error would keep too much or hide
 * what it was to show. (Upstream warns and goes on.)
 * Upstream: apiserver/pkg/audit/policy, pkg/apis/audit/validation.
 */
import { own } from '../../../api/meta/words.ts';
import type { RequestAttributes } from '../request/request.ts';

export const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof auditLevels)[number];
export const auditStages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type AuditStage = (typeof auditStages)[number];

export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

interface AuditRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** What is kept of one request. */
export interface AuditChoice {
  readonly level: Exclude<AuditLevel, 'None'>;
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

/** Undefined: nothing. */
export function chooseAudit(policy: AuditPolicy, attributes: RequestAttributes): AuditChoice | undefined {
  const rule = policy.rules.find((each) => concerns(each, attributes));
  if (!rule || rule.level === 'None') return undefined;
  const omitStages = [...(policy.omitStages ?? []), ...(rule.omitStages ?? [])];
  return { level: rule.level, omitStages, omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false };
}

function concerns(rule: AuditRule, { user, verb, path, resource }: RequestAttributes): boolean {
  if (!isAmong(rule.users, user.name) || !isAmong(rule.verbs, verb)) return false;
  if (rule.userGroups?.length && !user.groups.some((group) => isAmong(rule.userGroups, group))) return false;
  if (rule.namespaces?.length || rule.resources?.length) {
    if (!resource || !isAmong(rule.namespaces, resource.namespace ?? '')) return false;
    return !rule.resources?.length || rule.resources.some((each) => names(each, resource));
  }
  return !rule.nonResourceURLs?.length || (!resource && rule.nonResourceURLs.some((pattern) => isBelow(path, pattern)));
}

/** An empty list is no condition. */
const isAmong = (list: readonly string[] | undefined, value: string): boolean => !list?.length || list.includes(value);

function names({ group = '', resources, resourceNames }: GroupResources, asked: NonNullable<RequestAttributes['resource']>): boolean {
  if (group !== '*' && group !== asked.group) return false;
  if (!resources?.length) return true;
  if (!isAmong(resourceNames, asked.name ?? '')) return false;
  const { resource, subresource } = asked;
  const whole = subresource ? `${resource}/${subresource}` : resource;
  return resources.some(
    (each) => each === '*' || each === whole || each === `${resource}/*` || (subresource !== undefined && each === `*/${subresource}`),
  );
}

const isBelow = (path: string, pattern: string): boolean =>
  pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')));

/** What keeps a policy from being used: each line a field and what is wrong with it. */
export class AuditPolicyError extends Error {
  override readonly name = 'AuditPolicyError';
}

/** `value`: a file's. Throws AuditPolicyError with all that is wrong. */
export function parseAuditPolicy(value: unknown): AuditPolicy {
  const problems: string[] = [];
  checkFields(value, '', { ...policyFields, apiVersion: isText, kind: isText, metadata: () => undefined }, problems);
  if (problems.length === 0) checkMeaning(value as AuditPolicy & { readonly apiVersion?: string; readonly kind?: string }, problems);
  if (problems.length > 0) throw new AuditPolicyError(problems.join('; '));
  return value as AuditPolicy;
}

type FieldCheck = (value: unknown, path: string, problems: string[]) => string | undefined;

const isText: FieldCheck = (value) => (typeof value === 'string' ? undefined : 'is not a text');
const isTruth: FieldCheck = (value) => (typeof value === 'boolean' ? undefined : 'is neither true nor false');
const texts: FieldCheck = (value) =>
  Array.isArray(value) && value.every((each) => typeof each === 'string') ? undefined : 'is not a list of texts';
const listOf =
  (fields: Readonly<Record<string, FieldCheck>>): FieldCheck =>
  (value, path, problems) => {
    if (!Array.isArray(value)) return 'is not a list';
    for (const [i, each] of value.entries()) checkFields(each, `${path}[${i}]`, fields, problems);
    return undefined;
  };

const ruleFields = {
  level: isText,
  users: texts,
  userGroups: texts,
  verbs: texts,
  resources: listOf({ group: isText, resources: texts, resourceNames: texts }),
  namespaces: texts,
  nonResourceURLs: texts,
  omitStages: texts,
  omitManagedFields: isTruth,
};
const policyFields = { rules: listOf(ruleFields), omitStages: texts, omitManagedFields: isTruth };

function checkFields(value: unknown, path: string, fields: Readonly<Record<string, FieldCheck>>, problems: string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${path || 'the policy'} is not a map of fields`);
    return;
  }
  for (const [name, given] of Object.entries(value)) {
    const at = path ? `${path}.${name}` : name;
    const check = own(fields, name);
    if (given === null || given === undefined) continue;
    const problem = check ? check(given, at, problems) : 'is no field of a policy';
    if (problem) problems.push(`${at} ${problem}`);
  }
}

function checkMeaning(
  { apiVersion, kind, rules, omitStages }: AuditPolicy & { apiVersion?: string; kind?: string },
  problems: string[],
): void {
  if (apiVersion !== 'audit.k8s.io/v1' || kind !== 'Policy') problems.push('it is not a Policy of audit.k8s.io/v1');
  if (!rules?.length) problems.push('rules: there is none');
  checkStages(omitStages, 'omitStages', problems);
  for (const [i, rule] of (rules ?? []).entries()) checkRule(rule, `rules[${i}]`, problems);
}

function checkRule(
  { level, resources = [], namespaces, nonResourceURLs = [], omitStages }: AuditRule,
  path: string,
  problems: string[],
): void {
  if (!auditLevels.includes(level)) problems.push(`${path}.level ${JSON.stringify(level ?? '')} is none of ${auditLevels.join(', ')}`);
  checkStages(omitStages, `${path}.omitStages`, problems);
  for (const [i, url] of nonResourceURLs.entries()) {
    const at = `${path}.nonResourceURLs[${i}]`;
    if (url !== '*' && !url.startsWith('/')) problems.push(`${at} does not begin with /`);
    if (url.slice(0, -1).includes('*')) problems.push(`${at} has a * that is not its end`);
  }
  for (const [i, { group = '', resources: named, resourceNames }] of resources.entries()) {
    const at = `${path}.resources[${i}]`;
    if (!/^(\*|[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/.test(group))
      problems.push(`${at}.group ${JSON.stringify(group)} is no API group (it has no version)`);
    if (resourceNames?.length && !named?.length) problems.push(`${at}.resourceNames needs resources`);
  }
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces?.length))
    problems.push(`${path} is for resources and for nonResourceURLs`);
}

function checkStages(given: readonly string[] | undefined, path: string, problems: string[]): void {
  for (const stage of given ?? []) {
    if (!auditStages.some((each) => each === stage))
      problems.push(`${path}: ${JSON.stringify(stage)} is none of ${auditStages.join(', ')}`);
  }
}
