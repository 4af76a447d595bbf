/**
 * An expression's tokens. Text that is no token is skipped and told in ANTLR's words, which CEL's own parser has
 * (`token recognition error at: …`): it runs until the first character that could not go on.
 * Strings are unescaped by the parser (`string-literal.ts`).
 */

import type { SyntaxIssue } from './source.ts';

export type TokenKind = 'int' | 'uint' | 'float' | 'string' | 'bytes' | 'name' | 'quoted' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
}

/** `in`, `true`, `false`, `null` are symbols, not names. */
const words = new Set(['in', 'true', 'false', 'null']);

const blank = /(?:[\t \r\n\f]|\/\/[^\n]*)+/y;
const symbol = /==|!=|<=|>=|&&|\|\||[[\]{}().,:?!<>+\-*/%]/y;
const number = /0x[0-9a-fA-F]+[uU]?|\d+[uU]|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|\d+/y;
const name = /[A-Za-z_][A-Za-z0-9_]*/y;
const quoted = /`[A-Za-z0-9_.\-/ ]+`/y;
const ESCAPE = String.raw`\\(?:[abfnrtv"'\\?${'`'}]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7])`;
const literal = new RegExp(
  [
    String.raw`[bB]?[rR]"""[\s\S]*?"""`,
    String.raw`[bB]?[rR]'''[\s\S]*?'''`,
    String.raw`[bB]?[rR]"[^"\n\r]*"`,
    String.raw`[bB]?[rR]'[^'\n\r]*'`,
    String.raw`[bB]?"""(?:${ESCAPE}|[^\\])*?"""`,
    String.raw`[bB]?'''(?:${ESCAPE}|[^\\])*?'''`,
    String.raw`[bB]?"(?:${ESCAPE}|[^\\"\n\r])*"`,
    String.raw`[bB]?'(?:${ESCAPE}|[^\\'\n\r])*'`,
  ].join('|'),
  'y',
);
/** The longest beginning of a string that is none: what a recognition error shows, less the character that broke it. */
const broken = new RegExp(`[bB]?[rR]?(?:"(?:${ESCAPE}|[^\\\\"\\n\\r])*|'(?:${ESCAPE}|[^\\\\'\\n\\r])*)(?:\\\\[xXuU]?[0-9a-fA-F]*)?`, 'y');

export function tokenize(text: string, issues: SyntaxIssue[]): Token[] {
  const tokens: Token[] = [];
  const match = (pattern: RegExp, at: number): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  let at = 0;
  const take = (kind: TokenKind, found: string): void => {
    tokens.push({ kind, text: found, at });
    at += found.length;
  };
  while (at < text.length) {
    const skipped = match(blank, at);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    let found = match(literal, at);
    if (found !== undefined) {
      take(/^[bB]/.test(found) ? 'bytes' : 'string', found);
      continue;
    }
    found = match(number, at);
    if (found !== undefined) {
      take(/[uU]$/.test(found) ? 'uint' : /^0x|^\d+$/.test(found) ? 'int' : 'float', found);
      continue;
    }
    found = match(name, at);
    if (found !== undefined) {
      take(words.has(found) ? 'symbol' : 'name', found);
      continue;
    }
    found = match(quoted, at);
    if (found !== undefined) {
      take('quoted', found);
      continue;
    }
    found = match(symbol, at);
    if (found !== undefined) {
      take('symbol', found);
      continue;
    }
    const start = match(broken, at) ?? match(/`[A-Za-z0-9_.\-/ ]*|[&|=]/y, at) ?? '';
    const next = text.codePointAt(at + start.length);
    const shown = start + (next === undefined ? '' : String.fromCodePoint(next));
    issues.push({ at, message: `Syntax error: token recognition error at: '${escapeControls(shown)}'` });
    at += Math.max(shown.length, 1);
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: text.length });
  return tokens;
}

/** As ANTLR shows a piece of the input. */
export function escapeControls(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
}
