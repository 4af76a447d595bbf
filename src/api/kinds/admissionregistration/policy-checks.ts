/**
 * What validating and mutating admission policies share.
 * Upstream: pkg/apis/admissionregistration/validation/validation.go.
 */
import type { MatchCondition, MatchResources, ParamKind, ParamRef, Variable } from '../../generated/admissionregistration-v1.ts';
import { checkDns1035Label, checkDns1123Subdomain } from '../../meta/names.ts';
import { all, each, fields, oneOf, present, refuse, required } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { formatSelector } from '../cells.ts';
import { dnsSubdomain, pathName, selector } from '../shared-rules.ts';
import { notBlank, type PolicyExpressions } from './expression-checks.ts';
import { matchConditions, matchResources } from './rule-checks.ts';

interface Policy {
  readonly failurePolicy?: string;
  readonly paramKind?: ParamKind;
  readonly matchConstraints?: MatchResources;
  readonly matchConditions?: readonly MatchCondition[];
  readonly variables?: readonly Variable[];
}

/** What rules of a policy know of it (`walk.about`). */
export interface PolicyKnown {
  readonly name: string;
  readonly expressions: PolicyExpressions;
}
export const expressionsOf = (walk: Walk): PolicyExpressions => (walk.about as PolicyKnown).expressions;

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const isIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !reserved.has(name);

const variable: Rule<Variable> = all<Variable>(
  fields({
    name: notBlank(
      refuse((name) => !isIdentifier(name), 'must be a valid CEL identifier'),
      'name is not specified',
    ),
  }),
  ({ name, expression = '' }, walk) => {
    const declare = notBlank((text, at) => expressionsOf(at).variable(at, { name, expression: text }), 'expression is not specified');
    walk.check('expression', expression, declare);
  },
);

const paramKind: Rule<ParamKind> = ({ apiVersion = '', kind = '' }, walk) => {
  const add = (value: string, message: string): void => walk.invalid('apiVersion', value, message);
  const parts = apiVersion === '/' ? ['', ''] : apiVersion.split('/');
  const [group, version] = parts.length === 1 ? ['', apiVersion] : [parts[0] ?? '', parts[1] ?? ''];
  if (!apiVersion) walk.required('apiVersion');
  else if (parts.length > 2) add(apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  else {
    const wrongGroup = group ? checkDns1123Subdomain(group) : [];
    if (wrongGroup.length) add(group, wrongGroup.join(','));
    const wrongVersion = version ? checkDns1035Label(version) : [];
    if (!version) add(apiVersion, 'version must be specified');
    else if (wrongVersion.length) add(version, wrongVersion.join(','));
  }
  const wrongKind = kind ? checkDns1035Label(kind.toLowerCase()) : [];
  if (!kind) walk.required('kind');
  if (wrongKind.length) walk.invalid('kind', kind, `may have mixed case, but should otherwise match: ${wrongKind.join(',')}`);
};

const conditions = matchConditions(false);
const conditionsWithParams = matchConditions(true);

/** Its variables are declared in its expressions. */
export const policyRule: Rule<Policy> = all<Policy>(
  fields({
    failurePolicy: present(oneOf('Fail', 'Ignore')),
    paramKind,
    matchConstraints: required(all(matchResources, fields<MatchResources>({ resourceRules: required() }))),
  }),
  (policy, walk) => walk.check('matchConditions', policy.matchConditions, policy.paramKind ? conditionsWithParams : conditions),
  fields({ variables: each(variable) }),
);

const exclusive = 'name and selector are mutually exclusive';
const paramRef: Rule<ParamRef> = (given, walk) => {
  const isBoth = given.name && given.selector;
  walk.check('name', given.name || undefined, pathName);
  if (isBoth) walk.forbidden('name', exclusive);
  walk.check('selector', given.selector, selector);
  if (isBoth) walk.forbidden('selector', exclusive);
  if (!given.name && !given.selector) walk.required('', 'one of name or selector must be specified');
  walk.check('parameterNotFoundAction', given.parameterNotFoundAction ?? '', foundAction);
};
const foundAction = required(oneOf('Deny', 'Allow'));

interface Binding {
  readonly policyName?: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: MatchResources;
}
export const bindingRule = fields<Binding>({ policyName: required(dnsSubdomain), paramRef, matchResources });

export const paramKindText = (kind: ParamKind | undefined): string => (kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>');

export function paramRefText(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || '*'}/${ref.name}`;
  return ref?.selector ? formatSelector(ref.selector) : '<unset>';
}
