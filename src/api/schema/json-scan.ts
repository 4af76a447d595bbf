/**
 * The one place that parses JSON. Where the text is malformed, it is read once more for what is wrong with it, in the
 * words that clients of Kubernetes know: JSON.parse itself quotes the text, and a text may be a Secret. Which fields are
 * there twice is found here too. Never on the way of a good request: `mayHaveDuplicates` is
 * a count that costs little, and only a positive answer is followed by the scan.
 * Upstream: sigs.k8s.io/json (scanner and strict errors).
 */
import { own } from '../meta/words.ts';

/** In order, so that an escaped backslash is not taken for the beginning of an escape. */
const surrogateEscapes = /\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]../g;

/** JSON.parse, but half a surrogate pair, which no UTF-8 can carry, becomes U+FFFD, as in Go. Throws JsonSyntaxError. */
export function parseJSON(text: string): unknown {
  try {
    if (!text.includes('\\ud') && !text.includes('\\uD')) return JSON.parse(text);
    return JSON.parse(text.replace(surrogateEscapes, (found) => (found.length === 6 ? '\ufffd' : found)));
  } catch (error) {
    throw error instanceof SyntaxError ? new JsonSyntaxError(describeSyntaxError(text)) : error;
  }
}

/** Fewer characters hold no more values than this. */
const charactersPerValue = 2;

/** Whether a text, well-formed or not, has more values than that; a field's name counts as one. */
export function hasMoreValues(text: string, max: number): boolean {
  if (text.length <= max * charactersPerValue) return false;
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === quote) at = endOfString(text, at);
    else if ((c === comma || c === colonSign || c === bracket || c === brace) && ++count > max) return true;
  }
  return false;
}

const quote = 34;
const comma = 44;
const colonSign = 58;
const bracket = 91;
const backslash = 92;
const brace = 123;

/** Where the string that begins here ends. */
function endOfString(text: string, start: number): number {
  const first = text.indexOf('"', start + 1);
  if (first < 0) return text.length;
  let escapes = first - 1;
  while (text.charCodeAt(escapes) === backslash) escapes--;
  if ((first - escapes) % 2 === 1) return first;
  for (let at = first + 1; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === backslash) at++;
    else if (c === quote) return at;
  }
  return text.length;
}

/** Called for every field of a text, in order. `path`: `metadata.name`, `spec.containers[0].image`; long ones are costly to look at. */
export type FieldVisitor = (path: string, isDuplicate: boolean) => void;

/** Malformed; the message is upstream's, and says no more of the text than one character. */
export class JsonSyntaxError extends SyntaxError {
  override readonly name = 'JsonSyntaxError';
}

/** False when `text`, which parsed to an object of `fieldCount` fields at all levels, surely has no field twice. */
export function mayHaveDuplicates(text: string, fieldCount: number): boolean {
  let count = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    let at = endOfString(text, start) + 1;
    while (isBlank(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at) === colonSign) count++;
    start = text.indexOf('"', at);
  }
  return count !== fieldCount;
}

const isBlank = (c: number): boolean => c === 32 || c === 10 || c === 13 || c === 9;

/** Upstream's is 10,000; deeper than this no object is decoded anyway. */
const nestingMax = 1000;

/** Of a string, up to what ends it, begins an escape or may not be in it. Long strings are passed over at once. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
const plainCharacters = /[^"\\\x00-\x1f]*/y;

