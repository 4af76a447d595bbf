/**
 * YAML 1.1 text as tokens, on demand: indentation becomes starts and ends of blocks, and a token that turns out to be
 * the key of a mapping is marked as one when its colon is found. Quoted, folded and block scalars come as their values.
 * What it accepts, what it refuses and in which words is as in the library that Kubernetes' clients write for.
 * Specified: yaml.org/spec/1.1, chapters 5 to 9. Upstream: go.yaml.in/yaml/v2.
 */

/** No YAML, or none that JSON can show; the message is upstream's. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/** More than anybody's text has. */
export class YamlTooLargeError extends Error {
  override readonly name = 'YamlTooLargeError';
}

export type TokenType =
  | 'end'
  | '%YAML'
  | '%TAG'
  | '---'
  | '...'
  | 'sequence'
  | 'mapping'
  | 'block-end'
  | '['
  | ']'
  | '{'
  | '}'
  | ','
  | '-'
  | '?'
  | ':'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'plain'
  | 'quoted';

export interface Token {
  readonly type: TokenType;
  /** counted from 0 */
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  /** of scalars; the name of an anchor; the handle of a tag or directive; the version */
  value: string;
  /** of tags and their directives */
  suffix: string;
  /** whether a colon that follows on this line makes it a key; one that is required has to be followed by one */
  mayBeKey: boolean;
  mustBeKey: boolean;
  isKey: boolean;
  /** a block mapping begins with this key */
  opensMapping: boolean;
}

/** Not upstream's: each line costs some work, however short it is. */
const linesMax = 500_000;
/** Of a long scalar, read at once. */
const sliceCharacters = 64 * 1024;
/** A key that is not marked by `?` ends this soon. */
const keyCharactersMax = 1024;

const tab = 9;
const lineFeed = 10;
const carriageReturn = 13;
const space = 32;
const exclamation = 33;
const quote = 34;
const hash = 35;
const percent = 37;
const ampersand = 38;
const apostrophe = 39;
const asterisk = 42;
const plus = 43;
const comma = 44;
const dash = 45;
const dot = 46;
const zero = 48;
const nine = 57;
const colon = 58;
const less = 60;
const greater = 62;
const question = 63;
const bracketOpen = 91;
const backslash = 92;
const bracketClose = 93;
const braceOpen = 123;
const bar = 124;
const braceClose = 125;

const isBreak = (c: number): boolean => c === lineFeed || c === carriageReturn || c === 0x85 || c === 0x2028 || c === 0x2029;
const isBlank = (c: number): boolean => c === space || c === tab;
/** Also at the end of the text, where there is no character. */
const isBlankOrEnd = (c: number): boolean => isBlank(c) || isBreak(c) || Number.isNaN(c);
const isDigit = (c: number): boolean => c >= zero && c <= nine;

