/** Names of signers: a domain and a path. Upstream: pkg/apis/core/validation (ValidateSignerName). */
import { checkDns1123Label, checkDns1123Subdomain, labelLengthMax, subdomainLengthMax } from '../../meta/names.ts';
import { required } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';

const nameLengthMax = subdomainLengthMax * 2 + labelLengthMax + 2;

export const signerName: Rule<string> = required((name, walk) => {
  const [domain = '', rest, ...others] = name.split('/');
  if (rest === undefined || others.length) {
    return walk.invalid('', name, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
  }
  if (domain.length > subdomainLengthMax) walk.tooLong('', subdomainLengthMax);
  checkParts(walk, domain, checkDns1123Label);
  if (!domain.includes('.')) walk.invalid('', domain, 'should be a domain with at least two segments separated by dots');
  checkParts(walk, rest, checkDns1123Subdomain);
  if (name.length > nameLengthMax) walk.tooLong('', nameLengthMax);
});

/** Tells of the first part that is wrong only. */
function checkParts(walk: Walk, text: string, check: (part: string) => readonly string[]): void {
  for (const part of text.split('.')) {
    const messages = check(part);
    for (const message of messages) walk.invalid('', text, `validating label ${JSON.stringify(part)}: ${message}`);
    if (messages.length) return;
  }
}
