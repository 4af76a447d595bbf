/**
 * A custom resource judged by the rules of its schema, from the outside in, within a budget for all of them. Rules about a
 * change are asked where there was a value before. What did not change is forgiven, but told.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.
 */
import { evaluateInSteps, PER_CALL_LIMIT, type Variables } from '../../../cel/compile.ts';
import { CelError, Optional, type Value } from '../../../cel/values.ts';
import { type FieldError, fieldErrors, omittedValue, quoteAsGo } from '../../../meta/status-error.ts';
import type { Steps } from '../../../meta/steps.ts';
import { own } from '../../../meta/words.ts';
import type { Correlation } from '../correlation.ts';
import type { Path } from '../places.ts';
import type { Structural } from '../structural.ts';
import { type CompiledRule, compileRules } from './compile-rules.ts';
import { type Declared, declare, withMeta } from './declared-type.ts';
import { readerOf } from './read-value.ts';

/** What all rules of one write may cost (apiserver/pkg/apis/cel/config.go). */
const budgetMax = 10_000_000;
const messageBytesMax = 5 * 1024;
const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run';

export interface RuleSubject {
  readonly node: Structural;
  readonly value: unknown;
  /** what it was */
  readonly old: Correlation | undefined;
  readonly path: Path;
}

/** `isResource`: the value has metadata, as the whole object has. */
export function* evaluateRules(subject: RuleSubject, isResource: boolean): Steps<readonly FieldError[]> {
  const evaluation = new Evaluation();
  yield* evaluation.judge(subject, { isResource, isTop: isResource, unchanged: undefined });
  return evaluation.found;
}

interface Place {
  readonly isResource: boolean;
  /** the whole object */
  readonly isTop: boolean;
  /** the nearest value around it that was there before */
  readonly unchanged: Correlation | undefined;
}

class Evaluation {
  readonly found: FieldError[] = [];
  #budget = budgetMax;

  *judge(subject: RuleSubject, place: Place): Steps<void> {
    const { node, value } = subject;
    if (value === null || value === undefined || !node.hasRules || this.#budget < 0) return;
    if (node.said['x-kubernetes-validations']) {
      yield;
      yield* this.#judgeHere(subject, place);
    }
    if (Array.isArray(value)) yield* this.#judgeItems(subject, value, place);
    else if (typeof value === 'object') yield* this.#judgeFields(subject, value as Readonly<Record<string, unknown>>, place);
  }

  *#judgeItems({ node, old, path }: RuleSubject, list: readonly unknown[], { unchanged }: Place): Steps<void> {
    if (!node.items?.hasRules) return;
    for (const [i, value] of list.entries()) {
      const place = { isResource: node.items.isEmbedded, isTop: false, unchanged: old ?? unchanged };
      yield* this.judge({ node: node.items, value, old: old?.item(i), path: path.item(i) }, place);
    }
  }

