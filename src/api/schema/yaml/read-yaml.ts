/**
 * The first document of a YAML text as the JSON value that Kubernetes' clients expect of it: keys become texts, aliases
 * are followed, `<<` merges, and what is said twice in a mapping is told. Reading goes in steps, so that the caller can
 * do something else in between; its work is bounded by the number of values that come out, however few the text has
 * (aliases), by their characters, and by their nesting.
 * Upstream: sigs.k8s.io/yaml, go.yaml.in/yaml/v2 (parserc.go, decode.go).
 */
import { own, put } from '../../meta/words.ts';
import { isJsonObject } from '../merge-patch.ts';
import { nestingMax } from '../nesting.ts';
import { keyOfScalar, resolvePlain, resolveTagged, type Scalar } from './resolve.ts';
import { type Token, type TokenType, YamlError, YamlScanner, YamlTooLargeError } from './scanner.ts';

export { YamlError, YamlTooLargeError };

export interface YamlDocument {
  readonly value: unknown;
  /** `line 3: key "a" already set in map`, the first of them */
  readonly duplicates: readonly string[];
}

export interface YamlLimits {
  /** that come out, aliases followed; a key counts as one */
  readonly values: number;
  /** of all texts that come out, aliases followed */
  readonly characters: number;
}

/** Reads a text; each `next` is a step. Throws YamlError and YamlTooLargeError. */
export function* readYaml(text: string, limits: YamlLimits): Generator<undefined, YamlDocument> {
  if (unprintable.test(text)) throw new YamlError('yaml: control characters are not allowed');
  return yield* new Reader(text.startsWith('\ufeff') ? text.slice(1) : text, limits).document();
}

/** Reads a text of the user's own (his kubeconfig, his settings), all at once. Throws YamlError. */
export const parseYaml = (text: string): unknown => readOwnYaml(text).value;

