/**
 * What names may look like: DNS labels and subdomains, qualified names, label values, port names, path segments, keys
 * of config maps, environment variables. Each checker returns the list of what is wrong, in upstream's wording, and an
 * empty list when nothing is.
 * Upstream: apimachinery/pkg/util/validation/validation.go, apimachinery/pkg/api/validate/content.
 */

const labelFormat = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const underscoreLabelFormat = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoreSubdomainFormat = `${underscoreLabelFormat}(\\.${underscoreLabelFormat})*`;
const dns1035Format = '[a-z]([-a-z0-9]*[a-z0-9])?';
const keyFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValueFormat = `(${keyFormat})?`;
const wildcardFormat = `\\*\\.${subdomainFormat}`;
const percentFormat = '[0-9]+%';
const headerNameFormat = '[-A-Za-z0-9]+';
const envVarFormat = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const configKeyFormat = '[-._a-zA-Z0-9]+';

const whole = (format: string): RegExp => new RegExp(`^(?:${format})$`);
const labelRegExp = whole(labelFormat);
const subdomainRegExp = whole(subdomainFormat);
const underscoreSubdomainRegExp = whole(underscoreSubdomainFormat);
const dns1035RegExp = whole(dns1035Format);
const keyRegExp = whole(keyFormat);
const labelValueRegExp = whole(labelValueFormat);
const wildcardRegExp = whole(wildcardFormat);
const percentRegExp = whole(percentFormat);
const headerNameRegExp = whole(headerNameFormat);
const envVarRegExp = whole(envVarFormat);
const configKeyRegExp = whole(configKeyFormat);

/** What is longer than anything that a checker here allows is told to be so; which characters it has is not looked at. */
const lookedAtMax = 4096;
const matches = (format: RegExp, value: string): boolean => value.length > lookedAtMax || format.test(value);

export const labelLengthMax = 63;
export const subdomainLengthMax = 253;

const none: readonly string[] = Object.freeze([]);

/** `must be no more than N characters` */
export const maxLengthMessage = (max: number): string => `must be no more than ${max} characters`;
const maxBytesMessage = (max: number): string => `must be no more than ${max} bytes`;
export const rangeMessage = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

/** A sentence that says what was expected, with examples and the expression. */
export function regexMessage(message: string, format: string, ...examples: readonly string[]): string {
  if (!examples.length) return `${message} (regex used for validation is '${format}')`;
  return `${message} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${format}')`;
}

const utf8 = new TextEncoder();
const byteLength = (text: string): number => utf8.encode(text).length;

const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const keyMessage = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

export function checkDns1123Label(value: string): readonly string[] {
  const fits = value.length <= labelLengthMax;
  if (fits && matches(labelRegExp, value)) return none;
  const found = fits ? [] : [maxLengthMessage(labelLengthMax)];
  if (!matches(labelRegExp, value)) {
    found.push(matches(subdomainRegExp, value) ? 'must not contain dots' : regexMessage(labelMessage, labelFormat, 'my-name', '123-abc'));
  }
  return found;
}

export function checkDns1123Subdomain(value: string): readonly string[] {
  const fits = value.length <= subdomainLengthMax;
  const isName = matches(subdomainRegExp, value);
  if (fits && isName) return none;
  const found = fits ? [] : [maxLengthMessage(subdomainLengthMax)];
  if (!isName) found.push(regexMessage(subdomainMessage, subdomainFormat, 'example.com'));
  return found;
}

/** Subdomains in letters of both cases: where old names of drivers are still taken. */
export function checkDns1123SubdomainCaseless(value: string): readonly string[] {
  const found = value.length <= subdomainLengthMax ? [] : [maxLengthMessage(subdomainLengthMax)];
  if (!matches(subdomainRegExp, value.toLowerCase())) {
    const message =
      "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
    found.push(regexMessage(message, `(?i)${subdomainFormat}`, 'Example.com'));
  }
  return found;
}

/** Subdomains whose labels may hold underscores: DNS search paths. */
export function checkDns1123SubdomainWithUnderscore(value: string): readonly string[] {
  const found = value.length <= subdomainLengthMax ? [] : [maxLengthMessage(subdomainLengthMax)];
  if (!matches(underscoreSubdomainRegExp, value)) {
    const message =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
    found.push(regexMessage(message, underscoreSubdomainFormat, 'example.com'));
  }
  return found;
}

export function checkWildcardDns1123Subdomain(value: string): readonly string[] {
  const found = value.length <= subdomainLengthMax ? [] : [maxLengthMessage(subdomainLengthMax)];
  if (!matches(wildcardRegExp, value)) {
    const message =
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
    found.push(regexMessage(message, wildcardFormat, '*.example.com'));
  }
  return found;
}

