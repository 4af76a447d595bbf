/** URLs as Go's net/url reads those of a request: absolute ones and paths. Errors in its words. */

export interface ParsedUrl {
  readonly text: string;
  readonly scheme: string;
  /** with the port */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
  readonly query: string;
}

/** The words of what is wrong with a text that is no URL. */
export function parseUrl(text: string): ParsedUrl | string {
  const fail = (words: string): string => `parse ${JSON.stringify(text)}: ${words}`;
  if (text === '') return fail('empty url');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what Go refuses
  if (/[\x00-\x1f\x7f]/.test(text)) return fail('net/url: invalid control character in URL');
  const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?([\s\S]*)$/.exec(text) ?? [];
  if (!scheme && text.startsWith(':')) return fail('missing protocol scheme');
  const [bare = ''] = rest.split('#');
  const mark = bare.indexOf('?');
  const beforeQuery = mark < 0 ? bare : bare.slice(0, mark);
  const query = mark < 0 ? '' : bare.slice(mark + 1);
  if (!beforeQuery.startsWith('/')) {
    if (!scheme) return fail('invalid URI for request');
    return { text, scheme: scheme.toLowerCase(), host: '', hostname: '', port: '', path: '', query };
  }
  const hasAuthority = beforeQuery.startsWith('//') && (scheme !== '' || !beforeQuery.startsWith('///'));
  const authority = hasAuthority && scheme ? (/^\/\/([^/]*)/.exec(beforeQuery)?.[1] ?? '') : '';
  const path = hasAuthority && scheme ? beforeQuery.slice(2 + authority.length) : beforeQuery;
  const badEscape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(path)?.[0];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const wrong = hostFault(host) ?? (badEscape === undefined ? undefined : `invalid URL escape ${JSON.stringify(badEscape)}`);
  if (wrong) return fail(wrong);
  const [, hostname = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(host) ?? [];
  return { text, scheme: scheme.toLowerCase(), host, hostname: hostname.replace(/^\[|\]$/g, ''), port, path, query };
}

function hostFault(host: string): string | undefined {
  if (host.startsWith('[')) {
    const close = host.lastIndexOf(']');
    if (close < 0) return "missing ']' in host";
    return portFault(host.slice(close + 1));
  }
  const colon = host.lastIndexOf(':');
  const strange = /[\s"<>\\^`{|}]/.exec(colon < 0 ? host : host.slice(0, colon))?.[0];
  if (strange) return `invalid character ${JSON.stringify(strange)} in host name`;
  return colon < 0 ? undefined : portFault(host.slice(colon));
}

function portFault(port: string): string | undefined {
  return port === '' || /^:\d*$/.test(port) ? undefined : `invalid port ${JSON.stringify(port)} after host`;
}

/** The path as it was written, where that is a valid way to write it. */
export function escapedPath({ path }: ParsedUrl): string {
  return path.replace(/[^A-Za-z0-9\-_.~!$&'()*+,;=:@/[\]%]/gu, (c) => encodeURIComponent(c));
}

/** Keys with their values, in the order of keys; what can't be read is left out. */
export function queryOf({ query }: ParsedUrl): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const part of query.split('&')) {
    if (part === '' || part.includes(';')) continue;
    const equal = part.indexOf('=');
    const key = unescapeQuery(equal < 0 ? part : part.slice(0, equal));
    const value = unescapeQuery(equal < 0 ? '' : part.slice(equal + 1));
    if (key === undefined || value === undefined) continue;
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

function unescapeQuery(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  const bytes = text.replaceAll('+', ' ').replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
  return bytes;
}
