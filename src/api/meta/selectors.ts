/**
 * Label and field selectors: the string forms of the list call, and LabelSelector objects. A selector is a list of
 * requirements that all have to hold; matching allocates nothing, and a long list costs what the object's labels cost.
 * Upstream: apimachinery/pkg/labels/selector.go, apimachinery/pkg/fields/selector.go, apimachinery/pkg/apis/meta/v1/helpers.go.
 */

import type { LabelSelector } from '../generated/meta-v1.ts';
import { checkLabelValue, checkQualifiedName } from './names.ts';
import { describeFieldError, type FieldError, fieldErrors } from './status-error.ts';
import { own } from './words.ts';

export type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

export type LabelMap = Readonly<Record<string, string>>;

/** Not a selector; the message is upstream's. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

/** Words and signs of a label selector's text, and terms of a field selector's: not upstream's, which takes a megabyte of them. */
export const selectorTokensMax = 50_000;
export const fieldTermsMax = 10_000;

/** Requirements or values that are looked through one by one. */
const fewRequirements = 16;

/** A parsed label selector. `everything` and `nothing` are the two that have no requirements. */
export class LabelMatcher {
  static readonly everything: LabelMatcher = new LabelMatcher([]);
  static readonly nothing: LabelMatcher = new LabelMatcher([], true);
  readonly requirements: readonly Requirement[];
  readonly #none: boolean;
  /** in place of the requirements, where there are many; made when first asked */
  #index: RequirementIndex | undefined;
  readonly #isLong: boolean;
  constructor(requirements: readonly Requirement[], none = false) {
    this.requirements = requirements;
    this.#none = none;
    this.#isLong = requirements.length > fewRequirements || requirements.some(({ values }) => values.length > fewRequirements);
  }
  get isEverything(): boolean {
    return !this.#none && this.requirements.length === 0;
  }
  get isNothing(): boolean {
    return this.#none;
  }
  matches(labels: LabelMap | undefined): boolean {
    if (this.#none) return false;
    if (this.#isLong) {
      this.#index ??= new RequirementIndex(this.requirements);
      return this.#index.matches(labels ?? {});
    }
    for (const requirement of this.requirements) if (!meets(requirement, labels)) return false;
    return true;
  }
  /** The string form, as `parseLabelSelector` takes it. */
  toString(): string {
    return this.requirements.map(describeRequirement).join(',');
  }
}

/** What all requirements of one key say together of its value. */
interface KeyRule {
  isForbidden: boolean;
  /** undefined: any */
  allowed: ReadonlySet<string> | undefined;
  refused: Set<string> | undefined;
  /** by size */
  ordered: Requirement[] | undefined;
}

/** Many requirements by their keys: an object is asked only about the labels that it has. */
class RequirementIndex {
  readonly #rules = new Map<string, KeyRule>();
  /** that have to be there */
  readonly #needed = new Set<string>();

  constructor(requirements: readonly Requirement[]) {
    for (const requirement of requirements) this.#add(requirement);
  }

  #add(requirement: Requirement): void {
    const { key, operator, values } = requirement;
    const rule = this.#rules.get(key) ?? { isForbidden: false, allowed: undefined, refused: undefined, ordered: undefined };
    this.#rules.set(key, rule);
    if (operator === '!') rule.isForbidden = true;
    else if (operator === '!=' || operator === 'notin') {
      rule.refused ??= new Set();
      for (const value of values) rule.refused.add(value);
    } else {
      this.#needed.add(key);
      if (operator === 'gt' || operator === 'lt') {
        rule.ordered ??= [];
        rule.ordered.push(requirement);
      } else if (operator !== 'exists') {
        const { allowed } = rule;
        rule.allowed = new Set(allowed ? values.filter((value) => allowed.has(value)) : values);
      }
    }
  }

