/**
 * Judges a value by what a schema says of it: types, bounds, patterns, formats, enumerations, required fields, and schemas
 * joined by allOf, anyOf, oneOf and not. Messages, and which of them of several schemas, are upstream's. What did not change
 * since `old` is forgiven (ratcheting), along the structure of the object, not below joined schemas.
 *
 * It can rest at lists and objects, so that a large object is judged in slices.
 * Upstream: kube-openapi/pkg/validation/validate, apiextensions-apiserver/pkg/apiserver/validation.
 */
import { type FieldError, fieldErrors, fieldErrorsMax, quoteAsGo } from '../../meta/status-error.ts';
import { Pace, type Steps } from '../../meta/steps.ts';
import { own, put } from '../../meta/words.ts';
import { Correlation } from './correlation.ts';
import { formatCheck } from './formats.ts';
import { judgeNumber } from './judge-number.ts';
import { matchesPattern } from './pattern.ts';
import type { Structural } from './structural.ts';

type Json = Readonly<Record<string, unknown>>;

/** What is wrong with the value, below `path`; `old` is what it was, undefined if it is new. */
export function* validateValue(
  node: Structural,
  value: unknown,
  { path, old }: { readonly path: string; readonly old?: unknown },
): Steps<readonly FieldError[]> {
  const judge = new Judge();
  const verdict = new Verdict();
  yield* judge.judge(node, value, verdict, old === undefined ? undefined : new Correlation(node, value, old));
  return verdict.findings().map((finding) => finding(path));
}

/** Values judged in one step. */
const valuesAtOnce = 2000;

/** Of all messages together: each may list what an enumeration has, or a pattern. */
const charactersMax = 256 * 1024;

/** Makes the error; `base`: where the value is that was judged. */
type Finding = (base: string) => FieldError;

/** What was found, and how much was right: of several schemas, the one that was right the most speaks. */
class Verdict {
  /** by message: upstream tells equal ones once */
  #found: Map<string, Finding> | undefined;
  #characters = 0;
  matches = 0;
  get count(): number {
    return this.#found?.size ?? 0;
  }
  get isValid(): boolean {
    return this.count === 0;
  }
  findings(): readonly Finding[] {
    return this.#found ? [...this.#found.values()] : [];
  }
  /** As much as is told, and more: nothing that is still found would be seen. */
  get isFull(): boolean {
    return this.count > fieldErrorsMax || this.#characters > charactersMax;
  }
  add(message: string, finding: Finding): void {
    this.#found ??= new Map();
    if (this.isFull || this.#found.has(message)) return;
    this.#found.set(message, finding);
    this.#characters += message.length;
  }
  /** An error of no field. */
  addPlain(message: string): void {
    this.add(message, (base) => fieldErrors.invalid(base, '', message));
  }
  merge(other: Verdict): void {
    for (const [message, finding] of other.#found ?? []) this.add(message, finding);
    this.matches += other.matches;
  }
  /** Takes back what was found since there were so many. */
  forgive(count: number): void {
    for (const message of [...(this.#found?.keys() ?? [])].slice(count)) {
      this.#found?.delete(message);
      this.#characters -= message.length;
    }
  }
}

/** A step of a path: a property, an index, a key of a map. */
type Step = string | number | { readonly key: string };

class Judge {
  readonly #path: Step[] = [];
  readonly #pace = new Pace(valuesAtOnce);
  /** of the path, once somebody has asked for it */
  #text: string | undefined;

  #enter(step: Step): void {
    this.#path.push(step);
    this.#text = undefined;
  }

  #leave(): void {
    this.#path.pop();
    this.#text = undefined;
  }

  /** The path as messages have it. Many schemas may be asked about one value. */
  get #at(): string {
    this.#text ??= this.#describePath();
    return this.#text;
  }

  #describePath(): string {
    let text = '';
    for (const step of this.#path) {
      if (typeof step === 'number') text += `[${step}]`;
      else text += typeof step === 'string' ? `${text && '.'}${step}` : `.${step.key}`;
    }
    return text;
  }