class Scanner {
  readonly text: string;
  readonly visit: FieldVisitor;
  at = 0;
  constructor(text: string, visit: FieldVisitor) {
    this.text = text;
    this.visit = visit;
  }
  blank(): void {
    while (isBlank(this.text.charCodeAt(this.at))) this.at++;
  }
  fail(where: string): never {
    if (this.at >= this.text.length) throw new JsonSyntaxError('unexpected end of JSON input');
    const c = this.text[this.at] ?? '';
    const quoted = c === '"' ? "'\"'" : `'${quoteCharacter(c)}'`;
    throw new JsonSyntaxError(`invalid character ${quoted} ${where}`);
  }
  document(): void {
    this.value('', 0);
    this.blank();
    if (this.at < this.text.length) this.fail('after top-level value');
  }
  value(path: string, depth: number): void {
    this.blank();
    const c = this.text[this.at];
    if ((c === '{' || c === '[') && depth >= nestingMax) this.fail('exceeded max depth');
    if (c === '{') this.object(path, depth);
    else if (c === '[') this.array(path, depth);
    else if (c === '"') this.string();
    else if (c === 't') this.literal('true');
    else if (c === 'f') this.literal('false');
    else if (c === 'n') this.literal('null');
    else if (c !== undefined && (c === '-' || (c >= '0' && c <= '9'))) this.number();
    else this.fail('looking for beginning of value');
  }
  object(path: string, depth: number): void {
    const seen = new Set<string>();
    this.at++;
    this.blank();
    if (this.text[this.at] === '}') {
      this.at++;
      return;
    }
    for (;;) {
      this.blank();
      if (this.text[this.at] !== '"') this.fail('looking for beginning of object key string');
      const start = this.at;
      this.string();
      const key = JSON.parse(this.text.slice(start, this.at)) as string;
      const at = path ? `${path}.${key}` : key;
      this.visit(at, seen.has(key));
      seen.add(key);
      this.blank();
      if (this.text[this.at] !== ':') this.fail('after object key');
      this.at++;
      this.value(at, depth + 1);
      this.blank();
      const c = this.text[this.at];
      if (c !== ',' && c !== '}') this.fail('after object key:value pair');
      this.at++;
      if (c === '}') return;
    }
  }
  array(path: string, depth: number): void {
    this.at++;
    this.blank();
    if (this.text[this.at] === ']') {
      this.at++;
      return;
    }
    for (let i = 0; ; i++) {
      this.value(`${path}[${i}]`, depth + 1);
      this.blank();
      const c = this.text[this.at];
      if (c !== ',' && c !== ']') this.fail('after array element');
      this.at++;
      if (c === ']') return;
    }
  }
  string(): void {
    this.at++;
    for (;;) {
      plainCharacters.lastIndex = this.at;
      plainCharacters.test(this.text);
      this.at = plainCharacters.lastIndex;
      const c = this.text[this.at];
      if (c === undefined || c < ' ') this.fail('in string literal');
      this.at++;
      if (c === '"') return;
      this.escape();
    }
  }
  escape(): void {
    const c = this.text[this.at] ?? '';
    if (c === '' || !'"\\/bfnrtu'.includes(c)) this.fail('in string escape code');
    this.at++;
    if (c !== 'u') return;
    for (let i = 0; i < 4; i++, this.at++) {
      if (!/[0-9a-fA-F]/.test(this.text[this.at] ?? '')) this.fail('in \\u hexadecimal character escape');
    }
  }
  literal(word: string): void {
    for (let i = 0; i < word.length; i++, this.at++) {
      if (this.text[this.at] !== word[i]) this.fail(`in literal ${word} (expecting '${word[i]}')`);
    }
  }
  number(): void {
    if (this.text[this.at] === '-') this.at++;
    if (this.text[this.at] === '0') this.at++;
    else this.digits('in numeric literal');
    if (this.text[this.at] === '.') {
      this.at++;
      this.digits('after decimal point in numeric literal');
    }
    const e = this.text[this.at];
    if (e !== 'e' && e !== 'E') return;
    this.at++;
    const sign = this.text[this.at];
    if (sign === '+' || sign === '-') this.at++;
    this.digits('in exponent of numeric literal');
  }
  digits(where: string): void {
    const start = this.at;
    while (isDigit(this.text[this.at])) this.at++;
    if (this.at === start) this.fail(where);
  }
}

const escapes: Readonly<Record<string, string>> = {
  "'": "\\'",
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
};

/** As Go writes a character in quotes. */
function quoteCharacter(c: string): string {
  if (c >= ' ') return own(escapes, c) ?? c;
  return own(escapes, c) ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

const isDigit = (c: string | undefined): boolean => c !== undefined && c >= '0' && c <= '9';

/** Every field of a well-formed text, in order. Throws JsonSyntaxError. */
export function scanFields(text: string, visit: FieldVisitor): void {
  new Scanner(text, visit).document();
}

/** Paths of the fields that are there twice, at most `max`. */
export function duplicateFields(text: string, max: number): readonly string[] {
  const found: string[] = [];
  scanFields(text, (path, isDuplicate) => {
    if (isDuplicate && found.length < max) found.push(path);
  });
  return found;
}

/** What is wrong with a text that JSON.parse refused. */
function describeSyntaxError(text: string): string {
  try {
    scanFields(text, () => undefined);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
  return 'unexpected end of JSON input';
}