/** The same, with the keys that stand there twice: the last one counts. */
export function readOwnYaml(text: string): YamlDocument {
  const reading = readYaml(text, { values: Number.POSITIVE_INFINITY, characters: Number.POSITIVE_INFINITY });
  let step = reading.next();
  while (!step.done) step = reading.next();
  return step.value;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are not allowed
const unprintable = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

const stepTokens = 2048;
const duplicatesMax = 100;
const tagDirectivesMax = 100;
/** Where following aliases makes nearly all of a document, it is an attack. As upstream. */
const aliasRatioMax = 0.99;
const aliasedMin = 100;
const valuesMin = 1000;

interface Collection {
  readonly type: 'sequence' | 'mapping';
  readonly value: unknown;
}
type Node = Scalar | Collection;
const isCollection = (node: Node): node is Collection => node.type === 'sequence' || node.type === 'mapping';

/** What an anchor stands for; undefined while its node is being read. */
interface Anchored {
  readonly node: Node | undefined;
  /** in it, itself among them, aliases followed */
  readonly values: number;
  readonly characters: number;
}

/** Where a node stands: in a block, and where a list of the same indentation as its key may follow. */
type Place = 'flow' | 'block' | 'block-value';

/** A token, where the beginning of a mapping and a key are tokens of their own. */
type Next = TokenType | 'key';

class Reader {
  readonly #scanner: YamlScanner;
  readonly #limits: YamlLimits;
  readonly #anchors = new Map<string, Anchored>();
  readonly #tagPrefixes = new Map<string, string>();
  readonly #duplicates: string[] = [];
  /** What is wrong with values: told only when the text is well-formed to its end, as upstream does. */
  #wrong: string | undefined;
  /** the same, of what JSON cannot show; told after that */
  #unshowable: string | undefined;
  #values = 0;
  #aliased = 0;
  #characters = 0;
  #depth = 0;
  #stepAt = stepTokens;

  constructor(text: string, limits: YamlLimits) {
    this.#scanner = new YamlScanner(text);
    this.#limits = limits;
  }

  *document(): Generator<undefined, YamlDocument> {
    if (this.#next === 'end') return { value: null, duplicates: [] };
    const isExplicit = this.#directives();
    const isEmpty = isExplicit && ['%YAML', '%TAG', '---', '...', 'end'].includes(this.#next);
    const node = isEmpty ? this.#nothing() : yield* this.#node('block');
    this.#checkShowable(node);
    // What follows the document has to be a token.
    this.#scanner.peek();
    const wrong = this.#wrong ?? this.#unshowable;
    if (wrong !== undefined) throw new YamlError(wrong);
    return { value: node.value, duplicates: this.#duplicates };
  }

  /** True when the document has directives or begins with `---`. */
  #directives(): boolean {
    let isExplicit = false;
    let hasVersion = false;
    for (let token = this.#scanner.peek(); token.type === '%YAML' || token.type === '%TAG'; token = this.#scanner.peek()) {
      if (token.type === '%YAML') {
        if (hasVersion) this.#fail('found duplicate %YAML directive');
        if (token.value !== '1.1') this.#fail('found incompatible YAML document');
        hasVersion = true;
      } else {
        if (this.#tagPrefixes.has(token.value)) this.#fail('found duplicate %TAG directive');
        this.#tagPrefixes.set(token.value, token.suffix);
        if (this.#tagPrefixes.size > tagDirectivesMax) throw new YamlTooLargeError(`more than ${tagDirectivesMax} %TAG directives`);
      }
      isExplicit = true;
      this.#skip();
    }
    for (const [handle, prefix] of Object.entries({ '!': '!', '!!': 'tag:yaml.org,2002:' })) {
      if (!this.#tagPrefixes.has(handle)) this.#tagPrefixes.set(handle, prefix);
    }
    if (this.#take('---')) return true;
    if (isExplicit) this.#fail('did not find expected <document start>');
    return false;
  }

  // --- tokens

  get #next(): Next {
    const token = this.#scanner.peek();
    if (token.opensMapping) return 'mapping';
    return token.isKey || token.type === '?' ? 'key' : token.type;
  }

  #skip(): void {
    const token = this.#scanner.peek();
    if (token.opensMapping) token.opensMapping = false;
    else if (token.isKey) token.isKey = false;
    else this.#scanner.skip();
  }

  #take(type: Next): boolean {
    if (this.#next !== type) return false;
    this.#skip();
    return true;
  }

  get #line(): number {
    return this.#scanner.peek().line;
  }

  /** Upstream counts the lines of such problems from 0. */
  #fail(problem: string, contextLine = 0): never {
    const line = this.#line || contextLine;
    throw new YamlError(`yaml: ${line > 0 ? `line ${line}: ` : ''}${problem}`);
  }

  get #isStepDone(): boolean {
    if (this.#scanner.count < this.#stepAt) return false;
    this.#stepAt = this.#scanner.count + stepTokens;
    return true;
  }

  // --- nodes

  #nothing(): Scalar {
    this.#count(1, 0);
    return resolvePlain('');
  }

  /** A short scalar without tag and anchor, which most nodes are; undefined for all others. */
  #bareScalar(): Scalar | undefined {
    const token = this.#scanner.peek();
    if (token.opensMapping || token.isKey || (token.type !== 'plain' && token.type !== 'quoted') || !this.#scanner.isWhole)
      return undefined;
    this.#scanner.skip();
    this.#count(1, token.value.length);
    return token.type === 'plain' ? resolvePlain(token.value) : { type: 'str', value: token.value };
  }

  *#node(place: Place): Generator<undefined, Node> {
    const bare = this.#bareScalar();
    if (bare) return bare;
    if (this.#next === 'alias') return this.#alias();
    const { anchor, tag, line } = this.#properties();
    const next = this.#next;
    if (next === 'plain' || next === 'quoted') {
      for (; !this.#scanner.isWhole; this.#scanner.readOn()) yield;
      const { value } = this.#scanner.peek();
      this.#skip();
      return this.#keep(anchor, this.#scalar(value, tag, next === 'plain'));
    }
    const isBlock = next === 'sequence' || next === 'mapping';
    if (next === '[' || next === '{' || (isBlock && place !== 'flow') || (next === '-' && place === 'block-value')) {
      return yield* this.#collection(next, anchor);
    }
    if (anchor || tag) return this.#keep(anchor, this.#scalar('', tag, true));
    return this.#fail('did not find expected node content', line);
  }

  #properties(): { readonly anchor: string; readonly tag: string; readonly line: number } {
    const line = this.#line;
    let anchor = '';
    let tag: Token | undefined;
    for (let next = this.#next; (next === 'anchor' && !anchor) || (next === 'tag' && !tag); next = this.#next) {
      const token = this.#scanner.peek();
      if (next === 'anchor') anchor = token.value;
      else tag = token;
      this.#skip();
    }
    return { anchor, tag: tag ? this.#fullTag(tag, line) : '', line };
  }

  #fullTag({ value: handle, suffix, line }: Token, nodeLine: number): string {
    if (!handle) return suffix;
    const prefix = this.#tagPrefixes.get(handle);
    if (prefix !== undefined) return prefix + suffix;
    const shown = line || nodeLine;
    throw new YamlError(`yaml: ${shown > 0 ? `line ${shown}: ` : ''}found undefined tag handle`);
  }

  #alias(): Node {
    const { value: name } = this.#scanner.peek();
    this.#skip();
    const anchored = this.#anchors.get(name);
    if (!anchored) throw new YamlError(`yaml: unknown anchor '${name}' referenced`);
    if (!anchored.node) {
      this.#wrong ??= `yaml: anchor '${name}' value contains itself`;
      return this.#nothing();
    }
    this.#aliased += anchored.values;
    this.#count(anchored.values + 1, anchored.characters);
    return anchored.node;
  }

  #scalar(given: string, tag: string, isPlain: boolean): Scalar {
    this.#count(1, given.length);
    try {
      if (tag) return resolveTagged(tag, given);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      this.#wrong ??= error.message;
    }
    return isPlain ? resolvePlain(given) : { type: 'str', value: given };
  }

  #keep<T extends Node>(anchor: string, node: T, values = 1, characters = 0): T {
    if (anchor) this.#anchors.set(anchor, { node, values, characters: characters || String(node.value).length });
    return node;
  }

  #count(values: number, characters: number): void {
    this.#values += values;
    this.#characters += characters;
    if (this.#values > this.#limits.values) throw new YamlTooLargeError(`more than ${this.#limits.values} values`);
    if (this.#characters > this.#limits.characters) throw new YamlTooLargeError(`more than ${this.#limits.characters} characters`);
    if (this.#aliased > aliasedMin && this.#values > valuesMin && this.#aliased / this.#values > aliasRatioMax) {
      this.#wrong ??= 'yaml: document contains excessive aliasing';
    }
  }

  #checkShowable({ value }: Node): void {
    if (typeof value !== 'number' || Number.isFinite(value)) return;
    this.#unshowable ??= `json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`;
  }

  // --- collections

  *#collection(start: '[' | '{' | 'sequence' | 'mapping' | '-', anchor: string): Generator<undefined, Collection> {
    if (++this.#depth > nestingMax) throw new YamlError(`yaml: exceeded max depth of ${nestingMax}`);
    const values = this.#values;
    const characters = this.#characters;
    this.#count(1, 0);
    if (anchor) this.#anchors.set(anchor, { node: undefined, values: 0, characters: 0 });
    const line = this.#line;
    if (start !== '-') this.#skip();
    const isMapping = start === '{' || start === 'mapping';
    const collection: Collection = isMapping
      ? { type: 'mapping', value: yield* start === '{' ? this.#flowMapping(line) : this.#blockMapping(line) }
      : { type: 'sequence', value: yield* start === '[' ? this.#flowSequence(line) : this.#blockSequence(start, line) };
    this.#depth--;
    return this.#keep(anchor, collection, this.#values - values, this.#characters - characters);
  }

  *#item(items: unknown[], place: Place): Generator<undefined, void> {
    const node = this.#bareScalar() ?? (yield* this.#node(place));
    this.#checkShowable(node);
    items.push(node.value);
  }

  *#blockSequence(start: 'sequence' | '-', line: number): Generator<undefined, unknown[]> {
    const items: unknown[] = [];
    const isIndented = start === 'sequence';
    while (this.#take('-')) {
      if (this.#isStepDone) yield;
      const next = this.#next;
      const isEmpty = next === '-' || next === 'block-end' || (!isIndented && (next === 'key' || next === ':'));
      if (isEmpty) items.push(this.#nothing().value);
      else yield* this.#item(items, 'block');
    }
    if (isIndented && !this.#take('block-end')) this.#fail("did not find expected '-' indicator", line);
    return items;
  }

  *#flowSequence(line: number): Generator<undefined, unknown[]> {
    const items: unknown[] = [];
    while (!this.#take(']')) {
      if (this.#isStepDone) yield;
      if (items.length > 0) {
        if (!this.#take(',')) this.#fail("did not find expected ',' or ']'", line);
        if (this.#take(']')) break;
      }
      if (this.#take('key')) items.push(yield* this.#pair());
      else yield* this.#item(items, 'flow');
    }
    return items;
  }

  /** `[a: b]` is a list of one mapping. */
  *#pair(): Generator<undefined, unknown> {
    this.#count(1, 0);
    const mapping = new Mapping(this.#duplicates);
    let key: Node;
    if ([':', ',', ']'].includes(this.#next)) {
      // As upstream: the colon after a key that is not there is lost.
      this.#skip();
      key = this.#nothing();
    } else key = yield* this.#node('flow');
    yield* this.#flowValue(mapping, key, ']');
    return this.#close(mapping);
  }

  *#flowMapping(line: number): Generator<undefined, unknown> {
    const mapping = new Mapping(this.#duplicates);
    for (let isFirst = true; !this.#take('}'); isFirst = false) {
      if (this.#isStepDone) yield;
      if (!isFirst) {
        if (!this.#take(',')) this.#fail("did not find expected ',' or '}'", line);
        if (this.#take('}')) break;
      }
      if (!this.#take('key')) mapping.set(yield* this.#node('flow'), this.#nothing(), this.#line);
      else if ([':', ',', '}'].includes(this.#next)) yield* this.#flowValue(mapping, this.#nothing(), '}');
      else yield* this.#flowValue(mapping, yield* this.#node('flow'), '}');
    }
    return this.#close(mapping);
  }

  *#flowValue(mapping: Mapping, key: Node, end: ']' | '}'): Generator<undefined, void> {
    const isThere = this.#take(':') && this.#next !== ',' && this.#next !== end;
    const line = this.#line;
    const value = isThere ? yield* this.#node('flow') : this.#nothing();
    this.#checkShowable(value);
    mapping.set(key, value, line);
  }

  *#blockMapping(line: number): Generator<undefined, unknown> {
    const mapping = new Mapping(this.#duplicates);
    while (this.#take('key')) {
      if (this.#isStepDone) yield;
      const key = this.#isBlockNodeNext ? (this.#bareScalar() ?? (yield* this.#node('block-value'))) : this.#nothing();
      let valueLine = this.#line;
      let value: Node | undefined;
      if (this.#take(':')) {
        if (this.#isBlockNodeNext) {
          valueLine = this.#line;
          value = this.#bareScalar() ?? (yield* this.#node('block-value'));
        }
      }
      value ??= this.#nothing();
      this.#checkShowable(value);
      mapping.set(key, value, valueLine);
    }
    if (!this.#take('block-end')) this.#fail('did not find expected key', line);
    return this.#close(mapping);
  }

  get #isBlockNodeNext(): boolean {
    const next = this.#next;
    return next !== 'key' && next !== ':' && next !== 'block-end';
  }

  #close({ value, wrong, unshowable }: Mapping): unknown {
    this.#wrong ??= wrong;
    this.#unshowable ??= unshowable;
    return value;
  }
}

/** A mapping while it is read. */
class Mapping {
  readonly value: Record<string, unknown> = {};
  wrong: string | undefined;
  unshowable: string | undefined;
  readonly #duplicates: string[];
  /** of keys that are no texts, by the texts that they become: 1 and "1" are two keys */
  #types: Map<string, string> | undefined;

  constructor(duplicates: string[]) {
    this.#duplicates = duplicates;
  }

  set(key: Node, { value }: Node, line: number): void {
    if (isCollection(key)) this.wrong ??= `yaml: invalid map key: ${describe(key.value)}`;
    else if (key.type === 'merge') this.#merge(value, line);
    else {
      const name = keyOfScalar(key);
      if (name === undefined) this.unshowable ??= describeUnsupportedKey(key, value);
      else this.#put(name, key, value, line);
    }
  }

  #put(name: string, { type }: Scalar, value: unknown, line: number): void {
    const isSet = Object.hasOwn(this.value, name) && (this.#types?.get(name) ?? 'str') === type;
    if (isSet && this.#duplicates.length < duplicatesMax) {
      this.#duplicates.push(`line ${line + 1}: key ${type === 'str' ? JSON.stringify(name) : name} already set in map`);
    }
    if (type !== 'str') {
      this.#types ??= new Map();
      this.#types.set(name, type);
    }
    put(this.value, name, value);
  }

  /** `<<` takes the fields of a mapping, or of several, of which the first counts most. */
  #merge(given: unknown, line: number): void {
    const sources = Array.isArray(given) ? given.toReversed() : [given];
    for (const source of sources as unknown[]) {
      if (!isJsonObject(source)) {
        this.wrong ??= 'yaml: map merge requires map or sequence of maps as the value';
        return;
      }
      for (const name of Object.keys(source)) this.#put(name, resolvePlain(name), own(source, name), line);
    }
  }
}

const shownCharactersMax = 200;

/** As Go shows a value; cut where it is long. */
function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  if (text.length > shownCharactersMax) return `${text.slice(0, shownCharactersMax)}...`;
  return describeWhole(value);
}

function describeWhole(value: unknown): string {
  if (value === null) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(describeWhole).join(', ')}}`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${describeWhole(own(value, key))}`);
  return `map[interface {}]interface {}{${fields.join(', ')}}`;
}

function describeUnsupportedKey({ type, digits }: Scalar, value: unknown): string {
  const key = type === 'null' ? '%!s(<nil>), key: <nil>' : `uint64, key: 0x${BigInt(digits ?? 0).toString(16)}`;
  return `unsupported map key of type: ${key}, value: ${value === null ? '<nil>' : describe(value)}`;
}
