/** The formats that upstream's tags name (`format=k8s-uuid`). Upstream: apimachinery/pkg/api/validate/strfmt.go. */
import {
  checkDns1123Label,
  checkDns1123Subdomain,
  checkDns1123SubdomainCaseless,
  checkPathSegment,
  checkQualifiedName,
  regexMessage,
} from '../meta/names.ts';
import { format } from './rules/rules.ts';
import type { Rule, Walk } from './rules/walk.ts';

const poolNameMax = 253;
const domainMax = 63;
const identifierMax = 32;
const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const identifierMessage = regexMessage(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  identifier.source.slice(1, -1),
  'my_name',
  'MY_NAME',
  'MyName',
);
const quotaPrefix = 'requests.';
const ownDomain = 'kubernetes.io/';

/** As upstream has it here: elsewhere the same lengths are in characters. */
const toBytes = (message: string): string => message.replace(/^(must be no more than \d+) characters$/, '$1 bytes');
const inBytes = (check: (value: string) => readonly string[]): Rule<string> => format((value) => check(value).map(toBytes));

/** Names joined by slashes. */
const poolName: Rule<string> = (name, walk) => {
  if (name.length > poolNameMax) walk.tooLong('', poolNameMax);
  for (const [i, part] of name.slice(0, poolNameMax).split('/').entries()) {
    if (!part) walk.invalid('', name, `segment ${i}: must not be empty`);
    else for (const message of checkDns1123Subdomain(part)) walk.invalid('', part, `segment ${i}: ${toBytes(message)}`);
  }
};

function checkIdentifier(name: string, walk: Walk): void {
  if (name.length > identifierMax) walk.tooLong('', identifierMax);
  if (!identifier.test(name)) walk.invalid('', name, identifierMessage);
}

/** A domain and an identifier. */
const fullyQualified: Rule<string> = (name, walk) => {
  const [first = '', second, ...more] = name.split('/');
  if (second === undefined) {
    checkIdentifier(first, walk);
    return walk.invalid('', name, 'a fully qualified name must be a domain and a name separated by a slash');
  }
  if (more.length > 0) return;
  if (!first) walk.invalid('', '', 'prefix must not be empty');
  else {
    if (first.length > domainMax) walk.tooLong('', domainMax);
    for (const message of checkDns1123Subdomain(first)) walk.invalid('', first, `prefix: ${toBytes(message)}`);
  }
  if (second) checkIdentifier(second, walk);
  else walk.invalid('', '', 'name must not be empty');
};

/** All in one word, as upstream still has it by hand. */
function checkExtendedResource(name: string): readonly string[] {
  const isOne = name.includes('/') && !name.includes(ownDomain) && !name.startsWith(quotaPrefix);
  return isOne && checkQualifiedName(`${quotaPrefix}${name}`).length === 0 ? [] : ['must be a valid extended resource name'];
}

export const tagFormats: Readonly<Record<string, Rule<string>>> = {
  'k8s-short-name': inBytes(checkDns1123Label),
  'k8s-long-name': inBytes(checkDns1123Subdomain),
  'k8s-long-name-caseless': inBytes(checkDns1123SubdomainCaseless),
  'k8s-label-key': format(checkQualifiedName),
  'k8s-path-segment-name': format((name) => checkPathSegment(name)),
  'k8s-uuid': format((text) => (uuid.test(text) ? [] : ['must be a lowercase UUID in 8-4-4-4-12 format'])),
  'k8s-resource-pool-name': poolName,
  'k8s-resource-fully-qualified-name': fullyQualified,
  'k8s-extended-resource-name': format(checkExtendedResource),
};