  matches(labels: LabelMap): boolean {
    let found = 0;
    for (const key in labels) {
      const rule = this.#rules.get(key);
      if (!rule) continue;
      const value = labels[key] ?? '';
      if (rule.isForbidden || rule.refused?.has(value) || (rule.allowed && !rule.allowed.has(value))) return false;
      if (rule.ordered && !rule.ordered.every((requirement) => meets(requirement, labels))) return false;
      if (this.#needed.has(key)) found++;
    }
    return found === this.#needed.size;
  }
}

function meets(r: Requirement, labels: LabelMap | undefined): boolean {
  const value = own(labels, r.key);
  switch (r.operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && r.values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !r.values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt':
      return value !== undefined && isOrdered(value, r.values[0] ?? '', r.operator);
  }
}

/** Sign, and digits as long as a label's value may be. */
const integer = /^[-+]?\d{1,63}$/;

/** Whether one is larger or smaller than the other; false where one of them is no int64. */
export function isOrdered(value: string, bound: string, operator: 'gt' | 'lt'): boolean {
  const [number, limit] = [int64Of(value), int64Of(bound)];
  if (number === undefined || limit === undefined) return false;
  return operator === 'gt' ? number > limit : number < limit;
}

function int64Of(text: string): bigint | undefined {
  const number = integer.test(text) ? BigInt(text) : undefined;
  return number !== undefined && BigInt.asIntN(64, number) === number ? number : undefined;
}

const symbols: Partial<Record<Operator, string>> = { '=': '=', '==': '==', '!=': '!=', gt: '>', lt: '<' };

function describeRequirement(r: Requirement): string {
  if (r.operator === 'exists') return r.key;
  if (r.operator === '!') return `!${r.key}`;
  const values = r.values.toSorted().join(',');
  const symbol = symbols[r.operator];
  return symbol ? `${r.key}${symbol}${values}` : `${r.key} ${r.operator} (${values})`;
}

/** What is wrong with a requirement, in upstream's wording. */
function checkRequirement(r: Requirement): readonly FieldError[] {
  const found: FieldError[] = [];
  const bad = checkQualifiedName(r.key);
  if (bad.length) found.push(fieldErrors.invalid('key', r.key, bad.join('; ')));
  const values = (detail: string) => found.push(fieldErrors.invalid('values', r.values, detail));
  if (r.operator === 'in' || r.operator === 'notin') {
    if (!r.values.length) values("for 'in', 'notin' operators, values set can't be empty");
  } else if (r.operator === 'exists' || r.operator === '!') {
    if (r.values.length) values('values set must be empty for exists and does not exist');
  } else if (r.operator === 'gt' || r.operator === 'lt') {
    if (r.values.length !== 1) values("for 'Gt', 'Lt' operators, exactly one value is required");
    r.values.forEach((value, i) => {
      if (!integer.test(value)) {
        found.push(fieldErrors.invalid(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
      }
    });
  } else if (r.values.length !== 1) values('exact-match compatibility requires one single value');
  r.values.forEach((value, i) => {
    const wrong = checkLabelValue(value);
    if (wrong.length) found.push(fieldErrors.invalid(`values[${i}][${r.key}]`, value, wrong.join('; ')));
  });
  return found;
}

function aggregate(list: readonly FieldError[]): string {
  const texts = [...new Set(list.map(describeFieldError))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

/** Throws SelectorError when the requirement is no valid one. */
export function makeRequirement(key: string, operator: Operator, values: readonly string[]): Requirement {
  const requirement = { key, operator, values };
  const found = checkRequirement(requirement);
  if (found.length) throw new SelectorError(aggregate(found));
  return requirement;
}

const byKey = (a: Requirement, b: Requirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

type Token = {
  readonly kind: 'id' | 'end' | 'error' | ')' | ',' | '!' | '==' | '=' | '>' | '<' | '!=' | '(' | 'in' | 'notin';
  readonly text: string;
};

const specials = new Set(['=', '!', '(', ')', ',', '>', '<']);
const operatorTokens = new Set<Token['kind']>([')', ',', '!', '==', '=', '>', '<', '!=', '(']);
/** Where a word or sign would begin it is the end of the text, after one it is passed over, as upstream's reader takes it. */
const end = '\0';
const isBlank = (c: string): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\n';

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (tokens.length >= selectorTokensMax) fail(`the selector has more than ${selectorTokensMax} words and signs`);
    const c = text[at] ?? '';
    if (c === end) break;
    if (isBlank(c)) {
      at++;
      continue;
    }
    if (specials.has(c)) {
      const two = text.slice(at, at + 2);
      const symbol = operatorTokens.has(two as Token['kind']) ? two : c;
      tokens.push({ kind: symbol as Token['kind'], text: symbol });
      at += symbol.length;
      if (text[at] === end) at++;
      continue;
    }
    const start = at;
    while (at < text.length && !specials.has(text[at] ?? '') && !isBlank(text[at] ?? '') && text[at] !== end) at++;
    const word = text.slice(start, at);
    if (text[at] === end) at++;
    tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'id', text: word });
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

const binaryOperators = ['in', 'notin', '=', '==', '!=', 'gt', 'lt'];
const tokenOperators: Partial<Record<Token['kind'], Operator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

class SelectorParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  constructor(text: string) {
    this.#tokens = tokenize(text);
  }
  /** `in` and `notin` are words wherever no operator is expected. */
  #peek(): Token {
    const token = this.#tokens[this.#at] ?? { kind: 'end', text: '' };
    return token.kind === 'in' || token.kind === 'notin' ? { kind: 'id', text: token.text } : token;
  }
  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }
  parse(): readonly Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'id' && token.kind !== '!') fail(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      const separator = this.#next();
      if (separator.kind === 'end') return requirements;
      if (separator.kind !== ',') fail(`found '${separator.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (following.kind !== 'id' && following.kind !== '!') fail(`found '${following.text}', expected: identifier after ','`);
    }
  }
  #requirement(): Requirement {
    try {
      let token = this.#next();
      const negated = token.kind === '!';
      if (negated) token = this.#next();
      if (token.kind !== 'id') fail(`found '${token.text}', expected: identifier`);
      const bad = checkQualifiedName(token.text);
      if (bad.length) fail(describeFieldError(fieldErrors.invalid('', token.text, bad.join('; '))));
      const after = this.#peek();
      if (negated || after.kind === 'end' || after.kind === ',') return makeRequirement(token.text, negated ? '!' : 'exists', []);
      const operator = this.#operator();
      const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#value()];
      return makeRequirement(token.text, operator, values.toSorted());
    } catch (error) {
      if (error instanceof SelectorError) fail(`unable to parse requirement: ${error.message}`);
      throw error;
    }
  }
  #operator(): Operator {
    const token = this.#tokens[this.#at++] ?? { kind: 'end', text: '' };
    const operator = tokenOperators[token.kind];
    if (!operator) fail(`found '${token.text}', expected: ${binaryOperators.join(', ')}`);
    return operator;
  }
  #value(): string {
    const token = this.#peek();
    if (token.kind === 'end' || token.kind === ',') return '';
    this.#at++;
    if (token.kind !== 'id') fail(`found '${token.text}', expected: identifier`);
    return token.text;
  }
  #values(): readonly string[] {
    const open = this.#next();
    if (open.kind !== '(') fail(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ')') {
      this.#at++;
      return [''];
    }
    if (first.kind !== 'id' && first.kind !== ',') fail(`found '${first.text}', expected: ',', ')' or identifier`);
    const values = new Set<string>();
    for (;;) {
      const token = this.#next();
      const following = this.#peek();
      if (token.kind === 'id') {
        values.add(token.text);
        if (following.kind !== ',' && following.kind !== ')') fail(`found '${following.text}', expected: ',' or ')'`);
      } else if (token.kind === ',') {
        if (!values.size || following.kind === ')' || following.kind === ',') values.add('');
      } else fail(`found '${token.text}', expected: ',', or identifier`);
      if (following.kind === ')') {
        this.#at++;
        return [...values];
      }
    }
  }
}

function fail(message: string): never {
  throw new SelectorError(message);
}

/** Parses the string form (`a=b,c in (d,e),!f`). Throws SelectorError. */
export function parseLabelSelector(text: string): LabelMatcher {
  if (!text.trim()) return LabelMatcher.everything;
  const requirements = new SelectorParser(text).parse();
  return requirements.length ? new LabelMatcher(requirements.toSorted(byKey)) : LabelMatcher.everything;
}

const objectOperators: Readonly<Record<string, Operator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

/** The matcher of a LabelSelector object: absent selects nothing, empty everything. Throws SelectorError. */
export function labelMatcher(selector: LabelSelector | null | undefined): LabelMatcher {
  if (!selector) return LabelMatcher.nothing;
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => makeRequirement(key, '=', [value]));
  for (const e of selector.matchExpressions ?? []) {
    const operator = own(objectOperators, e.operator);
    if (!operator) throw new SelectorError(`${JSON.stringify(e.operator)} is not a valid label selector operator`);
    requirements.push(makeRequirement(e.key, operator, e.values ?? []));
  }
  return requirements.length ? new LabelMatcher(requirements.toSorted(byKey)) : LabelMatcher.everything;
}

/** The matcher of a plain map (Service, ReplicationController): absent and empty select everything. */
export function labelMatcherOfMap(labels: LabelMap | null | undefined): LabelMatcher {
  const entries = Object.entries(labels ?? {});
  if (!entries.length) return LabelMatcher.everything;
  return new LabelMatcher(entries.map(([key, value]): Requirement => ({ key, operator: '=', values: [value] })).toSorted(byKey));
}

/** Field errors of a LabelSelector object, as validation reports them. */
export function validateLabelSelector(selector: LabelSelector | null | undefined, path: string): readonly FieldError[] {
  if (!selector) return [];
  const found = [...validateLabels(selector.matchLabels, `${path}.matchLabels`)];
  selector.matchExpressions?.forEach((e, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const count = e.values?.length ?? 0;
    if (e.operator === 'In' || e.operator === 'NotIn') {
      if (!count) found.push(fieldErrors.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (e.operator === 'Exists' || e.operator === 'DoesNotExist') {
      if (count) found.push(fieldErrors.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else found.push(fieldErrors.invalid(`${at}.operator`, e.operator, 'not a valid selector operator'));
    for (const message of checkQualifiedName(e.key)) found.push(fieldErrors.invalid(`${at}.key`, e.key, message));
    e.values?.forEach((value, j) => {
      for (const message of checkLabelValue(value)) found.push(fieldErrors.invalid(`${at}.values[${j}]`, value, message));
    });
  });
  return found;
}

/** Field errors of a map of labels. */
export function validateLabels(labels: LabelMap | undefined, path: string): readonly FieldError[] {
  const found: FieldError[] = [];
  for (const key in labels) {
    const value = labels[key] ?? '';
    for (const message of checkQualifiedName(key)) found.push(fieldErrors.invalid(path, key, message));
    for (const message of checkLabelValue(value)) found.push(fieldErrors.invalid(path, value, message));
  }
  return found;
}

/** One term of a field selector. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Parses `a=b,c!=d`; `\` escapes `\`, `,` and `=` in values. Throws SelectorError. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  const terms = splitTerms(text).filter((term) => term !== '');
  if (terms.length > fieldTermsMax) fail(`the selector has more than ${fieldTermsMax} terms`);
  return terms.toSorted().map((term) => {
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!match) return fail(`invalid selector: '${text}'; can't understand '${term}'`);
    return { field: match[1] ?? '', operator: match[2] === '!=' ? '!=' : '=', value: unescapeValue(match[3] ?? '') };
  });
}

function splitTerms(text: string): readonly string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(value: string): string {
  return value.replace(/\\(.?)|[,=]/gs, (found, escaped: string | undefined) => {
    if (escaped === undefined) fail(`invalid field selector: unescaped character in value: ${found.charCodeAt(0)}`);
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=') fail(`invalid field selector: invalid escape sequence: ${found}`);
    return escaped;
  });
}

/** Whether an object with these field values meets all terms; a field that the object lacks is the empty string. */
export function matchesFields(terms: readonly FieldRequirement[], fieldValue: (field: string) => string | undefined): boolean {
  return terms.every((t) => ((fieldValue(t.field) ?? '') === t.value) === (t.operator === '='));
}