export function checkDns1035Label(value: string): readonly string[] {
  const found = value.length <= labelLengthMax ? [] : [maxLengthMessage(labelLengthMax)];
  if (!matches(dns1035RegExp, value)) {
    const message =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
    found.push(regexMessage(message, dns1035Format, 'my-name', 'abc-123'));
  }
  return found;
}

/** `name` or `prefix/name`: keys of labels, annotations (lower-cased first), finalizers, resources. */
export function checkQualifiedName(value: string): readonly string[] {
  const slash = value.indexOf('/');
  const name = slash < 0 ? value : value.slice(slash + 1);
  const found: string[] = [];
  if (slash >= 0) {
    if (name.includes('/')) {
      const message = regexMessage(keyMessage, keyFormat, 'MyName', 'my.name', '123-abc');
      return [`a valid label key ${message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
    }
    const prefix = value.slice(0, slash);
    if (!prefix) found.push('prefix part must be non-empty');
    else {
      if (prefix.length > subdomainLengthMax) found.push(`prefix part ${maxBytesMessage(subdomainLengthMax)}`);
      if (!matches(subdomainRegExp, prefix)) found.push(`prefix part ${regexMessage(subdomainMessage, subdomainFormat, 'example.com')}`);
    }
  }
  if (!name) found.push('name part must be non-empty');
  else if (name.length > labelLengthMax) found.push(`name part ${maxBytesMessage(labelLengthMax)}`);
  if (!matches(keyRegExp, name)) found.push(`name part ${regexMessage(keyMessage, keyFormat, 'MyName', 'my.name', '123-abc')}`);
  return found.length ? found : none;
}

export function checkLabelValue(value: string): readonly string[] {
  const fits = value.length <= labelLengthMax;
  const isValue = matches(labelValueRegExp, value);
  if (fits && isValue) return none;
  const found = byteLength(value) > labelLengthMax ? [maxBytesMessage(labelLengthMax)] : [];
  if (!isValue) {
    const message =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    found.push(regexMessage(message, labelValueFormat, 'MyValue', 'my_value', '12345'));
  }
  return found;
}

export function checkPortNumber(port: number): readonly string[] {
  return port >= 1 && port <= 65535 ? none : [rangeMessage(1, 65535)];
}

/** The name of a port in a container or service: an IANA service name. */
export function checkPortName(name: string): readonly string[] {
  const found: string[] = [];
  if (name.length > 15) found.push(maxLengthMessage(15));
  if (!/^[-a-z0-9]+$/.test(name)) found.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) found.push('must contain at least one letter (a-z)');
  if (name.includes('--')) found.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) found.push('must not begin or end with a hyphen');
  return found;
}

export function checkPercent(value: string): readonly string[] {
  if (percentRegExp.test(value)) return none;
  return [regexMessage("a valid percent string must be a numeric string followed by an ending '%'", percentFormat, '1%', '93%')];
}

export function checkHttpHeaderName(value: string): readonly string[] {
  if (headerNameRegExp.test(value)) return none;
  return [regexMessage("a valid HTTP header must consist of alphanumeric characters or '-'", headerNameFormat, 'X-Header-Name')];
}

function checkParentPath(value: string): readonly string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : none;
}

export function checkEnvVarName(value: string): readonly string[] {
  const message =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
  const found = envVarRegExp.test(value) ? [] : [regexMessage(message, envVarFormat, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1')];
  return [...found, ...checkParentPath(value)];
}

/** What environment variables are checked by since 1.34: any printable ASCII but `=`. */
export function checkRelaxedEnvVarName(value: string): readonly string[] {
  if (!value) return ['environment variable name must be non-empty'];
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(value)) return none;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** A key of a ConfigMap or Secret. */
export function checkConfigMapKey(value: string): readonly string[] {
  const found = value.length <= subdomainLengthMax ? [] : [maxLengthMessage(subdomainLengthMax)];
  if (!matches(configKeyRegExp, value)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    found.push(regexMessage(message, configKeyFormat, 'key.name', 'KEY_NAME', 'key-name'));
  }
  return [...found, ...checkParentPath(value)];
}

/** A name that only has to fit into a URL path (RBAC objects). */
export function checkPathSegment(name: string, prefix = false): readonly string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`);
}

/** A checker of metadata.name. `prefix`: the name is a generateName, which may end in a dash. */
export type NameCheck = (name: string, prefix: boolean) => readonly string[];

const maskTrailingDash = (name: string): string => (name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);
const masked =
  (check: (name: string) => readonly string[]): NameCheck =>
  (name, prefix) =>
    check(prefix ? maskTrailingDash(name) : name);

export const nameIsDnsSubdomain: NameCheck = masked(checkDns1123Subdomain);
export const nameIsDnsLabel: NameCheck = masked(checkDns1123Label);
export const nameIsPathSegment: NameCheck = (name, prefix) => checkPathSegment(name, prefix);
export const nameIsAnything: NameCheck = () => none;