  /** `old`: only along the object's structure */
  *judge(node: Structural, value: unknown, verdict: Verdict, old: Correlation | undefined): Steps<void> {
    const before = verdict.count;
    if (this.#pace.isDue()) yield;
    if (verdict.isFull) return;
    if (value === null || value === undefined) {
      this.#judgeNull(node, verdict);
    } else {
      this.#judgeType(node, value, verdict);
      if (node.rules.joins) yield* this.#judgeJoined(node, value, verdict);
      verdict.matches += 2;
      if (typeof value === 'string') this.#judgeString(node, value, verdict);
      else if (typeof value === 'number') this.#judgeNumber(node, value, verdict);
      else if (Array.isArray(value)) yield* this.#judgeList(node, value, verdict, old);
      if (node.rules.enum) this.#judgeEnum(node.rules.enum, value, verdict);
      if (typeof value === 'object' && !Array.isArray(value)) yield* this.#judgeObject(node, value as Json, verdict, old);
      verdict.matches += 2;
    }
    if (verdict.count > before && old?.isUnchanged) verdict.forgive(before);
  }

  #judgeNull({ rules, said }: Structural, verdict: Verdict): void {
    if (rules.types.length && !said.nullable && !rules.types.includes('null')) this.#wrongType(verdict, rules.typeText, 'null');
    else verdict.matches += 1;
    if (rules.enum) this.#judgeEnum(rules.enum, null, verdict);
  }

