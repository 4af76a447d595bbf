/**
 * What validating and mutating admission policies share.
 * Upstream: pkg/apis/admissionregistration/validation/validation.go.
 */
import type { MatchCondition, MatchResources, ParamKind, ParamRef, Variable } from '../../generated/admissionregistration-v1.ts';
import { checkDns1035Label, checkDns1123Subdomain, checkPathSegment } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { formatSelector } from '../cells.ts';
import { addInvalid, checkDnsSubdomain, checkOneOf, checkPresent, checkSelector, type Errors } from '../checks.ts';
import { listOf } from '../lists.ts';
import type { PolicyExpressions } from './expression-checks.ts';
import { checkMatchConditions, checkMatchResources } from './rule-checks.ts';

interface Policy {
  readonly failurePolicy?: string;
  readonly paramKind?: ParamKind;
  readonly matchConstraints?: MatchResources;
  readonly matchConditions?: readonly MatchCondition[];
  readonly variables?: readonly Variable[];
}

/** Its variables are declared in `expressions`. */
export function checkPolicy(errors: Errors, spec: Policy, expressions: PolicyExpressions): void {
  checkOneOf(errors, 'spec.failurePolicy', spec.failurePolicy, { of: ['Fail', 'Ignore'], emptyIsValue: true });
  if (spec.paramKind) checkParamKind(errors, 'spec.paramKind', spec.paramKind);
  const path = 'spec.matchConstraints';
  if (spec.matchConstraints) {
    checkMatchResources(errors, path, spec.matchConstraints);
    if (!spec.matchConstraints.resourceRules?.length) errors.push(fieldErrors.required(`${path}.resourceRules`));
  } else errors.push(fieldErrors.required(path));
  checkMatchConditions(errors, 'spec.matchConditions', listOf(spec.matchConditions), spec.paramKind !== undefined);
  listOf(spec.variables).forEach(({ name, expression }, i) => {
    const at = `spec.variables[${i}]`;
    if (checkPresent(errors, `${at}.name`, name?.trim(), 'name is not specified') && !isIdentifier(name)) {
      errors.push(fieldErrors.invalid(`${at}.name`, name, 'must be a valid CEL identifier'));
    }
    if (checkPresent(errors, `${at}.expression`, expression?.trim(), 'expression is not specified'))
      expressions.variable(`${at}.expression`, { name, expression });
  });
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const isIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !reserved.has(name);

function checkParamKind(errors: Errors, path: string, { apiVersion = '', kind = '' }: ParamKind): void {
  const add = (value: string, message: string): void => void errors.push(fieldErrors.invalid(`${path}.apiVersion`, value, message));
  const parts = apiVersion === '/' ? ['', ''] : apiVersion.split('/');
  const [group, version] = parts.length === 1 ? ['', apiVersion] : [parts[0] ?? '', parts[1] ?? ''];
  if (!apiVersion) errors.push(fieldErrors.required(`${path}.apiVersion`));
  else if (parts.length > 2) add(apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  else {
    const wrongGroup = group ? checkDns1123Subdomain(group) : [];
    if (wrongGroup.length) add(group, wrongGroup.join(','));
    const wrongVersion = version ? checkDns1035Label(version) : [];
    if (!version) add(apiVersion, 'version must be specified');
    else if (wrongVersion.length) add(version, wrongVersion.join(','));
  }
  const wrongKind = kind ? checkDns1035Label(kind.toLowerCase()) : [];
  if (!kind) errors.push(fieldErrors.required(`${path}.kind`));
  else if (wrongKind.length) {
    const message = `may have mixed case, but should otherwise match: ${wrongKind.join(',')}`;
    errors.push(fieldErrors.invalid(`${path}.kind`, kind, message));
  }
}

interface Binding {
  readonly policyName?: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: MatchResources;
}

export function checkBinding(errors: Errors, { policyName, paramRef, matchResources }: Binding): void {
  if (checkPresent(errors, 'spec.policyName', policyName)) checkDnsSubdomain(errors, 'spec.policyName', policyName ?? '');
  if (paramRef) checkParamRef(errors, 'spec.paramRef', paramRef);
  if (matchResources) checkMatchResources(errors, 'spec.matchResources', matchResources);
}

function checkParamRef(errors: Errors, path: string, { name, selector, parameterNotFoundAction: action }: ParamRef): void {
  const exclusive = 'name and selector are mutually exclusive';
  if (name) addInvalid(errors, `${path}.name`, name, checkPathSegment(name));
  if (name && selector) errors.push(fieldErrors.forbidden(`${path}.name`, exclusive));
  checkSelector(errors, `${path}.selector`, selector);
  if (name && selector) errors.push(fieldErrors.forbidden(`${path}.selector`, exclusive));
  if (!name && !selector) errors.push(fieldErrors.required(path, 'one of name or selector must be specified'));
  checkOneOf(errors, `${path}.parameterNotFoundAction`, action, { of: ['Deny', 'Allow'] });
}

export const paramKindText = (kind: ParamKind | undefined): string => (kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>');

export function paramRefText(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || '*'}/${ref.name}`;
  return ref?.selector ? formatSelector(ref.selector) : '<unset>';
}
