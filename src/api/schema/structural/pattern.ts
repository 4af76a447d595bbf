/** Regular expressions of clients, on values of clients: RE2's, in time that grows with the text's length and no faster. */
import { matcherOf, matches } from '../../cel/pattern.ts';
import { CelError } from '../../cel/values.ts';

/** What is no pattern matches nothing. */
export function matchesPattern(pattern: string, text: string): boolean {
  return patternProblem(pattern) === undefined && matches(text, pattern);
}

/** Why it is no pattern. */
export function patternProblem(pattern: string): string | undefined {
  try {
    matcherOf(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}