  #judgeType({ rules: { types, typeText, format } }: Structural, value: unknown, verdict: Verdict): void {
    if (!types.length && !format) return;
    verdict.matches += 1;
    const type = typeOf(value);
    const isOne = types.includes(type) || (type === 'integer' && types.includes('number'));
    const isText = type === 'string' || type === 'array';
    const native = type === 'integer' ? 'int64' : type === 'number' ? 'float64' : '';
    if (format && !isText && !isOne && native !== format) this.#wrongType(verdict, format, native);
    else if (format && isText && !types.includes('number') && !types.includes('integer')) verdict.matches += 1;
    else if (!isOne) this.#wrongType(verdict, typeText, type);
    else verdict.matches += 1;
  }

  #wrongType(verdict: Verdict, wanted: string, given: string): void {
    const message = `${this.#at} in body must be of type ${wanted}: ${quoteAsGo(given)}`;
    this.#add(verdict, message, (field) => fieldErrors.typeInvalid(field, given, message));
  }

  #add(verdict: Verdict, message: string, finding: (field: string) => FieldError): void {
    const at = this.#at.replace(/^\./, '');
    verdict.add(message, (base) => finding(base && at ? `${base}.${at}` : base || at));
  }

  #invalid(verdict: Verdict, value: unknown, what: string): void {
    const message = `${this.#at} in body ${what}`;
    this.#add(verdict, message, (field) => fieldErrors.invalid(field, value, message));
  }

  #judgeString({ rules }: Structural, value: string, verdict: Verdict): void {
    this.#judgeText(rules.said, value, verdict);
    verdict.matches += 1;
    const check = rules.format ? formatCheck(rules.format) : undefined;
    if (!check) return;
    verdict.matches += 1;
    if (check(value)) return;
    const message = `${this.#at} in body must be of type ${rules.format}: ${quoteAsGo(value)}`;
    this.#add(verdict, message, (field) => fieldErrors.typeInvalid(field, value, message));
  }

  #judgeText({ maxLength, minLength, pattern }: Structural['said'], value: string, verdict: Verdict): void {
    if (maxLength !== undefined && isLonger(value, maxLength)) {
      this.#add(verdict, `${this.#at} in body should be at most ${maxLength} chars long`, (field) => fieldErrors.tooLong(field, maxLength));
    } else if (minLength !== undefined && !isLonger(value, minLength - 1)) {
      this.#invalid(verdict, value, `should be at least ${minLength} chars long`);
    } else if (pattern && !matchesPattern(pattern, value)) {
      this.#invalid(verdict, value, `should match '${pattern}'`);
    }
  }

  #judgeNumber({ rules }: Structural, value: number, verdict: Verdict): void {
    verdict.matches += 2;
    if (!rules.hasBounds) return;
    for (const { name, value: shown = value, text } of judgeNumber(rules, value)) {
      if (name === 'range') verdict.addPlain(`${text} in ${this.#at}`);
      else if (name === 'factor') {
        const message = `factor MultipleOf declared for ${this.#at} must be positive: ${text}`;
        this.#add(verdict, message, (field) => fieldErrors.invalid(field, shown, message));
      } else this.#invalid(verdict, shown, text);
    }
  }

  #judgeEnum(values: readonly unknown[], value: unknown, verdict: Verdict): void {
    const listed = listedOf(values);
    if (value !== null && listed.has(value)) return;
    this.#add(verdict, `${this.#at} in body should be one of ${listed.text}`, (field) =>
      fieldErrors.notSupported(field, sortedFields(value), listed.texts),
    );
  }

  *#judgeList(node: Structural, list: readonly unknown[], verdict: Verdict, old: Correlation | undefined): Steps<void> {
    const { items } = node;
    const { minItems, maxItems, uniqueItems } = node.said;
    for (let i = 0; items && i < list.length; i++) {
      this.#enter(i);
      yield* this.judge(items, list[i], verdict, old?.item(i));
      this.#leave();
    }
    if (minItems !== undefined && list.length < minItems) this.#invalid(verdict, list.length, `should have at least ${minItems} items`);
    if (maxItems !== undefined && list.length > maxItems) {
      const message = `${this.#at} in body should have at most ${maxItems} items`;
      this.#add(verdict, message, (field) => fieldErrors.tooMany(field, list.length, maxItems));
    }
    if (uniqueItems && new Set(list.map((item) => canonicalText(item))).size < list.length) {
      this.#invalid(verdict, '', "shouldn't contain duplicates");
    }
    verdict.matches += 2;
  }

  *#judgeObject(node: Structural, object: Json, verdict: Verdict, old: Correlation | undefined): Steps<void> {
    const { minProperties, maxProperties, additionalProperties, required = [] } = node.said;
    const names = Object.keys(object);
    if (minProperties !== undefined && names.length < minProperties) {
      this.#invalid(verdict, names.length, `should have at least ${minProperties} properties`);
    }
    if (maxProperties !== undefined && names.length > maxProperties) {
      const message = `${this.#at} in body should have at most ${maxProperties} properties`;
      this.#add(verdict, message, (field) => fieldErrors.tooMany(field, names.length, maxProperties));
    }
    const isOpen = this.#path.length > 0 || !old;
    for (const name of names) {
      const property = node.property(name);
      const known = property ?? node.additional;
      if (known) {
        this.#enter(property ? name : { key: name });
        // Of the whole object, apiVersion and kind are not compared.
        yield* this.judge(
          known,
          own(object, name),
          verdict,
          isOpen || (name !== 'apiVersion' && name !== 'kind') ? old?.field(name) : undefined,
        );
        this.#leave();
      } else if (additionalProperties === false) {
        const message = `${this.#at}.${name} in body is a forbidden property`;
        this.#add(verdict, message, (field) => fieldErrors.invalid(field, name, message));
      }
    }
    for (const name of required) {
      if (this.#pace.isDue()) yield;
      if (Object.hasOwn(object, name)) continue;
      if (verdict.isFull) break;
      this.#enter(name);
      this.#add(verdict, `${this.#at} in body is required`, (field) => fieldErrors.required(field));
      this.#leave();
    }
    verdict.matches += 1;
  }

  *#judgeJoined(node: Structural, value: unknown, verdict: Verdict): Steps<void> {
    const { allOf, anyOf, oneOf, not } = node.rules;
    if (anyOf.length) yield* this.#judgeAny(anyOf, value, verdict);
    if (oneOf.length) yield* this.#judgeOne(oneOf, value, verdict);
    if (allOf.length) yield* this.#judgeAll(allOf, value, verdict);
    if (not) {
      const inner = yield* this.#alone(not, value);
      if (inner.isValid) verdict.addPlain(`${quoteAsGo(this.#at)} must not validate the schema (not)`);
    }
  }

  *#alone(node: Structural, value: unknown): Steps<Verdict> {
    const verdict = new Verdict();
    yield* this.judge(node, value, verdict, undefined);
    return verdict;
  }

  *#judgeAny(schemas: readonly Structural[], value: unknown, verdict: Verdict): Steps<void> {
    let best: Verdict | undefined;
    for (const schema of schemas) {
      const inner = yield* this.#alone(schema, value);
      if (inner.isValid) return verdict.merge(inner);
      if (!best || inner.matches > best.matches) best = inner;
    }
    verdict.addPlain(`${quoteAsGo(this.#at)} must validate at least one schema (anyOf)`);
    if (best) verdict.merge(best);
  }

  *#judgeOne(schemas: readonly Structural[], value: unknown, verdict: Verdict): Steps<void> {
    let best: Verdict | undefined;
    let first: Verdict | undefined;
    let count = 0;
    for (const schema of schemas) {
      const inner = yield* this.#alone(schema, value);
      if (inner.isValid) {
        count++;
        first ??= inner;
      } else if (!best || inner.matches > best.matches) best = inner;
    }
    if (count === 1) return first && verdict.merge(first);
    const counted = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
    verdict.addPlain(`${quoteAsGo(this.#at)} must validate one and only one schema (oneOf). ${counted}`);
    if (count === 0 && best) verdict.merge(best);
  }

  *#judgeAll(schemas: readonly Structural[], value: unknown, verdict: Verdict): Steps<void> {
    let count = 0;
    for (const schema of schemas) {
      const inner = yield* this.#alone(schema, value);
      if (inner.isValid) count++;
      verdict.merge(inner);
    }
    if (count === schemas.length) return;
    verdict.addPlain(`${quoteAsGo(this.#at)} must validate all the schemas (allOf)${count === 0 ? '. None validated' : ''}`);
  }
}

