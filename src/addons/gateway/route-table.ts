/**
 * Which route answers for a host and a path. Pure, and the same for whatever routes are made from.
 *
 * A host is looked up as it is, then by a wildcard for its first label, then among routes for every host; the first of these
 * that has a route for the path is it. Of one host's paths an exact one wins, then the longest pattern, then the longest
 * prefix, whole segments of it. Of two equal ones the first that was given. Routes of last resort come after all of them.
 * What patterns cost is bounded twice: the programs of one host's together, and for one request the programs that are asked
 * times the path's length, so that it takes some 20 ms at most whoever wrote the patterns.
 * Upstream: the concept page on Ingress ("Path types", "Hostname wildcards"); ingress-nginx for patterns.
 */
import type { RE2JS } from 're2js';
import { matcherOf } from '../../api/cel/pattern.ts';

/** Instructions of all patterns of a host: forty ordinary ones. */
const programsMax = 1000;
/** Instructions times characters: of the slowest patterns one takes 0.1 µs. */
const stepsMax = 250_000;

/** A pattern is RE2's, matched from the start of the path in any case; it may capture. */
export type PathMatch =
  | { readonly type: 'exact' | 'prefix' | 'pattern'; readonly path: string }
  /** whatever no other route of the host takes */
  | { readonly type: 'last' };

export interface Matched {
  /** '' is every host, `*.example.com` all with one label more */
  readonly host: string;
  readonly match: PathMatch;
}

export interface Found<R> {
  readonly route: R;
  /** what a pattern captured: the whole first */
  readonly groups?: readonly string[] | undefined;
}

/** It is longer than the host's patterns may be asked of. */
export class PathTooLong extends Error {
  override readonly name = 'PathTooLong';
}

export class RouteTable<R extends Matched> {
  readonly #hosts = new Map<string, HostRoutes<R>>();
  /** those that another one made mean nothing: and which */
  readonly conflicts: readonly { readonly loser: R; readonly winner: R }[];
  /** whose patterns are more than the host may have */
  readonly refused: readonly R[];

  constructor(routes: Iterable<R>) {
    const conflicts: { loser: R; winner: R }[] = [];
    const refused: R[] = [];
    for (const route of routes) {
      let host = this.#hosts.get(route.host);
      if (!host) {
        host = new HostRoutes();
        this.#hosts.set(route.host, host);
      }
      const winner = host.add(route);
      if (winner === 'refused') refused.push(route);
      else if (winner) conflicts.push({ loser: route, winner });
    }
    this.conflicts = conflicts;
    this.refused = refused;
  }

  /** `path` is a normal one, `host` in lower case without a port. Throws PathTooLong. */
  find(host: string, path: string): Found<R> | undefined {
    const dot = host.indexOf('.');
    const names = [host, dot > 0 ? `*${host.slice(dot)}` : undefined, ''];
    const hosts = names.flatMap((name) => (name === undefined ? [] : (this.#hosts.get(name) ?? [])));
    const budget = { left: stepsMax };
    for (const routes of hosts) {
      const found = routes.find(path, budget);
      if (found) return found;
    }
    const last = hosts.find((routes) => routes.last)?.last;
    return last && { route: last };
  }

  get isEmpty(): boolean {
    return this.#hosts.size === 0;
  }
}

interface Pattern<R> {
  readonly path: string;
  readonly matcher: RE2JS;
  /** of its program */
  readonly size: number;
  readonly route: R;
}

class HostRoutes<R extends Matched> {
  last: R | undefined;
  readonly #exact = new Map<string, R>();
  /** without a slash at their end */
  readonly #prefixes = new Map<string, R>();
  #patterns: readonly Pattern<R>[] = [];
  #programs = 0;
  #prefixLengthMax = 0;

  /** What is there already. */
  add(route: R): R | 'refused' | undefined {
    const { match } = route;
    switch (match.type) {
      case 'last': {
        const before = this.last;
        this.last ??= route;
        return before;
      }
      case 'exact':
        return putNew(this.#exact, match.path, route);
      case 'prefix': {
        const prefix = withoutSlashesAtEnd(match.path);
        this.#prefixLengthMax = Math.max(this.#prefixLengthMax, prefix.length);
        return putNew(this.#prefixes, prefix, route);
      }
      case 'pattern': {
        const before = this.#patterns.find(({ path }) => path === match.path);
        if (before) return before.route;
        const matcher = matcherOf(pathPattern(match.path));
        const size = matcher.programSize();
        if (this.#programs + size > programsMax) return 'refused';
        this.#programs += size;
        this.#patterns = [...this.#patterns, { path: match.path, matcher, size, route }].sort((a, b) => b.path.length - a.path.length);
        return undefined;
      }
    }
  }

  find(path: string, budget: { left: number }): Found<R> | undefined {
    const exact = this.#exact.get(path);
    if (exact) return { route: exact };
    for (const pattern of this.#patterns) {
      budget.left -= pattern.size * path.length;
      if (budget.left < 0) throw new PathTooLong();
      const groups = captured(pattern.matcher, path);
      if (groups) return { route: pattern.route, groups };
    }
    const prefix = this.#prefixOf(path);
    return prefix && { route: prefix };
  }

  /** From the longest that may be one to the empty one. */
  #prefixOf(path: string): R | undefined {
    if (this.#prefixes.size === 0) return undefined;
    let end = path.length <= this.#prefixLengthMax ? path.length : path.lastIndexOf('/', this.#prefixLengthMax);
    for (; end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
      const found = this.#prefixes.get(path.slice(0, end));
      if (found) return found;
    }
    return undefined;
  }
}

function withoutSlashesAtEnd(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}

function putNew<R>(map: Map<string, R>, key: string, route: R): R | undefined {
  const before = map.get(key);
  if (before === undefined) map.set(key, route);
  return before;
}

function captured(pattern: RE2JS, path: string): readonly string[] | undefined {
  const matcher = pattern.matcher(path);
  if (!matcher.lookingAt()) return undefined;
  return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '');
}

/** Throws for what is no pattern. */
export const checkPattern = (pattern: string): unknown => matcherOf(pathPattern(pattern));
const pathPattern = (pattern: string): string => `(?i)${pattern.replace(/^\^/, '')}`;
