/** Rules of DNS names with a number of parts, alone or before a path. Upstream: apimachinery/pkg/util/validation. */
import { checkDns1123Label, checkDns1123Subdomain, regexMessage } from '../meta/names.ts';
import { required } from '../schema/rules/rules.ts';
import type { Rule, Walk } from '../schema/rules/walk.ts';
import { dnsSubdomain } from './shared-rules.ts';

/** At least two parts; a dot at the end is fine. */
export const domainName: Rule<string> = (given, walk) => {
  const name = given.replace(/\.$/, '');
  if (!given) return walk.required('');
  if (!hasParts(walk, name, { min: 2, word: 'two' })) return;
  for (const label of name.split('.')) {
    const messages = checkDns1123Label(label);
    if (messages.length) return walk.invalid('', label, messages.join(','));
  }
};

/** At least three parts. */
export const fullyQualifiedName: Rule<string> = required((name, walk) => void hasParts(walk, name, { min: 3, word: 'three' }));

function hasParts(walk: Walk, name: string, { min, word }: { readonly min: number; readonly word: string }): boolean {
  const messages = checkDns1123Subdomain(name);
  const isLong = name.split('.').length >= min;
  if (messages.length) walk.invalid('', name, messages.join(','));
  else if (!isLong) walk.invalid('', name, `should be a domain with at least ${word} segments separated by dots`);
  return messages.length === 0 && isLong;
}

const pathFormat = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const pathPattern = new RegExp(`^${pathFormat}$`);

/** `domain/path`. */
export const domainPath: Rule<string> = required((value, walk) => {
  const slash = value.indexOf('/');
  const [host, rest] = [value.slice(0, slash), value.slice(slash + 1)];
  if (slash < 1 || !rest) return walk.invalid('', value, 'must be a domain-prefixed path (such as "acme.io/foo")');
  dnsSubdomain(host, walk, undefined);
  if (!pathPattern.test(rest)) walk.invalid('', rest, regexMessage('Invalid path', pathFormat));
});
