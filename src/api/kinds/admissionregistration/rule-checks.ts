/** Which requests a webhook or a policy is about. Upstream: pkg/apis/admissionregistration/validation/validation.go. */
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from '../../generated/admissionregistration-v1.ts';
import { checkPathSegment, checkQualifiedName } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { addInvalid, checkPresent, checkSelector, checkSupported, type Errors, repeats } from '../checks.ts';
import { listOf } from '../lists.ts';
import { checkCondition } from './expression-checks.ts';

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
const conditionsMax = 64;

export function checkRule(errors: Errors, path: string, rule: RuleWithOperations): void {
  checkStarAlone(errors, `${path}.operations`, listOf(rule.operations), 'operations');
  listOf(rule.operations).forEach((operation, i) => {
    checkSupported(errors, `${path}.operations[${i}]`, operation, operations);
  });
  checkStarAlone(errors, `${path}.apiGroups`, listOf(rule.apiGroups), 'API groups');
  checkStarAlone(errors, `${path}.apiVersions`, listOf(rule.apiVersions), 'API versions');
  listOf(rule.apiVersions).forEach((version, i) => {
    checkPresent(errors, `${path}.apiVersions[${i}]`, version);
  });
  checkResources(errors, `${path}.resources`, listOf(rule.resources));
  checkSupported(errors, `${path}.scope`, rule.scope, scopes);
}

function checkStarAlone(errors: Errors, path: string, values: readonly string[], called: string): void {
  if (!values.length) errors.push(fieldErrors.required(path));
  if (values.length > 1 && values.includes('*')) {
    errors.push(fieldErrors.invalid(path, values, `if '*' is present, must not specify other ${called}`));
  }
}

function checkResources(errors: Errors, path: string, resources: readonly string[]): void {
  if (!resources.length) errors.push(fieldErrors.required(path));
  const wholes = new Set<string>();
  const everywhere = new Set<string>();
  let lastIsPlain = false;
  resources.forEach((resource, i) => {
    const at = `${path}[${i}]`;
    if (!resource) {
      errors.push(fieldErrors.required(at));
      return;
    }
    const slash = resource.indexOf('/');
    if (slash < 0) {
      lastIsPlain = resource !== '*';
      return;
    }
    const [name, sub] = [resource.slice(0, slash), resource.slice(slash + 1)];
    const exclude = (present: string): void =>
      void errors.push(fieldErrors.invalid(at, resource, `if '${present}' is present, must not specify ${resource}`));
    if (wholes.has(name)) exclude(`${name}/*`);
    if (everywhere.has(sub)) exclude(`*/${sub}`);
    if (sub === '*') wholes.add(name);
    if (name === '*') everywhere.add(sub);
  });
  const refuse = (message: string): void => void errors.push(fieldErrors.invalid(path, resources, message));
  if (resources.length > 1 && resources.includes('*/*')) refuse("if '*/*' is present, must not specify other resources");
  if (resources.includes('*') && lastIsPlain) {
    refuse("if '*' is present, must not specify other resources without subresources");
  }
}

function checkNamedRule(errors: Errors, path: string, rule: NamedRuleWithOperations): void {
  const names = listOf(rule.resourceNames);
  const isRepeated = repeats<string>();
  names.forEach((name, i) => {
    addInvalid(errors, `${path}.resourceNames[${i}]`, name, checkPathSegment(name));
    if (isRepeated(name)) errors.push(fieldErrors.duplicate(`${path}.resourceNames[${i}]`, name));
  });
  checkRule(errors, path, rule);
}

export function checkMatchResources(errors: Errors, path: string, match: MatchResources): void {
  checkSupported(errors, `${path}.matchPolicy`, match.matchPolicy, ['Equivalent', 'Exact']);
  checkSelector(errors, `${path}.namespaceSelector`, match.namespaceSelector);
  checkSelector(errors, `${path}.objectSelector`, match.objectSelector);
  for (const field of ['resourceRules', 'excludeResourceRules'] as const) {
    listOf(match[field]).forEach((rule, i) => {
      checkNamedRule(errors, `${path}.${field}[${i}]`, rule);
    });
  }
}

/** Mutation knows no DELETE: nothing is left to change. */
export function checkMutatingOperations(errors: Errors, path: string, match: MatchResources): void {
  const supported = operations.filter((operation) => operation !== 'DELETE');
  for (const rule of listOf(match.resourceRules)) {
    for (const operation of listOf(rule.operations)) {
      checkSupported(errors, `${path}.resourceRules.operations`, operation, supported);
    }
  }
}

/** `params`: they may name the policy's. */
export function checkMatchConditions(errors: Errors, path: string, conditions: readonly MatchCondition[], params: boolean): void {
  if (conditions.length > conditionsMax) errors.push(fieldErrors.tooMany(path, conditions.length, conditionsMax));
  const names = new Set<string>();
  conditions.forEach(({ name, expression }, i) => {
    const at = `${path}[${i}]`;
    const text = expression?.trim() ?? '';
    if (checkPresent(errors, `${at}.expression`, text)) checkCondition(errors, `${at}.expression`, text, params);
    if (!checkPresent(errors, `${at}.name`, name)) return;
    addInvalid(errors, `${at}.name`, name, checkQualifiedName(name));
    if (names.has(name)) errors.push(fieldErrors.duplicate(`${at}.name`, name));
    names.add(name);
  });
}