const codes = (characters: string): ReadonlySet<number> => new Set(Array.from(characters, (c) => c.charCodeAt(0)));
const flowIndicators = codes(',?[]{}');
/** What a plain scalar cannot begin with; `-`, `?` and `:` can begin one where no blank follows. */
const indicators = codes('-?:,[]{}#&*!|>\'"%@`');
const word = /[0-9A-Za-z_-]*/y;
const tagCharacters = /(?:[0-9A-Za-z_\-;/?:@&=+$,.!~*'()[\]]|%[0-9A-Fa-f]{2})*/y;
const afterAnchor = codes('?:,]}%@`');

/** By a character's code. */
const byCode = (characters: Readonly<Record<string, number>>): readonly (number | undefined)[] => {
  const table = Array.from({ length: 128 }, (): number | undefined => undefined);
  for (const [character, value] of Object.entries(characters)) table[character.charCodeAt(0)] = value;
  return table;
};
/** What a character after a backslash stands for, as its code. */
const escapes = byCode(
  Object.fromEntries(
    Object.entries({
      '0': '\0',
      a: '\x07',
      b: '\b',
      t: '\t',
      '\t': '\t',
      n: '\n',
      v: '\v',
      f: '\f',
      r: '\r',
      e: '\x1b',
      ' ': ' ',
      '"': '"',
      "'": "'",
      '\\': '\\',
      N: '\x85',
      _: '\xa0',
      L: '\u2028',
      P: '\u2029',
    }).map(([letter, character]) => [letter, character.charCodeAt(0)]),
  ),
);
const hexDigits = byCode(Object.fromEntries(Array.from('0123456789abcdefABCDEF', (digit) => [digit, Number.parseInt(digit, 16)])));
const escapeDigits: ReadonlyMap<number, number> = new Map(
  Object.entries({ x: 2, u: 4, U: 8 }).map(([letter, digits]) => [letter.charCodeAt(0), digits]),
);

export class YamlScanner {
  readonly #text: string;
  #at = 0;
  #line = 0;
  #lineStart = 0;
  readonly #tokens: Token[] = [];
  readonly #units = new Units();
  #head = 0;
  /** of the innermost block; -1 outside of all */
  #indent = -1;
  readonly #indents: number[] = [];
  /** what may be a key, per level of flow collections */
  readonly #keys: (Token | undefined)[] = [undefined];
  #keyIsAllowed = true;
  /** reads on in a long scalar; true at its end */
  #unfinished: (() => boolean) | undefined;
  /** tokens read so far */
  count = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether the last token has its value: a long scalar, which is no key, is handed out before it has been read. */
  get isWhole(): boolean {
    return this.#unfinished === undefined;
  }

  /** Reads another slice of a long scalar. */
  readOn(): void {
    const { length } = this.#text;
    const end = Math.min(this.#at + sliceCharacters, length);
    const part = this.#unfinished;
    while (part && this.#at <= end) {
      if (!part()) continue;
      this.#unfinished = undefined;
      return;
    }
  }

  #readScalar(part: () => boolean): void {
    this.#unfinished = part;
    this.readOn();
  }

  /** The next token. Whether it is a key is known. Throws YamlError. */
  peek(): Token {
    for (;;) {
      const token = this.#tokens[this.#head];
      if (token && !this.#isOpen(token)) return token;
      this.#fetch();
    }
  }

  skip(): void {
    if (++this.#head < this.#tokens.length) return;
    this.#tokens.length = 0;
    this.#head = 0;
  }

  get #column(): number {
    return this.#at - this.#lineStart;
  }
  get #isInFlow(): boolean {
    return this.#keys.length > 1;
  }
  #code(ahead = 0): number {
    return this.#text.charCodeAt(this.#at + ahead);
  }

  #fail(problem: string, contextLine = 0): never {
    const line = this.#line > 0 ? this.#line + 1 : contextLine;
    throw new YamlError(`yaml: ${line > 0 ? `line ${line}: ` : ''}${problem}`);
  }

  // --- keys and indentation

  #isOpen(token: Token): boolean {
    if (!token.mayBeKey) return false;
    if (token.line === this.#line && token.offset + keyCharactersMax >= this.#at) return true;
    this.#giveUp(token);
    return false;
  }

  #giveUp(token: Token | undefined): void {
    if (!token?.mayBeKey) return;
    if (token.mustBeKey) this.#fail("could not find expected ':'", token.line);
    token.mayBeKey = false;
  }

  #begin(type: TokenType): Token {
    this.count++;
    return {
      type,
      line: this.#line,
      column: this.#column,
      offset: this.#at,
      value: '',
      suffix: '',
      mayBeKey: false,
      mustBeKey: false,
      isKey: false,
      opensMapping: false,
    };
  }

  #beginKey(type: TokenType): Token {
    const token = this.#begin(type);
    if (!this.#keyIsAllowed) return token;
    this.#dropKey();
    token.mayBeKey = true;
    token.mustBeKey = !this.#isInFlow && this.#indent === token.column;
    this.#keys[this.#keys.length - 1] = token;
    return token;
  }

  #dropKey(): void {
    this.#giveUp(this.#keys.at(-1));
  }

  /** True when a block begins at this column. */
  #indentTo(column: number): boolean {
    if (this.#isInFlow || this.#indent >= column) return false;
    this.#indents.push(this.#indent);
    this.#indent = column;
    return true;
  }

  #dedentTo(column: number): void {
    if (this.#isInFlow) return;
    while (this.#indent > column) {
      this.#tokens.push(this.#begin('block-end'));
      this.#indent = this.#indents.pop() ?? -1;
    }
  }

  // --- tokens

  #fetch(): void {
    this.#skipToToken();
    this.#dedentTo(this.#column);
    const c = this.#code();
    const { length } = this.#tokens;
    if (Number.isNaN(c)) this.#end();
    else if (this.#column === 0 && c === percent) this.#directive();
    else if (this.#isDocumentMark()) this.#documentMark();
    else this.#content(c);
    if (this.#tokens.length === length) throw new Error('a scanner that does not move');
  }

  #content(c: number): void {
    const isAlone = isBlankOrEnd(this.#code(1));
    if (c === bracketOpen) this.#openFlow('[');
    else if (c === braceOpen) this.#openFlow('{');
    else if (c === bracketClose) this.#closeFlow(']');
    else if (c === braceClose) this.#closeFlow('}');
    else if (c === comma) this.#flowEntry();
    else if (c === dash && isAlone) this.#blockEntry();
    else if (c === question && (this.#isInFlow || isAlone)) this.#explicitKey();
    else if (c === colon && (this.#isInFlow || isAlone)) this.#colon();
    else if (c === asterisk) this.#anchor('alias');
    else if (c === ampersand) this.#anchor('anchor');
    else if (c === exclamation) this.#tag();
    else if ((c === bar || c === greater) && !this.#isInFlow) this.#blockScalar(c === bar);
    else if (c === quote || c === apostrophe) this.#quoted(c);
    else if (c === dash || c === question || c === colon || !(indicators.has(c) || isBlank(c))) this.#plain();
    else this.#fail('found character that cannot start any token', this.#line);
  }

  #skipToToken(): void {
    for (;;) {
      let c = this.#code();
      while (c === space || (c === tab && (this.#isInFlow || !this.#keyIsAllowed))) {
        this.#at++;
        c = this.#code();
      }
      if (c === hash) {
        this.#skipLine();
        c = this.#code();
      }
      if (!isBreak(c)) return;
      this.#break();
      if (!this.#isInFlow) this.#keyIsAllowed = true;
    }
  }

  /** To the end of the line. */
  #skipLine(): void {
    const text = this.#text;
    let at = this.#at;
    for (let c = text.charCodeAt(at); !isBreak(c) && !Number.isNaN(c); c = text.charCodeAt(at)) at++;
    this.#at = at;
  }

  /** Past a line break; what stands for it in a scalar. */
  #break(): string {
    const c = this.#code();
    this.#at += c === carriageReturn && this.#code(1) === lineFeed ? 2 : 1;
    if (++this.#line > linesMax) throw new YamlTooLargeError(`more than ${linesMax} lines`);
    this.#lineStart = this.#at;
    return c === 0x2028 || c === 0x2029 ? String.fromCharCode(c) : '\n';
  }

  #push(token: Token, length: number): void {
    this.#at += length;
    this.#tokens.push(token);
  }

  #end(): void {
    if (this.#column !== 0) {
      this.#line++;
      this.#lineStart = this.#at;
    }
    this.#dedentTo(-1);
    this.#dropKey();
    this.#keyIsAllowed = false;
    this.#push(this.#begin('end'), 0);
  }

  #isDocumentMark(): boolean {
    const c = this.#code();
    if (this.#column !== 0 || (c !== dash && c !== dot)) return false;
    return this.#code(1) === c && this.#code(2) === c && isBlankOrEnd(this.#code(3));
  }

  #documentMark(): void {
    this.#dedentTo(-1);
    this.#dropKey();
    this.#keyIsAllowed = false;
    this.#push(this.#begin(this.#code() === dash ? '---' : '...'), 3);
  }

  #openFlow(type: '[' | '{'): void {
    const token = this.#beginKey(type);
    this.#keys.push(undefined);
    this.#keyIsAllowed = true;
    this.#push(token, 1);
  }

  #closeFlow(type: ']' | '}'): void {
    this.#dropKey();
    if (this.#isInFlow) this.#keys.pop();
    this.#keyIsAllowed = false;
    this.#push(this.#begin(type), 1);
  }

  #flowEntry(): void {
    this.#dropKey();
    this.#keyIsAllowed = true;
    this.#push(this.#begin(','), 1);
  }

  #blockEntry(): void {
    if (!this.#isInFlow && !this.#keyIsAllowed) this.#fail('block sequence entries are not allowed in this context', this.#line);
    if (this.#indentTo(this.#column)) this.#tokens.push(this.#begin('sequence'));
    this.#dropKey();
    this.#keyIsAllowed = true;
    this.#push(this.#begin('-'), 1);
  }

  #explicitKey(): void {
    if (!this.#isInFlow && !this.#keyIsAllowed) this.#fail('mapping keys are not allowed in this context', this.#line);
    if (this.#indentTo(this.#column)) this.#tokens.push(this.#begin('mapping'));
    this.#dropKey();
    this.#keyIsAllowed = !this.#isInFlow;
    this.#push(this.#begin('?'), 1);
  }

  #colon(): void {
    const key = this.#keys.at(-1);
    if (key && this.#isOpen(key)) {
      key.mayBeKey = false;
      key.isKey = true;
      key.opensMapping = this.#indentTo(key.column);
      this.#keyIsAllowed = false;
    } else {
      if (!this.#isInFlow && !this.#keyIsAllowed) this.#fail('mapping values are not allowed in this context', this.#line);
      if (this.#indentTo(this.#column)) this.#tokens.push(this.#begin('mapping'));
      this.#keyIsAllowed = !this.#isInFlow;
    }
    this.#push(this.#begin(':'), 1);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #anchor(type: 'alias' | 'anchor'): void {
    const token = this.#beginKey(type);
    this.#keyIsAllowed = false;
    this.#at++;
    token.value = this.#match(word);
    const c = this.#code();
    if (!token.value || !(isBlankOrEnd(c) || afterAnchor.has(c)))
      this.#fail('did not find expected alphabetic or numeric character', token.line);
    this.#tokens.push(token);
  }

  #tag(): void {
    const token = this.#beginKey('tag');
    this.#keyIsAllowed = false;
    this.#at++;
    if (this.#code() === less) {
      this.#at++;
      token.suffix = this.#tagURI(token);
      if (this.#code() !== greater) this.#fail("did not find the expected '>'", token.line);
      this.#at++;
    } else this.#shortTag(token);
    if (!isBlankOrEnd(this.#code())) this.#fail('did not find expected whitespace or line break', token.line);
    this.#tokens.push(token);
  }

  /** `!handle!suffix`, `!suffix` or `!` */
  #shortTag(token: Token): void {
    const name = this.#match(word);
    if (this.#code() === exclamation) {
      this.#at++;
      token.value = `!${name}!`;
      token.suffix = this.#tagURI(token);
      return;
    }
    token.suffix = name + this.#tagURI(token, true);
    if (token.suffix) token.value = '!';
    else token.suffix = '!';
  }

  #tagURI(token: Token, mayBeEmpty = false): string {
    const found = this.#match(tagCharacters);
    if (this.#code() === percent) this.#fail('did not find URI escaped octet', token.line);
    if (!found && !mayBeEmpty) this.#fail('did not find expected tag URI', token.line);
    if (!found.includes('%')) return found;
    try {
      return decodeURIComponent(found);
    } catch {
      return this.#fail('found an incorrect leading UTF-8 octet', token.line);
    }
  }

  #directive(): void {
    this.#dedentTo(-1);
    this.#dropKey();
    this.#keyIsAllowed = false;
    const { line } = this.#begin('%TAG');
    const nameAt = this.#at + 1;
    const name = /^[0-9A-Za-z_-]*/.exec(this.#text.slice(nameAt, nameAt + keyCharactersMax))?.[0] ?? '';
    const token = this.#begin(name === 'YAML' ? '%YAML' : '%TAG');
    this.#at = nameAt + name.length;
    if (!name) this.#fail('could not find expected directive name', line);
    if (!isBlankOrEnd(this.#code())) this.#fail('found unexpected non-alphabetical character', line);
    if (name === 'YAML') this.#version(token);
    else if (name === 'TAG') this.#tagDirective(token);
    else this.#fail('found unknown directive name', line);
    this.#skipBlanks();
    if (this.#code() === hash) this.#skipLine();
    if (!isBlankOrEnd(this.#code())) this.#fail('did not find expected comment or line break', line);
    this.#tokens.push(token);
  }

  #skipBlanks(): void {
    while (isBlank(this.#code())) this.#at++;
  }

  #version(token: Token): void {
    this.#skipBlanks();
    const digits = /\d*/y;
    const parts: string[] = [];
    for (const part of [0, 1]) {
      if (part === 1 && this.#code() !== dot) this.#fail("did not find expected digit or '.' character", token.line);
      if (part === 1) this.#at++;
      const number = this.#match(digits);
      if (number.length > 2) this.#fail('found extremely long version number', token.line);
      if (!number) this.#fail('did not find expected version number', token.line);
      parts.push(String(Number(number)));
    }
    token.value = parts.join('.');
  }

  #tagDirective(token: Token): void {
    this.#skipBlanks();
    if (this.#code() !== exclamation) this.#fail("did not find expected '!'", token.line);
    this.#at++;
    const name = this.#match(word);
    const isClosed = this.#code() === exclamation;
    if (isClosed) this.#at++;
    else if (name) this.#fail("did not find expected '!'", token.line);
    token.value = isClosed ? `!${name}!` : '!';
    if (!isBlank(this.#code())) this.#fail('did not find expected whitespace', token.line);
    this.#skipBlanks();
    token.suffix = this.#tagURI(token);
    if (!isBlankOrEnd(this.#code())) this.#fail('did not find expected whitespace or line break', token.line);
  }

  // --- scalars

  #plain(): void {
    const token = this.#beginKey('plain');
    this.#keyIsAllowed = false;
    this.#tokens.push(token);
    const gap = new Gap();
    const indent = this.#indent + 1;
    this.#readScalar(() => {
      if (!this.#plainLine(token, gap, indent)) return false;
      if (!this.#units.isEmpty) token.value = this.#units.take();
      if (gap.hasBreak) this.#keyIsAllowed = true;
      return true;
    });
  }

  /** The words of a line and what follows them; true when they were the last ones. */
  #plainLine(token: Token, gap: Gap, indent: number): boolean {
    if (this.#isDocumentMark() || this.#code() === hash) return true;
    const units = this.#units;
    const start = this.#at;
    const isCut = this.#skipPlain();
    if (this.#at > start && start === token.offset) token.value = this.#text.slice(start, this.#at);
    else if (this.#at > start) {
      if (units.isEmpty) units.addText(token.value);
      units.addText(gap.close());
      units.add(this.#text, start, this.#at);
    }
    if (isCut) return false;
    const c = this.#code();
    if (!isBlank(c) && !isBreak(c)) return true;
    this.#skipGap(gap, token, indent);
    return !this.#isInFlow && this.#column < indent;
  }

  /** To the end of the words that stand on this line; true where more of a long line follows. */
  #skipPlain(): boolean {
    const text = this.#text;
    const inFlow = this.#isInFlow;
    const end = this.#at + sliceCharacters;
    for (let at = this.#at; ; at++) {
      let c = text.charCodeAt(at);
      const isAfterBlank = isBlank(c);
      while (isBlank(c)) c = text.charCodeAt(++at);
      if (isBlankOrEnd(c) || (isAfterBlank && c === hash)) return false;
      if (c === colon && isBlankOrEnd(text.charCodeAt(at + 1))) return false;
      if (inFlow && flowIndicators.has(c)) return false;
      this.#at = at + 1;
      // A hash that stands there would begin a comment, were it the first.
      if (at > end && text.charCodeAt(at + 1) !== hash) return true;
    }
  }

  /** Blanks and line breaks within a scalar. `indent`: where tabs must not stand before. */
  #skipGap(gap: Gap, token: Token, indent = 0): void {
    for (let c = this.#code(); ; c = this.#code()) {
      if (isBreak(c)) gap.addBreak(this.#break());
      else if (!isBlank(c)) return;
      else {
        const start = this.#at;
        for (; isBlank(c); c = this.#code()) {
          if (gap.hasBreak && c === tab && this.#column < indent) this.#fail('found a tab character that violates indentation', token.line);
          this.#at++;
        }
        if (!gap.hasBreak) gap.blanks += this.#text.slice(start, this.#at);
      }
    }
  }

  #quoted(mark: number): void {
    const token = this.#beginKey('quoted');
    this.#keyIsAllowed = false;
    this.#tokens.push(token);
    this.#at++;
    const gap = new Gap();
    this.#readScalar(() => {
      if (!this.#quotedLine(mark, token, gap)) return false;
      this.#at++;
      return true;
    });
  }

  /** A line of it, or a slice of a long one; true at the closing quote. */
  #quotedLine(mark: number, token: Token, gap: Gap): boolean {
    if (this.#isDocumentMark()) this.#fail('found unexpected document indicator', token.line);
    if (Number.isNaN(this.#code())) this.#fail('found unexpected end of stream', token.line);
    const units = this.#units;
    const start = this.#skipQuoted(mark, token, gap);
    const isLast = this.#code() === mark && (mark === quote || this.#code(1) !== apostrophe);
    if (isLast && units.isEmpty) {
      token.value = this.#text.slice(start, this.#at);
      return true;
    }
    units.add(this.#text, start, this.#at);
    if (isLast) token.value = units.take();
    else {
      this.#skipGap(gap, token);
      units.addText(gap.close());
    }
    return isLast;
  }

  /**
   * Up to the closing quote, the end of a slice or of the line, but not the blanks before that. Where the part begins that
   * is still to be added.
   */
  #skipQuoted(mark: number, token: Token, gap: Gap): number {
    const text = this.#text;
    const units = this.#units;
    let start = this.#at;
    let at = start;
    const end = start + sliceCharacters;
    while (at < end) {
      const c = text.charCodeAt(at);
      if (isBlank(c)) {
        let next = at + 1;
        while (isBlank(text.charCodeAt(next))) next++;
        if (isBlankOrEnd(text.charCodeAt(next))) break;
        at = next;
      } else if (c === backslash && mark === quote) {
        units.add(text, start, at);
        this.#at = at;
        if (isBreak(text.charCodeAt(at + 1))) {
          this.#at++;
          this.#break();
          gap.hasBreak = true;
          return this.#at;
        }
        this.#escape(token, units);
        start = this.#at;
        at = start;
      } else if (c === mark) {
        if (c === quote || text.charCodeAt(at + 1) !== apostrophe) break;
        units.add(text, start, at + 1);
        at += 2;
        start = at;
      } else if (isBlankOrEnd(c)) break;
      else at++;
    }
    this.#at = at;
    return start;
  }

  #escape(token: Token, units: Units): void {
    const letter = this.#code(1);
    const known = escapes[letter];
    if (known !== undefined) {
      this.#at += 2;
      units.addCode(known);
      return;
    }
    const digits = escapeDigits.get(letter);
    if (digits === undefined) this.#fail('found unknown escape character', token.line);
    this.#at += 2;
    const value = this.#hexadecimal(digits);
    if (value === undefined) this.#fail('did not find expected hexdecimal number', token.line);
    if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) this.#fail('found invalid Unicode character escape code', token.line);
    this.#at += digits;
    if (value <= 0xffff) units.addCode(value);
    else units.addText(String.fromCodePoint(value));
  }

  /** The number that stands here, undefined where other characters are among its digits. */
  #hexadecimal(digits: number): number | undefined {
    let value = 0;
    for (let i = 0; i < digits; i++) {
      const digit = hexDigits[this.#code(i)];
      if (digit === undefined) return undefined;
      value = value * 16 + digit;
    }
    return value;
  }

  #blockScalar(isLiteral: boolean): void {
    this.#dropKey();
    this.#keyIsAllowed = true;
    const token = this.#begin('quoted');
    this.#tokens.push(token);
    this.#at++;
    const units = this.#units;
    const { keeps, strips, indent: given } = this.#blockHeader(token);
    let gap = this.#blockGap(given === 0 ? 0 : Math.max(this.#indent, 0) + given, token);
    const { indent } = gap;
    let leadingBreak = '';
    let wasBlank = false;
    this.#readScalar(() => {
      if (this.#column === indent && !Number.isNaN(this.#code())) {
        const startsBlank = isBlank(this.#code());
        const isFolded = !isLiteral && leadingBreak === '\n' && !wasBlank && !startsBlank;
        units.addText(!isFolded ? leadingBreak : gap.breaks === '' ? ' ' : '');
        units.addText(gap.breaks);
        wasBlank = startsBlank;
        const start = this.#at;
        this.#skipLine();
        units.add(this.#text, start, this.#at);
        leadingBreak = Number.isNaN(this.#code()) ? '' : this.#break();
        gap = this.#blockGap(indent, token);
        return false;
      }
      if (!strips) units.addText(leadingBreak);
      if (keeps) units.addText(gap.breaks);
      token.value = units.take();
      return true;
    });
  }

  #blockHeader(token: Token): { readonly keeps: boolean; readonly strips: boolean; readonly indent: number } {
    let keeps = false;
    let strips = false;
    let indent = 0;
    const chomping = (): void => {
      const c = this.#code();
      if (c !== plus && c !== dash) return;
      keeps = c === plus;
      strips = c === dash;
      this.#at++;
    };
    chomping();
    const isChomped = keeps || strips;
    if (isDigit(this.#code())) {
      indent = this.#code() - zero;
      if (indent === 0) this.#fail('found an indentation indicator equal to 0', token.line);
      this.#at++;
      if (!isChomped) chomping();
    }
    this.#skipBlanks();
    if (this.#code() === hash) this.#skipLine();
    if (!isBlankOrEnd(this.#code())) this.#fail('did not find expected comment or line break', token.line);
    if (isBreak(this.#code())) this.#break();
    return { keeps, strips, indent };
  }

  /** Past indentation and empty lines; the indentation, found out where it is 0, and the breaks. */
  #blockGap(given: number, token: Token): { readonly indent: number; readonly breaks: string } {
    let widest = 0;
    let breaks = '';
    for (;;) {
      while ((given === 0 || this.#column < given) && this.#code() === space) this.#at++;
      widest = Math.max(widest, this.#column);
      const c = this.#code();
      if (c === tab && (given === 0 || this.#column < given)) {
        this.#fail('found a tab character where an indentation space is expected', token.line);
      }
      if (!isBreak(c)) break;
      breaks += this.#break();
    }
    return { indent: given || Math.max(widest, this.#indent + 1, 1), breaks };
  }
}

const unitsMax = 4096;

/** A text that is put together from many short pieces, which a string would keep one by one. */
class Units {
  readonly #codes = new Uint16Array(unitsMax);
  #length = 0;
  #pieces: string[] = [];

  get isEmpty(): boolean {
    return this.#length === 0 && this.#pieces.length === 0;
  }

  addCode(code: number): void {
    if (this.#length === unitsMax) this.#flush();
    this.#codes[this.#length++] = code;
  }

  addText(text: string): void {
    this.add(text, 0, text.length);
  }

  add(text: string, start: number, end: number): void {
    if (end - start > unitsMax - this.#length) this.#flush();
    if (end - start > unitsMax) this.#pieces.push(text.slice(start, end));
    else {
      const codes = this.#codes;
      let length = this.#length;
      for (let at = start; at < end; at++) codes[length++] = text.charCodeAt(at);
      this.#length = length;
    }
  }

  take(): string {
    this.#flush();
    const text = this.#pieces.join('');
    this.#pieces = [];
    return text;
  }

  #flush(): void {
    if (this.#length > 0) this.#pieces.push(String.fromCharCode(...this.#codes.subarray(0, this.#length)));
    this.#length = 0;
  }
}

/** Blanks and line breaks between two words of a scalar, and what they become. */
class Gap {
  blanks = '';
  hasBreak = false;
  #first = '';
  #more = '';

  addBreak(text: string): void {
    if (this.hasBreak) this.#more += text;
    else {
      this.blanks = '';
      this.#first = text;
      this.hasBreak = true;
    }
  }

  /** One line break is a space, more of them are one less; blanks alone are kept. */
  close(): string {
    const folded = this.#first === '\n' ? this.#more || ' ' : this.#first + this.#more;
    const text = this.hasBreak ? folded : this.blanks;
    this.blanks = '';
    this.hasBreak = false;
    this.#first = '';
    this.#more = '';
    return text;
  }
}
