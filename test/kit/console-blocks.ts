/**
 * Blocks of a document that show a terminal: what they type, and whether what is printed is what is written there. Of
 * lines that differ each time (times, addresses, generated names) only the form counts; `…` is anything.
 */
import assert from 'node:assert/strict';

export interface Block {
  readonly language: string;
  readonly words: readonly string[];
  readonly lines: readonly string[];
}

export function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w+)(?: (.+))?\n([\s\S]*?)^```$/gm)].map(([, language = '', words = '', body = '']) => ({
    language,
    words: words.split(' ').filter(Boolean),
    lines: body.trimEnd().split('\n'),
  }));
}

/** Each command of a block with the lines that it prints. */
export function commandsOf({ lines }: Block): readonly { readonly command: string; readonly output: readonly string[] }[] {
  const commands: { command: string; output: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: [] });
    else (commands.at(-1) ?? assert.fail(`no command before: ${line}`)).output.push(line);
  }
  return commands;
}

const suffix = '[bcdfghjklmnpqrstvwxz2456789]{5}';
/** What is different each time, as it stands in the document, and what it may be. */
const variable: readonly (readonly [RegExp, string])[] = [
  [/…/, '.*'],
  [new RegExp(`-(?=[a-z]*\\d)[0-9a-z]{8,10}-${suffix}(?![\\w-])`), '-[0-9a-z]{5,10}-[0-9a-z]{5}'],
  [/-(?=[a-z]*\d)[0-9a-z]{8,10}(?![\w-])/, '-[0-9a-z]{5,10}'],
  [new RegExp(`-${suffix}(?![\\w-])`), '-[0-9a-z]{5}'],
  [/\d+\.\d+\.\d+\.\d+/, '[\\d.]+'],
  [/\b\d+\.\d+ (?:s|MB)\b/, '\\d+\\.\\d+ (?:s|MB)'],
  [/\b\d+m?s\b/, '[\\dms]+'],
  [/workers-simulated-\d/, 'workers-simulated-\\d'],
];
const anyVariable = new RegExp(variable.map(([pattern]) => `(${pattern.source})`).join('|'), 'g');

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
export const squeezed = (line: string): string => line.trim().replaceAll(/\s+/g, ' ');

export function patternOf(line: string): RegExp {
  let pattern = '';
  let end = 0;
  const text = squeezed(line);
  for (const match of text.matchAll(anyVariable)) {
    const which = match.slice(1).findIndex((group) => group !== undefined);
    pattern += escaped(text.slice(end, match.index)) + variable[which]?.[1];
    end = match.index + match[0].length;
  }
  return new RegExp(`^${pattern}${escaped(text.slice(end))}$`);
}

/** Line by line, but for empty ones; a line `…` is any number of lines. */
export function compare(command: string, printed: readonly string[], written: readonly string[]): void {
  const isWritten = (lines: readonly string[], patterns: readonly string[]): boolean => {
    const [pattern, ...rest] = patterns;
    if (pattern === undefined) return lines.length === 0;
    if (pattern === '…') return lines.some((_, i) => isWritten(lines.slice(i), rest)) || isWritten([], rest);
    const [line, ...others] = lines;
    return line !== undefined && patternOf(pattern).test(line) && isWritten(others, rest);
  };
  const filled = (lines: readonly string[]): string[] => lines.map(squeezed).filter(Boolean);
  assert.ok(isWritten(filled(printed), filled(written)), `$ ${command}\nwritten:\n${written.join('\n')}\nprinted:\n${printed.join('\n')}`);
}
