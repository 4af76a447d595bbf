/**
 * Regular expressions as Go has them: RE2, linear in the text. Compiled ones are kept, bounded, since most patterns are
 * literals of a rule. A pattern that is very large when its repetitions are written out is none: compiling it would hold
 * everybody else. The engine is loaded when the first one comes.
 */

import type { RE2JS } from 're2js';
import { messageOf } from '../meta/status-error.ts';
import { loadEntry } from '../own-file.ts';
import { CelError } from './values.ts';

const MAX_KEPT = 1000;
const kept = new Map<string, RE2JS>();
let engine: typeof RE2JS | undefined;

/** Throws CelError in Go's words for what is no pattern. */
export function matcherOf(pattern: string): RE2JS {
  const known = kept.get(pattern);
  if (known) return known;
  if (pattern.length > expandedMax || expandedSize(pattern) > expandedMax) {
    throw new CelError(`error parsing regexp: expression is larger than ${expandedMax} when expanded`);
  }
  engine ??= (loadEntry('api/cel/re2') as typeof import('./re2.ts')).RE2JS;
  let made: RE2JS;
  try {
    made = engine.compile(pattern);
  } catch (e) {
    throw new CelError(messageOf(e));
  }
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(pattern, made);
  return made;
}

/** Whether the pattern is found anywhere in the text. */
export function matches(text: string, pattern: string): boolean {
  return matcherOf(pattern).test(text);
}

/** What a pattern may come to when its repetitions are written out, in characters. */
const expandedMax = 50_000;
/** A class of Unicode is as long as this. */
const classSize = 30;

/** Brackets, repetitions, escapes, any other character. What is never closed ends with the text: it is not looked for again. */
const token = /\\[pP](?:\{[^}]*(?:\}|$))?|\\.|\[\^?\]?(?:\\(?:.|$)|\[:[^:]*:\]|[^\]\\])*(?:\]|$)|\{\d+(?:,(\d*))?\}|./gs;

/** What compiling it costs goes by this. */
export function expandedSize(pattern: string): number {
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
