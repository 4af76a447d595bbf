/**
 * From an expression's text to its tree, by descent. The grammar is CEL's (`parser/gen/CEL.g4` of cel-go), with optionals
 * (`a.?b`, `a[?b]`, `[?a]`, `{?k: v}`), without quoted names. `&&` and `||` are balanced trees, `!!a` is `a`, and calls of
 * macros are what they expand to.
 *
 * A text that is no expression is told in ANTLR's words as far as the first error goes; after it nothing is guessed.
 * Bounds: MAX_LENGTH code points, MAX_DEPTH levels.
 */

import { messageOf } from '../../meta/status-error.ts';
import { Uint, type Value } from '../values.ts';
import type { Entry, Expr, FieldInit } from './expression.ts';
import { escapeControls, type Token, type TokenKind, tokenize } from './lexer.ts';
import { expandMacro, MacroError } from './macros.ts';
import type { SyntaxIssue } from './source.ts';
import { unquote, unquoteBytes } from './string-literal.ts';

const MAX_LENGTH = 100_000;
const MAX_DEPTH = 250;

const reserved = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(' '),
);

export interface Parsed {
  /** undefined when there are issues */
  readonly expr: Expr | undefined;
  readonly issues: readonly SyntaxIssue[];
}

export function parseExpression(text: string): Parsed {
  const length = text.length > MAX_LENGTH ? [...text].length : text.length;
  if (length > MAX_LENGTH) {
    return {
      expr: undefined,
      issues: [{ at: -1, message: `expression code point size exceeds limit: size: ${length}, limit ${MAX_LENGTH}` }],
    };
  }
  const issues: SyntaxIssue[] = [];
  const parser = new Parser(text, issues);
  try {
    const expr = parser.whole();
    return { expr: issues.length === 0 ? expr : undefined, issues };
  } catch (e) {
    if (!(e instanceof Stop)) throw e;
    issues.push(e.issue);
    return { expr: undefined, issues };
  }
}

/** Ends the parsing: the rest of the text can't be understood. */
class Stop {
  readonly issue: SyntaxIssue;
  constructor(issue: SyntaxIssue) {
    this.issue = issue;
  }
}

