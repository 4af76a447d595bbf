/** Which requests a flow schema is about. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import type { NonResourcePolicyRule, ResourcePolicyRule } from '../../generated/flowcontrol-v1.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import type { Errors } from '../checks.ts';
import { listOf } from '../lists.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

interface ListRule {
  readonly absent: string;
  /** what the others are called */
  readonly others: string;
}

/** True when the values are neither absent nor a star. */
function checkList(errors: Errors, path: string, values: readonly string[], { absent, others }: ListRule): boolean {
  if (!values.length) errors.push(fieldErrors.required(path, absent));
  else if (!values.includes('*')) return true;
  else if (values.length > 1) {
    errors.push(fieldErrors.invalid(path, values, `if '*' is present, must not specify other ${others}`));
  }
  return false;
}

function checkVerbs(errors: Errors, path: string, given: readonly string[]): void {
  const named = checkList(errors, path, given, { absent: 'verbs must contain at least one value', others: 'verbs' });
  if (named && !given.every((verb) => verbs.includes(verb))) errors.push(fieldErrors.notSupported(path, given, verbs));
}

export function checkNonResourceRule(errors: Errors, path: string, rule: NonResourcePolicyRule): void {
  checkVerbs(errors, `${path}.verbs`, listOf(rule.verbs));
  const urls = listOf(rule.nonResourceURLs);
  const at = `${path}.nonResourceURLs`;
  const named = checkList(errors, at, urls, {
    absent: 'nonResourceURLs must contain at least one value',
    others: 'non-resource URLs',
  });
  if (!named) return;
  urls.forEach((url, i) => {
    const wrong = whatIsWrongWithUrl(url);
    if (wrong) errors.push(fieldErrors.invalid(`${at}[${i}]`, url, wrong));
  });
}

function whatIsWrongWithUrl(url: string): string | undefined {
  if (!url) return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const stars = url.split('*').length - 1;
  return stars > 1 || (stars === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined;
}

export function checkResourceRule(errors: Errors, path: string, rule: ResourcePolicyRule): void {
  checkVerbs(errors, `${path}.verbs`, listOf(rule.verbs));
  checkList(errors, `${path}.apiGroups`, listOf(rule.apiGroups), {
    absent: 'resource rules must supply at least one api group',
    others: 'api groups',
  });
  checkList(errors, `${path}.resources`, listOf(rule.resources), {
    absent: 'resource rules must supply at least one resource',
    others: 'resources',
  });
  const namespaces = listOf(rule.namespaces);
  if (!namespaces.length && rule.clusterScope) return;
  const at = `${path}.namespaces`;
  const named = checkList(errors, at, namespaces, {
    absent: 'resource rules that are not cluster scoped must supply at least one namespace',
    others: 'namespaces',
  });
  if (!named) return;
  namespaces.forEach((namespace, i) => {
    for (const message of nameIsDnsLabel(namespace, false)) {
      const detail = `each member of this list must be '*' or a DNS-1123 label; ${message}`;
      errors.push(fieldErrors.invalid(`${at}[${i}]`, namespace, detail));
    }
  });
}
