/**
 * Regular expressions of clients, on values of clients: RE2's, in time that grows with the text's length and no faster.
 * Upstream takes larger ones than we do: compiling those would hold everybody else.
 */
import { matcherOf, matches } from '../../cel/pattern.ts';
import { CelError } from '../../cel/values.ts';

/** What a pattern may come to when its repetitions are written out, in characters. */
const expandedMax = 50_000;
/** A class of Unicode is as long as this. */
const classSize = 30;

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
  if (pattern.length > expandedMax || expandedSize(pattern) > expandedMax)
    return `error parsing regexp: expression is larger than ${expandedMax} when expanded`;
  try {
    matcherOf(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}

/** Brackets, repetitions, escapes, any other character. What is never closed ends with the text: it is not looked for again. */
const token = /\\[pP](?:\{[^}]*(?:\}|$))?|\\.|\[\^?\]?(?:\\(?:.|$)|\[:[^:]*:\]|[^\]\\])*(?:\]|$)|\{\d+(?:,(\d*))?\}|./gs;

function expandedSize(pattern: string): number {
  /** sizes of the groups that are open, and of the last part in each */
  const groups: { total: number; last: number }[] = [{ total: 0, last: 0 }];
  for (const [text] of pattern.matchAll(token)) {
    const group = groups.at(-1);
    if (!group) break;
    const times = /^\{(\d+)(?:,(\d*))?\}$/.exec(text);
    if (text === '(') groups.push({ total: 0, last: 0 });
    else if (text === ')' && groups.length > 1) {
      groups.pop();
      add(groups.at(-1), group.total);
    } else if (times) add(group, group.last * (Math.max(Number(times[1]), Number(times[2] || 0)) - 1));
    else add(group, /^\\[pP]/.test(text) ? classSize : text.length);
  }
  return groups.reduce((sum, { total }) => sum + total, 0);
}

function add(group: { total: number; last: number } | undefined, size: number): void {
  if (!group) return;
  group.total += size;
  group.last = size;
}
