/** Which requests a webhook or a policy is about. Upstream: pkg/apis/admissionregistration/validation/validation.go. */
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from '../../generated/admissionregistration-v1.ts';
import { all, each, fields, itemsMax, oneOf, required, uniqueBy } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { listOf } from '../lists.ts';
import { pathName, qualifiedName, selector } from '../shared-rules.ts';
import { condition } from './expression-checks.ts';

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const conditionsMax = 64;

const starAlone = (called: string): Rule<readonly string[]> =>
  required((values, walk) => {
    if (values.length > 1 && values.includes('*')) walk.invalid('', values, `if '*' is present, must not specify other ${called}`);
  });

const resources: Rule<readonly string[]> = required((given, walk) => {
  const wholes = new Set<string>();
  const everywhere = new Set<string>();
  let lastIsPlain = false;
  for (const [i, resource] of given.entries()) {
    const slash = resource.indexOf('/');
    const [name, sub] = [resource.slice(0, slash), resource.slice(slash + 1)];
    const exclude = (present: string): void => walk.invalid(`[${i}]`, resource, `if '${present}' is present, must not specify ${resource}`);
    if (!resource) walk.required(`[${i}]`);
    else if (slash < 0) lastIsPlain = resource !== '*';
    if (slash < 0) continue;
    if (wholes.has(name)) exclude(`${name}/*`);
    if (everywhere.has(sub)) exclude(`*/${sub}`);
    if (sub === '*') wholes.add(name);
    if (name === '*') everywhere.add(sub);
  }
  const refuse = (message: string): void => walk.invalid('', given, message);
  if (given.length > 1 && given.includes('*/*')) refuse("if '*/*' is present, must not specify other resources");
  if (given.includes('*') && lastIsPlain) refuse("if '*' is present, must not specify other resources without subresources");
});

export const requestRule = fields<RuleWithOperations>({
  operations: all(starAlone('operations'), each(oneOf(...operations))),
  apiGroups: starAlone('API groups'),
  apiVersions: all<readonly string[]>(starAlone('API versions'), each(required())),
  resources,
  scope: oneOf('*', 'Cluster', 'Namespaced'),
});

const namedRules = each<NamedRuleWithOperations>(
  all<NamedRuleWithOperations>(fields({ resourceNames: uniqueBy<string>((name) => name, { rule: pathName }) }), requestRule),
);
export const matchPolicy = oneOf('Equivalent', 'Exact');
export const matchResources = fields<MatchResources>({
  matchPolicy,
  namespaceSelector: selector,
  objectSelector: selector,
  resourceRules: namedRules,
  excludeResourceRules: namedRules,
});

/** Mutation knows no DELETE: nothing is left to change. */
const mutatingOperation = oneOf(...operations.filter((operation) => operation !== 'DELETE'));
export const mutatingOperations: Rule<MatchResources> = ({ resourceRules }, walk) => {
  for (const rule of listOf(resourceRules)) {
    for (const operation of listOf(rule.operations)) walk.check('resourceRules.operations', operation, mutatingOperation);
  }
};

/** `params`: they may name the policy's. */
export function matchConditions(params: boolean): Rule<readonly MatchCondition[]> {
  const expressionRule = condition(params);
  const rule: Rule<MatchCondition> = ({ name = '', expression = '' }, walk) => {
    walk.check('expression', expression.trim(), expressionRule);
    walk.check('name', name, conditionName);
  };
  return all(
    itemsMax(conditionsMax),
    uniqueBy(({ name }) => name || undefined, { at: 'name', rule }),
  );
}
const conditionName = required(qualifiedName);