const listedIn = new WeakMap<readonly unknown[], Listed>();

function listedOf(values: readonly unknown[]): Listed {
  const known = listedIn.get(values) ?? new Listed(values);
  listedIn.set(values, known);
  return known;
}

/** The values of an enumeration: looked up, since there may be as many of them as values that are asked for. */
class Listed {
  readonly texts: readonly string[];
  readonly text: string;
  readonly #fractions = new Set<number>();
  readonly #integers = new Set<number>();
  readonly #words = new Set<unknown>();
  /** objects and lists, by what they are as text */
  readonly #others = new Set<string>();

  constructor(values: readonly unknown[]) {
    this.texts = values.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
    this.text = this.texts.join(' ');
    for (const each of values) {
      if (typeof each === 'number') (Number.isInteger(each) ? this.#integers : this.#fractions).add(each);
      else if (typeof each === 'object') this.#others.add(canonicalText(each));
      else this.#words.add(each);
    }
  }

  /** Numbers are compared as numbers of the listed one's kind: upstream takes 1.5 for 1. */
  has(value: unknown): boolean {
    if (typeof value === 'number') return this.#fractions.has(value) || this.#integers.has(Math.trunc(value));
    return typeof value === 'object' ? this.#others.has(canonicalText(value)) : this.#words.has(value);
  }
}

/** JSON's types; a number without a fraction is an integer. */
export function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? 'integer' : 'number';
  return typeof value;
}

/** In code points. */
function isLonger(text: string, max: number): boolean {
  if (text.length <= max) return false;
  if (text.length > 2 * max) return true;
  let count = 0;
  for (const _ of text) if (++count > max) return true;
  return false;
}

/** The value with its fields in the order of their names, as upstream shows it. */
export function sortedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sortedFields);
  const sorted: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) put(sorted, name, sortedFields(own(value as Json, name)));
  return sorted;
}

/** By which equal values are found. */
export const canonicalText = (value: unknown): string => JSON.stringify(sortedFields(value));
