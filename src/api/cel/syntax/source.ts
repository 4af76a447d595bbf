/**
 * An expression's text, and what is said of errors in it: `ERROR: <input>:1:6: …`, the line, and a caret below the place.
 * Columns count code points; wide ones get a wide dot, as CEL's own tools print them (clients see these lines in a 422).
 */

export interface SyntaxIssue {
  /** offset in UTF-16 units; -1: of the text as a whole */
  readonly at: number;
  readonly message: string;
}

/** The errors in the order of their places, one block of lines for each. */
export function describeIssues(text: string, issues: readonly SyntaxIssue[]): string {
  const sorted = [...issues].sort((a, b) => a.at - b.at);
  const shown = sorted.slice(0, MAX_SHOWN).map((issue) => describe(text, issue));
  if (sorted.length > MAX_SHOWN) shown.push(`${sorted.length - MAX_SHOWN} more errors were truncated`);
  return shown.join('\n');
}

const MAX_SHOWN = 100;
/** bytes of a line that is still shown */
const MAX_SNIPPET = 16_384;

function describe(text: string, { at, message }: SyntaxIssue): string {
  if (at < 0) return `ERROR: <input>:-1:0: ${message}`;
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf('\n') + 1;
  const row = before.split('\n').length;
  const lead = [...before.slice(lineStart)];
  const head = `ERROR: <input>:${row}:${lead.length + 1}: ${message}`;
  const lineEnd = text.indexOf('\n', at);
  const line = text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd);
  if (line.length > MAX_SNIPPET) return head;
  const under = text.codePointAt(at) ?? 0;
  const dots = lead.map((c) => (isWide(c.codePointAt(0) ?? 0) ? '\uff0e' : '.')).join('');
  return `${head}\n | ${line.replaceAll('\t', ' ')}\n | ${dots}${isWide(under) ? '\uff3e' : '^'}`;
}

function isWide(codePoint: number): boolean {
  return codePoint > 0x7f;
}
