/** Names of signers: a domain and a path. Upstream: pkg/apis/core/validation (ValidateSignerName). */
import { checkDns1123Label, checkDns1123Subdomain, labelLengthMax, subdomainLengthMax } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { checkPresent, type Errors } from '../checks.ts';

const nameLengthMax = subdomainLengthMax * 2 + labelLengthMax + 2;

export function checkSignerName(errors: Errors, path: string, name: string): void {
  if (!checkPresent(errors, path, name)) return;
  const [domain = '', rest, ...others] = name.split('/');
  if (rest === undefined || others.length) {
    const message = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(fieldErrors.invalid(path, name, message));
    return;
  }
  if (domain.length > subdomainLengthMax) errors.push(fieldErrors.tooLong(path, subdomainLengthMax));
  checkParts(errors, path, domain, checkDns1123Label);
  if (!domain.includes('.')) {
    errors.push(fieldErrors.invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  }
  checkParts(errors, path, rest, checkDns1123Subdomain);
  if (name.length > nameLengthMax) errors.push(fieldErrors.tooLong(path, nameLengthMax));
}

/** Tells of the first part that is wrong only. */
function checkParts(errors: Errors, path: string, text: string, check: (part: string) => readonly string[]): void {
  for (const part of text.split('.')) {
    const messages = check(part);
    for (const message of messages) errors.push(fieldErrors.invalid(path, text, `validating label ${JSON.stringify(part)}: ${message}`));
    if (messages.length) return;
  }
}