const primaryStart = "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";
const START = `{${primaryStart}}`;
const MISSING_OPERAND = `mismatched input '<EOF>' expecting ${START}`;
const starts = new Set(['[', '{', '(', '.', '-', '!', 'true', 'false', 'null']);
const relations = new Set(['<', '<=', '>=', '>', '==', '!=', 'in']);

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #issues: SyntaxIssue[];
  #next = 0;
  #nesting = 0;

  constructor(source: string, issues: SyntaxIssue[]) {
    this.#source = source;
    this.#tokens = tokenize(source, issues);
    this.#issues = issues;
  }

  whole(): Expr {
    const expr = this.#expr();
    if (this.#peek().kind !== 'end') this.#unexpected('<EOF>', this.#peek(1).kind === 'end');
    return expr;
  }

  #expr(): Expr {
    this.#nesting += 1;
    if (this.#nesting > MAX_DEPTH) throw new Stop({ at: -1, message: `expression recursion limit exceeded: ${MAX_DEPTH}` });
    const condition = this.#logical('||', () => this.#logical('&&', () => this.#binary(relations, () => this.#sum())));
    const question = this.#accept('?');
    let expr = condition;
    if (question) {
      const yes = this.#logical('||', () => this.#logical('&&', () => this.#binary(relations, () => this.#sum())));
      this.#expect(':');
      expr = this.#call(question.at, '_?_:_', undefined, [condition, yes, this.#expr()], 1);
    }
    this.#nesting -= 1;
    return expr;
  }

  /** A chain of && or || as a balanced tree, so that long ones are not deep. */
  #logical(operator: string, term: () => Expr): Expr {
    const terms = [term()];
    const places: number[] = [];
    for (let token = this.#accept(operator); token; token = this.#accept(operator)) {
      places.push(token.at);
      terms.push(term());
    }
    const balanced = (low: number, high: number): Expr => {
      if (low > high) return terms[low] as Expr;
      const middle = (low + high + 1) >> 1;
      return this.#call(places[middle] ?? 0, `_${operator}_`, undefined, [balanced(low, middle - 1), balanced(middle + 1, high)], 0);
    };
    return balanced(0, places.length - 1);
  }

  #sum(): Expr {
    return this.#binary(new Set(['+', '-']), () => this.#binary(new Set(['*', '/', '%']), () => this.#unary()));
  }

  #binary(operators: ReadonlySet<string>, operand: () => Expr): Expr {
    let left = operand();
    while (this.#peek().kind === 'symbol' && operators.has(this.#peek().text)) {
      const token = this.#take();
      left = this.#call(token.at, token.text === 'in' ? '@in' : `_${token.text}_`, undefined, [left, operand()], 1);
    }
    return left;
  }

  #unary(): Expr {
    const first = this.#peek();
    const operator = first.kind === 'symbol' && (first.text === '!' || first.text === '-') ? first.text : undefined;
    if (!operator) return this.#member(this.#primary());
    if (operator === '-' && isNumber(this.#peek(1).kind)) {
      this.#take();
      return this.#member(this.#number(this.#take(), first.at, '-'));
    }
    let count = 0;
    while (this.#accept(operator)) count += 1;
    const token = this.#peek();
    if (token.kind === 'end' || !this.#startsPrimary(token) || token.text === '!' || token.text === '-') {
      if (operator === '-') {
        this.#syntaxIssue(token, `no viable alternative at input '-${shown(token)}'`);
        this.#fail(token, MISSING_OPERAND);
      }
    }
    const operand = this.#member(this.#primary());
    return count % 2 === 0 ? operand : this.#call(first.at, `${operator}_`, undefined, [operand], 0);
  }

  #member(start: Expr): Expr {
    let expr = start;
    for (;;) {
      const token = this.#peek();
      if (token.kind !== 'symbol') return expr;
      if (token.text === '.') {
        expr = this.#selection(expr, this.#take());
      } else if (token.text === '[') {
        this.#take();
        const isOptional = this.#accept('?') !== undefined;
        const index = this.#expr();
        this.#expect(']');
        expr = this.#call(token.at, isOptional ? '_[?_]' : '_[_]', undefined, [expr, index], 1);
      } else {
        return expr;
      }
    }
  }

  #selection(operand: Expr, dot: Token): Expr {
    const isOptional = this.#accept('?') !== undefined;
    const name = this.#peek();
    if (name.kind === 'quoted') {
      this.#take();
      this.#issues.push({ at: name.at, message: "unsupported syntax: '`'" });
    } else if (name.kind !== 'name') {
      if (isOptional) {
        this.#syntaxIssue(name, `mismatched input '${shown(name)}' expecting {IDENTIFIER, ESC_IDENTIFIER}`);
        throw new Stop({ at: name.at, message: 'unsupported ident kind' });
      }
      const isWord = name.kind === 'symbol' && reserved.has(name.text) && name.text !== 'in';
      const words = isWord ? `mismatched input '${name.text}' expecting IDENTIFIER` : undefined;
      this.#fail(name, words ?? `no viable alternative at input '${this.#textFrom(dot, name)}'`);
    } else {
      this.#take();
    }
    if (isOptional) {
      const field: Expr = { kind: 'literal', at: name.at, depth: 0, value: name.text };
      return this.#call(dot.at, '_?._', undefined, [operand, field], 1);
    }
    const open = name.kind === 'name' ? this.#accept('(') : undefined;
    if (open) return this.#call(open.at, name.text, operand, this.#args(), 1);
    return { kind: 'select', at: dot.at, depth: this.#deeper([operand], 1), operand, field: name.text, isTest: false };
  }

  #args(): Expr[] {
    const args: Expr[] = [];
    if (!this.#accept(')')) {
      do args.push(this.#expr());
      while (this.#accept(','));
      this.#expect(')');
    }
    return args;
  }

  #primary(): Expr {
    if (!this.#startsPrimary(this.#peek()) || ['-', '!'].includes(this.#peek().text))
      this.#unexpected(START, this.#startsPrimary(this.#peek(1)));
    const token = this.#take();
    const base = { at: token.at, depth: 0 };
    switch (token.kind) {
      case 'int':
      case 'uint':
      case 'float':
        return this.#number(token, token.at, '');
      case 'string':
      case 'bytes':
        return { ...base, kind: 'literal', value: this.#text(token) };
      case 'name':
        return this.#name(token, '');
      default:
    }
    switch (token.text) {
      case '(': {
        const inner = this.#expr();
        this.#expect(')');
        return inner;
      }
      case '[':
        return this.#list(token.at);
      case '{':
        return this.#map(token.at);
      case '.': {
        const name = this.#peek();
        if (name.kind !== 'name') this.#fail(name, `no viable alternative at input '${this.#textFrom(token, name)}'`);
        return this.#name(this.#take(), '.');
      }
      default:
        return { ...base, kind: 'literal', value: token.text === 'null' ? null : token.text === 'true' };
    }
  }

  /** A name, a call, or the construction of a named type, whose name may have dots. */
  #name(token: Token, lead: string): Expr {
    const struct = this.#structName();
    if (struct !== undefined) return this.#struct(this.#take().at, lead + token.text + struct);
    const isReserved = reserved.has(token.text);
    if (isReserved) this.#issues.push({ at: token.at, message: `reserved identifier: ${token.text}` });
    const open = this.#accept('(');
    if (open) return this.#call(open.at, lead + token.text, undefined, this.#args(), 0);
    if (isReserved) return { kind: 'literal', at: token.at, depth: 0, value: null };
    return { kind: 'ident', at: token.at, depth: 0, name: lead + token.text };
  }

  /** `.b.c` when `.b.c{` follows; takes it up to the brace. */
  #structName(): string | undefined {
    let at = 0;
    let name = '';
    while (this.#peek(at).text === '.' && this.#peek(at + 1).kind === 'name') {
      name += `.${this.#peek(at + 1).text}`;
      at += 2;
    }
    if (this.#peek(at).kind !== 'symbol' || this.#peek(at).text !== '{') return undefined;
    this.#next += at;
    return name;
  }

  #struct(at: number, name: string): Expr {
    const fields: FieldInit[] = [];
    this.#entries(() => {
      const isOptional = this.#accept('?') !== undefined;
      const expected = isOptional ? '{IDENTIFIER, ESC_IDENTIFIER}' : "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}";
      if (this.#peek().kind !== 'name' && this.#peek().kind !== 'quoted') this.#unexpected(expected, this.#peek(1).kind === 'name');
      const field = this.#take();
      if (field.kind === 'quoted') this.#issues.push({ at: field.at, message: "unsupported syntax: '`'" });
      const colon = this.#expect(':');
      fields.push({ at: colon.at, name: field.text, value: this.#expr(), isOptional });
    });
    return { kind: 'struct', at, depth: 0, name, fields };
  }

  #map(at: number): Expr {
    const entries: Entry[] = [];
    this.#entries(() => {
      const isOptional = this.#accept('?') !== undefined;
      if (!this.#startsPrimary(this.#peek())) {
        this.#unexpected(
          `{'[', '{', '}', '(', '.', ',', '-', '!', '?', ${primaryStart.slice(primaryStart.indexOf("'true'"))}}`,
          this.#startsPrimary(this.#peek(1)),
        );
      }
      const key = this.#expr();
      const colon = this.#expect(':');
      entries.push({ at: colon.at, key, value: this.#expr(), isOptional });
    });
    return { kind: 'map', at, depth: 0, entries };
  }

  #list(at: number): Expr {
    const items: Expr[] = [];
    const optional = new Set<number>();
    if (!this.#accept(']')) {
      while (this.#peek().text !== ']' || this.#peek().kind !== 'symbol') {
        if (this.#peek().text === ',' && items.length === 0) break;
        if (this.#accept('?')) optional.add(items.length);
        items.push(this.#expr());
        if (!this.#accept(',') || this.#peek().kind === 'end') break;
      }
      const isOpen = items.length > 0 && this.#peek(-1).text !== ',';
      if (isOpen && this.#peek().text !== ']') this.#unexpected("{']', ','}", [']', ','].includes(this.#peek(1).text));
      if (isOpen || items.length === 0) this.#accept(',');
      this.#expect(']');
    }
    return { kind: 'list', at, depth: this.#deeper(items, 0), items, optional };
  }

  /** Entries up to the closing brace, with a comma after the last if one likes. */
  #entries(one: () => void): void {
    if (this.#accept(',')) return void this.#expect('}');
    while (!this.#accept('}')) {
      one();
      if (this.#accept(',')) continue;
      if (this.#peek().text !== '}') this.#unexpected("{'}', ','}", ['}', ','].includes(this.#peek(1).text));
      this.#accept(',');
      return void this.#expect('}');
    }
  }

  #number(token: Token, at: number, sign: '-' | ''): Expr {
    return { kind: 'literal', at, depth: 0, value: this.#numeric(token, at, sign) };
  }

  #numeric(token: Token, at: number, sign: '-' | ''): Value {
    if (token.kind === 'float') {
      const value = Number(sign + token.text);
      if (!Number.isFinite(value)) this.#issues.push({ at, message: 'invalid double literal' });
      return value;
    }
    if (token.kind === 'uint') {
      const value = BigInt(token.text.slice(0, -1));
      if (value >= 1n << 64n) this.#issues.push({ at, message: 'invalid uint literal' });
      return new Uint(BigInt.asUintN(64, value));
    }
    const value = sign ? -BigInt(token.text) : BigInt(token.text);
    if (BigInt.asIntN(64, value) !== value) this.#issues.push({ at, message: 'invalid int literal' });
    return value;
  }

  #text(token: Token): Value {
    try {
      return token.kind === 'bytes' ? unquoteBytes(token.text) : unquote(token.text);
    } catch (e) {
      this.#issues.push({ at: token.at, message: messageOf(e) });
      return '';
    }
  }

  #call(at: number, name: string, target: Expr | undefined, args: Expr[], levels: 0 | 1): Expr {
    const expanded = expandMacro(at, name, target, args);
    if (expanded instanceof MacroError) {
      this.#issues.push(expanded);
      return { kind: 'literal', at, depth: 0, value: null };
    }
    const depth = this.#deeper(target ? [target, ...args] : args, levels);
    return expanded ? { ...expanded, depth } : { kind: 'call', at, depth, name, target, args };
  }

  #deeper(below: readonly Expr[], levels: 0 | 1): number {
    const depth = below.reduce((most, expr) => Math.max(most, expr.depth), 0) + levels;
    if (depth > MAX_DEPTH) throw new Stop({ at: -1, message: 'max recursion depth exceeded' });
    return depth;
  }

  #startsPrimary(token: Token): boolean {
    return token.kind === 'symbol' ? starts.has(token.text) : token.kind !== 'end' && token.kind !== 'quoted';
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #accept(symbol: string): Token | undefined {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === symbol ? this.#take() : undefined;
  }

  #expect(symbol: string): Token {
    const token = this.#accept(symbol);
    if (token) return token;
    if (symbol === ':' && this.#peek(1).text !== symbol && this.#startsPrimary(this.#peek())) {
      this.#syntaxIssue(this.#peek(), `missing ':' at '${shown(this.#peek())}'`);
      return this.#peek();
    }
    if (symbol !== ':' && this.#peek().kind === 'end') this.#fail(this.#peek(), `missing '${symbol}' at '<EOF>'`);
    this.#unexpected(`'${symbol}'`, this.#peek(1).text === symbol);
    return this.#take();
  }

  /** @param isExtra whether the text would go on well without this token: then it does */
  #unexpected(expected: string, isExtra: boolean): void {
    const token = this.#peek();
    const shown = escapeControls(token.text);
    if (!isExtra || token.kind === 'end') {
      if (expected === START && token.kind !== 'end' && token.kind !== 'quoted' && this.#peek(1).kind === 'end')
        this.#syntaxIssue(this.#peek(1), MISSING_OPERAND);
      this.#fail(token, `mismatched input '${shown}' expecting ${expected}`);
    }
    this.#syntaxIssue(this.#take(), `extraneous input '${shown}' expecting ${expected}`);
  }

  /** What is written from one token to the next, without what was no token. */
  #textFrom(first: Token, last: Token): string {
    const between = this.#source.slice(first.at + first.text.length, last.at).replaceAll(/\S+/gu, '');
    return first.text + escapeControls(between) + shown(last);
  }

  #syntaxIssue(token: Token, message: string): void {
    this.#issues.push({ at: token.at, message: `Syntax error: ${message}` });
  }

  #fail(token: Token, message: string): never {
    throw new Stop({ at: token.at, message: `Syntax error: ${message}` });
  }
}

function isNumber(kind: TokenKind): boolean {
  return kind === 'int' || kind === 'float';
}

function shown(token: Token): string {
  return token.kind === 'end' ? '' : escapeControls(token.text);
}