  *#judgeFields({ node, old, path }: RuleSubject, object: Readonly<Record<string, unknown>>, { isTop, unchanged }: Place): Steps<void> {
    for (const name in object) {
      const property = node.property(name);
      const child = property ?? node.additional;
      if (!child?.hasRules) continue;
      const isHidden = isTop && (name === 'apiVersion' || name === 'kind');
      const place = { isResource: child.isEmbedded, isTop: false, unchanged: isHidden ? undefined : (old ?? unchanged) };
      const at = property ? path.field(name) : path.key(name);
      yield* this.judge({ node: child, value: own(object, name), old: isHidden ? undefined : old?.field(name), path: at }, place);
    }
  }

  *#judgeHere(subject: RuleSubject, place: Place): Steps<void> {
    const { node, value, old, path } = subject;
    const compiled = rulesOf(node, place.isResource);
    if (!compiled) return;
    const read = readerOf(place.isResource ? withMeta(node) : node);
    const self = read(value);
    const before = old === undefined || old.old === null ? undefined : read(old.old);
    const type = node.said.type ?? '';
    const fail = (detail: string): void => void this.found.push(fieldErrors.invalid(path.text, type, detail));
    if (this.#budget === 0) this.#budget = -1;
    for (const rule of compiled) {
      if (this.#budget < 0) {
        fail(outOfBudget);
        return;
      }
      if (rule.problem !== undefined) fail(`rule compile error: ${rule.problem}`);
      if (!rule.program || (rule.usesOldSelf && before === undefined && !rule.said.optionalOldSelf)) continue;
      const oldSelf = rule.said.optionalOldSelf ? (before === undefined ? Optional.none : new Optional(before)) : before;
      const { value: verdict, cost, isExceeded } = yield* evaluateInSteps(rule.program, variablesOf(self, oldSelf), PER_CALL_LIMIT);
      if (cost > this.#budget) {
        this.#budget = -1;
        fail(outOfBudget);
        return;
      }
      this.#budget -= cost;
      if (verdict instanceof CelError) {
        fail(describeFailure(verdict.message, isExceeded, rule));
        if (isExceeded) this.#budget = -1;
        continue;
      }
      if (verdict === true) continue;
      yield* this.#tell(rule, subject, place, variablesOf(self, before));
    }
  }

  *#tell(rule: CompiledRule, { node, value, old, path }: RuleSubject, { unchanged }: Place, variables: Variables): Steps<void> {
    const { said } = rule;
    const at = rule.fieldPath ? path.field(rule.fieldPath).text : path.text;
    const { text, problem } = yield* this.#message(rule, variables);
    const detail = text ?? (said.message ? said.message.trim() : `failed rule: ${said.rule.trim()}`);
    const shown = node.said.type === 'object' || node.said.type === 'array' ? omittedValue : value;
    const error = problem === undefined ? errorOf(said.reason, at, shown, detail) : fieldErrors.invalid(at, node.said.type ?? '', problem);
    if (problem !== undefined) this.#budget = -1;
    const isForgiven = !rule.usesOldSelf && ((old ?? unchanged)?.isUnchanged ?? false);
    this.found.push(isForgiven ? { ...error, isForgiven } : error);
  }

  /** What the rule's own expression says; `problem`: nothing more is evaluated. */
  *#message({ message, said }: CompiledRule, variables: Variables): Steps<{ readonly text?: string; readonly problem?: string }> {
    if (!message) return {};
    const { value, cost, isExceeded } = yield* evaluateInSteps(message, variables, PER_CALL_LIMIT);
    if (cost > this.#budget)
      return { problem: 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run' };
    if (isExceeded) {
      return {
        problem: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${quoteAsGo(said.messageExpression ?? '')}`,
      };
    }
    this.#budget -= cost;
    const text = typeof value === 'string' ? value.trim() : '';
    return text === '' || text.includes('\n') || Buffer.byteLength(text) > messageBytesMax ? {} : { text };
  }
}

const variablesOf = (self: Value, oldSelf: Value | undefined): Variables => (oldSelf === undefined ? { self } : { self, oldSelf });

function errorOf(reason: string | undefined, field: string, value: unknown, detail: string): FieldError {
  if (reason === 'FieldValueForbidden') return fieldErrors.forbidden(field, detail);
  if (reason === 'FieldValueRequired') return fieldErrors.required(field, detail);
  return reason === 'FieldValueDuplicate' ? fieldErrors.duplicate(field, value) : fieldErrors.invalid(field, value, detail);
}

function describeFailure(message: string, isExceeded: boolean, { said }: CompiledRule): string {
  const rule = (said.message || said.rule).trim();
  if (isExceeded) return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${rule}`;
  if (message.startsWith('no such overload')) {
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${rule}`;
  }
  return `${message} evaluating rule: ${rule}`;
}

const compiledOf = new WeakMap<Structural, readonly CompiledRule[] | undefined>();

/** Undefined where expressions see nothing of the value. */
function rulesOf(node: Structural, isResource: boolean): readonly CompiledRule[] | undefined {
  if (!compiledOf.has(node)) {
    const declared: Declared | undefined = declare(node, 'selfType', isResource);
    compiledOf.set(node, declared && compileRules(node, declared));
  }
  return compiledOf.get(node);
}
