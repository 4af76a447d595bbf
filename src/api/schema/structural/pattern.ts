/**
 * Regular expressions of clients, on values of clients: RE2's, in time that grows with the text's length and no faster.
 * Upstream takes larger ones than we do: compiling those would hold everybody else.
 */
import { matcherOf, matches } from '../../cel/pattern.ts';
import { CelError } from '../../cel/values.ts';

/** What is no pattern matches nothing. */
export function matchesPattern(pattern: string, text: string): boolean {
  return patternProblem(pattern) === undefined && matches(text, pattern);
}

const keptMax = 1000;
const problems = new Map<string, string | undefined>();

/** Why it is no pattern. */
export function patternProblem(pattern: string): string | undefined {
  if (problems.has(pattern)) return problems.get(pattern);
  const problem = findProblem(pattern);
  if (problems.size >= keptMax) problems.clear();
  problems.set(pattern, problem);
  return problem;
}

function findProblem(pattern: string): string | undefined {
  try {
    matcherOf(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}
