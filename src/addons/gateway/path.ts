/**
 * The path of a request, as routes are compared with it: decoded, without empty and dot segments, so that `/public/..%2Fadmin`
 * is `/admin`. What is sent on is the client's own writing. Upstream: ingress-nginx compares nginx's $uri, which is the same.
 */

const escaped = /%([0-9a-fA-F]{2})/g;
const badEscape = /%(?![0-9a-fA-F]{2})/;
const oddSegments = /\/\/|\/\.{1,2}(?:\/|$)/;

/** Of a path without a query. Undefined: it is none. */
export function normalPath(written: string): string | undefined {
  if (!written.startsWith('/')) return undefined;
  const path = written.includes('%') ? decode(written) : written;
  if (path === undefined || path.includes('\0')) return undefined;
  return oddSegments.test(path) ? withoutOddSegments(path) : path;
}

function decode(path: string): string | undefined {
  if (badEscape.test(path)) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replaceAll(escaped, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))); // not UTF-8
  }
}

function withoutOddSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const last = segments.at(-1) ?? '';
  const isDirectory = kept.length > 0 && (last === '' || last === '.' || last === '..');
  return `/${kept.join('/')}${isDirectory ? '/' : ''}`;
}

/** The other way, for what a rewrite made: what may not stand in a path is escaped. */
export const writePath = (path: string): string =>
  encodeURI(path.isWellFormed() ? path : path.toWellFormed()).replaceAll(/[?#]/g, (character) => (character === '?' ? '%3F' : '%23'));
