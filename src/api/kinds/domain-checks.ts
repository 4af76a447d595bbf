/** Checks of DNS names with a number of parts, alone or before a path. Upstream: apimachinery/pkg/util/validation. */
import { checkDns1123Label, checkDns1123Subdomain, regexMessage } from '../meta/names.ts';
import { fieldErrors } from '../meta/status-error.ts';
import { addInvalid, type Errors } from './checks.ts';

/** At least two parts; a dot at the end is fine. */
export function checkDomainName(errors: Errors, path: string, given: string): void {
  const name = given.replace(/\.$/, '');
  if (!checkParts(errors, path, { given, name, min: 2, word: 'two' })) return;
  for (const label of name.split('.')) {
    const messages = checkDns1123Label(label);
    if (messages.length) return void errors.push(fieldErrors.invalid(path, label, messages.join(',')));
  }
}

/** At least three parts. */
export function checkFullyQualifiedName(errors: Errors, path: string, name: string): void {
  checkParts(errors, path, { given: name, name, min: 3, word: 'three' });
}

interface PartsRule {
  readonly given: string;
  readonly name: string;
  readonly min: number;
  readonly word: string;
}

function checkParts(errors: Errors, path: string, { given, name, min, word }: PartsRule): boolean {
  const messages = checkDns1123Subdomain(name);
  if (!given) errors.push(fieldErrors.required(path));
  else if (messages.length) errors.push(fieldErrors.invalid(path, name, messages.join(',')));
  else if (name.split('.').length >= min) return true;
  else errors.push(fieldErrors.invalid(path, name, `should be a domain with at least ${word} segments separated by dots`));
  return false;
}

const pathFormat = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const pathPattern = new RegExp(`^${pathFormat}$`);

/** `domain/path`. */
export function checkDomainPath(errors: Errors, path: string, value: string): void {
  if (!value) return void errors.push(fieldErrors.required(path));
  const slash = value.indexOf('/');
  const [host, rest] = [value.slice(0, slash), value.slice(slash + 1)];
  if (slash < 1 || !rest) {
    errors.push(fieldErrors.invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    return;
  }
  addInvalid(errors, path, host, checkDns1123Subdomain(host));
  if (!pathPattern.test(rest)) errors.push(fieldErrors.invalid(path, rest, regexMessage('Invalid path', pathFormat)));
}
