/**
 * Regular expressions as Go has them: RE2, linear in the text. Compiled ones are kept, bounded, since most patterns are
 * literals of a rule.
 */

import { RE2JS } from 're2js';
import { CelError } from './values.ts';

const MAX_KEPT = 1000;
const kept = new Map<string, RE2JS>();

/** Throws CelError in Go's words for what is no pattern. */
export function matcherOf(pattern: string): RE2JS {
  const known = kept.get(pattern);
  if (known) return known;
  let made: RE2JS;
  try {
    made = RE2JS.compile(pattern);
  } catch (e) {
    throw new CelError(e instanceof Error ? e.message : String(e));
  }
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(pattern, made);
  return made;
}

/** Whether the pattern is found anywhere in the text. */
export function matches(text: string, pattern: string): boolean {
  return matcherOf(pattern).test(text);
}

/** What of the text matches, one after the other, at most `limit`; -1: all. */
export function findAll(text: string, pattern: string, limit: number): string[] {
  const found: string[] = [];
  const matcher = matcherOf(pattern).matcher(text);
  while (found.length !== limit && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}
