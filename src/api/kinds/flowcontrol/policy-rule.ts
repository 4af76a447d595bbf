/** Which requests a flow schema is about. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import type { NonResourcePolicyRule, ResourcePolicyRule } from '../../generated/flowcontrol-v1.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import { each, evenAbsent, fields } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { listOf } from '../lists.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

/** A star alone, or values that obey the rule. `others`: what they are called */
const starOr = (absent: string, others: string, rule?: Rule<readonly string[]>): Rule<readonly string[]> =>
  evenAbsent((given, walk) => {
    const values = listOf(given);
    if (!values.length) walk.required('', absent);
    else if (!values.includes('*')) rule?.(values, walk, undefined);
    else if (values.length > 1) walk.invalid('', values, `if '*' is present, must not specify other ${others}`);
  });

const someVerbs = starOr('verbs must contain at least one value', 'verbs', (given, walk) => {
  if (!given.every((verb) => verbs.includes(verb))) walk.notSupported('', given, verbs);
});

const url: Rule<string> = (given, walk) => {
  const wrong = whatIsWrongWithUrl(given);
  if (wrong) walk.invalid('', given, wrong);
};

function whatIsWrongWithUrl(given: string): string | undefined {
  if (!given) return 'must not be empty';
  if (given === '/') return undefined;
  if (!given.startsWith('/')) return 'must start with slash';
  if (given.includes(' ')) return 'must not contain white-space';
  if (given.includes('//')) return 'must not contain double slash';
  const stars = given.split('*').length - 1;
  return stars > 1 || (stars === 1 && !given.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined;
}

export const nonResourceRule = fields<NonResourcePolicyRule>({
  verbs: someVerbs,
  nonResourceURLs: starOr('nonResourceURLs must contain at least one value', 'non-resource URLs', each(url)),
});

const namespace: Rule<string> = (given, walk) => {
  for (const message of nameIsDnsLabel(given, false)) {
    walk.invalid('', given, `each member of this list must be '*' or a DNS-1123 label; ${message}`);
  }
};
const someResources = fields<ResourcePolicyRule>({
  verbs: someVerbs,
  apiGroups: starOr('resource rules must supply at least one api group', 'api groups'),
  resources: starOr('resource rules must supply at least one resource', 'resources'),
});
const noNamespace = 'resource rules that are not cluster scoped must supply at least one namespace';
const someNamespaces = fields<ResourcePolicyRule>({ namespaces: starOr(noNamespace, 'namespaces', each(namespace)) });

export const resourceRule: Rule<ResourcePolicyRule> = (rule, walk, old) => {
  someResources(rule, walk, old);
  if (rule.namespaces?.length || !rule.clusterScope) someNamespaces(rule, walk, old);
};
