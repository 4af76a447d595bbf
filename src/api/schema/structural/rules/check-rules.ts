/**
 * The rules of a definition at its creation: each has to compile, and neither it nor all of them together may be able to cost
 * more than a request can pay.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation/{validation,cel_validation}.go.
 */
import { type FieldError, fieldErrors } from '../../../meta/status-error.ts';
import type { Path } from '../places.ts';
import type { Structural } from '../structural.ts';
import { type CompiledRule, compileRules, costMaxOf, countMaxOf } from './compile-rules.ts';
import { type Declared, declare } from './declared-type.ts';

export const ruleCostMax = 10_000_000;
export const definitionCostMax = 100_000_000;
const toldMax = 4;

/** What all rules of a definition can cost, and which of them the most. */
export class TotalCost {
  total = 0;
  #most: { readonly path: string; readonly cost: number }[] = [];
  add(path: string, cost: number): void {
    this.total += cost;
    if (cost < definitionCostMax / 100) return;
    this.#most = [...this.#most, { path, cost }].toSorted((a, b) => b.cost - a.cost).slice(0, toldMax);
  }
  problems(path: Path): readonly FieldError[] {
    if (this.total <= definitionCostMax) return [];
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    const told = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
    return [
      ...this.#most.map((rule) => fieldErrors.forbidden(rule.path, told)),
      fieldErrors.forbidden(path.text, describeCost(what, this.total, definitionCostMax)),
    ];
  }
}

/** Where rules stand in a schema. */
export interface RuleScope {
  /** how often the value can be in an object; undefined: nobody says */
  readonly countMax: number | undefined;
  /** the part of the schema in which what was there before can't be found */
  readonly uncorrelated: string | undefined;
  readonly total: TotalCost;
  /** rules may cost what they cost: the schema did not change */
  readonly isUnchanged: boolean;
}

/** `isResource`: the value has metadata. */
export function checkRules(node: Structural, path: Path, scope: RuleScope & { readonly isResource: boolean }): readonly FieldError[] {
  const at = path.field('x-kubernetes-validations');
  const declared = declare(node, 'selfType', scope.isResource);
  if (!declared) {
    const why =
      'internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations';
    return [fieldErrors.internal(at.text, why)];
  }
  const check = new RuleCheck(declared, scope);
  compileRules(node, declared).forEach((rule, i) => {
    check.rule(rule, at.item(i));
  });
  return check.found;
}

class RuleCheck {
  readonly found: FieldError[] = [];
  readonly #declared: Declared;
  readonly #scope: RuleScope;
  constructor(declared: Declared, scope: RuleScope) {
    this.#declared = declared;
    this.#scope = scope;
  }

  rule({ said, program, problem, usesOldSelf, message, messageProblem }: CompiledRule, path: Path): void {
    const { countMax = countMaxOf(this.#declared), uncorrelated } = this.#scope;
    const rule = path.field('rule').text;
    if (program) this.#cost('rule', costMaxOf(program, this.#declared) * countMax, rule);
    if (problem !== undefined) this.found.push(fieldErrors.invalid(rule, asUpstream(said), problem));
    const expression = path.field('messageExpression').text;
    if (messageProblem !== undefined) this.found.push(fieldErrors.invalid(expression, asUpstream(said), messageProblem));
    else if (message) this.#cost('messageExpression', costMaxOf(message, this.#declared), expression);
    if (usesOldSelf && uncorrelated !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
      this.found.push(fieldErrors.invalid(rule, said.rule, detail));
    }
    if (!usesOldSelf && said.optionalOldSelf !== undefined) {
      const detail = 'may not be set if oldSelf is not used in rule';
      this.found.push(fieldErrors.invalid(path.field('optionalOldSelf').text, said.optionalOldSelf, detail));
    }
  }

  #cost(what: string, cost: number, path: string): void {
    if (!this.#scope.isUnchanged && cost > ruleCostMax) {
      this.found.push(fieldErrors.forbidden(path, describeCost(`estimated ${what} cost`, cost, ruleCostMax)));
    }
    this.#scope.total.add(path, cost);
  }
}

function describeCost(what: string, cost: number, max: number): string {
  const times = cost / max;
  const factor = times > 100 ? 'more than 100x' : `${times.toFixed(times < 1.5 ? 6 : 1)}x`;
  const advice = 'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared';
  return `${what} exceeds budget by factor of ${factor} (${advice})`;
}

/** A rule as upstream shows it. */
const asUpstream = ({ rule, message, messageExpression, reason, fieldPath, optionalOldSelf }: CompiledRule['said']): object => ({
  Rule: rule,
  Message: message ?? '',
  MessageExpression: messageExpression ?? '',
  Reason: reason ?? null,
  FieldPath: fieldPath ?? '',
  OptionalOldSelf: optionalOldSelf ?? null,
});

/** By how much a value's children can be more than the value; undefined: nobody says. */
export function growthOf({ type, additionalProperties, maxProperties, maxItems }: Structural['said']): number | undefined {
  if (type === 'array') return maxItems === undefined ? undefined : Math.max(maxItems, 0);
  if (type !== 'object' || additionalProperties === undefined) return 1;
  return maxProperties === undefined ? undefined : Math.max(maxProperties, 0);
}
