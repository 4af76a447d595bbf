/**
 * ValidatingAdmissionPolicy: the validations of each policy that a request concerns, once per binding and parameter. What
 * a failed one comes to is the binding's word: the request is denied, its client warned, or the audit log told.
 * Upstream: apiserver/pkg/admission/plugin/policy/validating/{dispatcher,validator}.go.
 */

import {
  type Asking,
  type Compiled,
  Compiler,
  Evaluation,
  type Inputs,
  type Match,
  type MatchCondition,
  matchConditions,
  OutOfBudget,
  POLICY_BUDGET,
  type Result,
} from '../../../../api/cel/admission/expressions.ts';
import * as t from '../../../../api/cel/types.ts';
import type { ValidatingAdmissionPolicySpec, Validation } from '../../../../api/generated/admissionregistration-v1.ts';
import { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../../../api/generated/kinds.ts';
import { listOf } from '../../../../api/kinds/lists.ts';
import { StatusError } from '../../../../api/meta/status-error.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import { type ExpressionError, expressionErrorOf } from '../admission-metrics.ts';
import { refused } from '../forbidden.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { inKind } from '../webhooks/shown-objects.ts';
import { PolicyRequest, timed } from './evaluation.ts';
import { collectParams, ifConfigured, paramKindOf } from './params.ts';
import { type Concern, Policies } from './policies.ts';
import type { PolicyTools } from './policy-tools.ts';

type Binding = ValidatingAdmissionPolicyBinding;

interface CompiledValidation {
  readonly validation: Validation;
  readonly expression: Compiled;
  readonly message: Compiled | undefined;
}

interface CompiledPolicy {
  readonly variables: Compiler['variables'];
  readonly conditions: readonly MatchCondition[];
  readonly validations: readonly CompiledValidation[];
  readonly annotations: readonly { readonly key: string; readonly expression: Compiled }[];
}

/** Messages and annotations have no authorizer, as upstream. */
export function compileValidations(spec: ValidatingAdmissionPolicySpec): CompiledPolicy {
  const params = spec.paramKind !== undefined;
  const compiler = new Compiler({ params, authorizer: true }, true);
  const words = new Compiler({ params }, true);
  for (const { name, expression } of listOf(spec.variables)) {
    compiler.addVariable(name, expression);
    words.addVariable(name, expression);
  }
  return {
    variables: compiler.variables,
    conditions: listOf(spec.matchConditions).map(({ name, expression }) => ({ name, ...compiler.compile(expression, t.BOOL) })),
    validations: listOf(spec.validations).map((validation) => ({
      validation,
      expression: compiler.compile(validation.expression, t.BOOL),
      message: validation.messageExpression ? words.compile(validation.messageExpression, t.STRING) : undefined,
    })),
    annotations: listOf(spec.auditAnnotations).map(({ key, valueExpression }) => ({
      key,
      expression: words.compile(valueExpression, t.STRING, t.NULL),
    })),
  };
}

export function validatingPolicies(tools: PolicyTools): AdmissionPlugin {
  const policies = new Policies<ValidatingAdmissionPolicy, Binding, CompiledPolicy>(tools, {
    policy: ValidatingAdmissionPolicy,
    binding: ValidatingAdmissionPolicyBinding,
    compile: ({ spec }) => compileValidations(spec),
  });
  return {
    name: 'ValidatingAdmissionPolicy',
    revision: () => policies.revision(),
    handles: (kind, operation, subresource) => policies.possible({ kind, operation, subresource }).length > 0,
    async validate(request) {
      const asked = new PolicyRequest(tools, request);
      const denials: Denial[] = [];
      for (const concern of policies.concerning(request)) denials.push(...(await judge(tools, asked, concern, request)));
      const [first] = denials;
      if (first) throw denied(request, first);
    },
  };
}

interface Denial {
  readonly message: string;
  readonly reason: string;
}

type ValidatingConcern = Concern<ValidatingAdmissionPolicy, Binding, CompiledPolicy>;

/** Of one policy, under each of its bindings. */
async function judge(
  tools: PolicyTools,
  asked: PolicyRequest,
  { policy, kind, bindings }: ValidatingConcern,
  request: AdmissionRequest,
): Promise<readonly Denial[]> {
  const { spec, metadata } = policy.policy;
  const strict = spec.failurePolicy !== 'Ignore';
  const annotations = new Map<string, Set<string>>();
  const denials: Denial[] = [];
  const misconfigured = (who: string, why: string): void => {
    if (strict) denials.push({ message: `${who} denied request: failed to configure ${why}`, reason: '' });
  };
  const plain = `ValidatingAdmissionPolicy '${metadata.name}'`;
  const paramKind = ifConfigured(
    () => ({ kind: paramKindOf(tools, policy.policy) }),
    (why) => misconfigured(plain, `policy: ${why}`),
  );
  if (!paramKind) return denials;
  for (const binding of bindings) {
    const named = `${plain} with binding '${binding.metadata.name}'`;
    const deny = (why: string, reason = ''): void => {
      denials.push({ message: `${named} denied request: ${why}`, reason });
    };
    const found = ifConfigured(
      () => collectParams(tools, { kind: paramKind.kind, paramRef: binding.spec.paramRef }, request),
      (why) => misconfigured(named, `binding: ${why}`),
    );
    for (const params of found ?? []) {
      const inputs = asked.inputs({ kind, ...(await shown(request, kind)), params });
      const verdict = await asked.take(
        evaluate(policy.compiled, inputs, { strict, matching: asked.matching(metadata.name ?? '', 'validate') }),
      );
      const subject = { policy: metadata.name ?? '', binding: binding.metadata.name ?? '' };
      for (const failure of verdict.failures) {
        const count = (action: Action): void => tools.metrics.validated(subject, { ...failure, action });
        if (strict || failure.error === 'no_error') enforce(request, { binding, failure, named, deny, count });
        else count('allow');
      }
      for (const { key, value } of verdict.annotations) annotations.set(key, (annotations.get(key) ?? new Set()).add(value));
      for (const { message, seconds } of verdict.annotationErrors) {
        tools.metrics.validated(subject, { action: 'deny', error: expressionErrorOf(message), seconds });
        deny(message);
      }
    }
  }
  for (const [key, values] of annotations) request.annotate(`${metadata.name}/${key}`, [...values].join(', '));
  return denials;
}

async function shown({ object, oldObject, kind: from }: AdmissionRequest, kind: ValidatingConcern['kind']) {
  return { object: object && (await inKind(object, from, kind)), oldObject: oldObject && (await inKind(oldObject, from, kind)) };
}

/** A validation that does not hold, or can't be evaluated. */
interface Failure {
  readonly index: number;
  readonly message: string;
  readonly reason: string;
  readonly error: ExpressionError;
  readonly seconds: number;
}

type Action = 'allow' | 'deny' | 'audit' | 'warn';

interface Enforced {
  readonly binding: Binding;
  readonly failure: Failure;
  readonly named: string;
  readonly deny: (why: string, reason: string) => void;
  readonly count: (action: Action) => void;
}

function enforce(request: AdmissionRequest, { binding, failure: { index, message, reason }, named, deny, count }: Enforced): void {
  const { validationActions, policyName } = binding.spec;
  for (const action of listOf(validationActions)) {
    count(action.toLowerCase() as Action);
    if (action === 'Deny') deny(message, reason);
    else if (action === 'Warn') request.warn(`Validation failed for ${named}: ${message}`);
    else {
      const told = { message, policy: policyName, binding: binding.metadata.name, expressionIndex: index, validationActions };
      request.annotate('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([told]));
    }
  }
}

interface Verdict {
  readonly failures: readonly Failure[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  readonly annotationErrors: readonly { readonly message: string; readonly seconds: number }[];
}

const nothing: Verdict = { failures: [], annotations: [], annotationErrors: [] };

/** `strict`: an annotation that can't be evaluated is told; `matching` counts what came of the conditions. */
function* evaluate(
  compiled: CompiledPolicy,
  inputs: Inputs,
  { strict, matching }: { readonly strict: boolean; readonly matching: (seconds: number, match: Match) => void },
): Asking<Verdict> {
  const fault = (message: string): Verdict => ({
    ...nothing,
    failures: [{ index: 0, message, reason: '', error: expressionErrorOf(message), seconds: 0 }],
  });
  try {
    if (compiled.conditions.length > 0) {
      const [match, seconds] = yield* timed(matchConditions(compiled.conditions, inputs, compiled.variables));
      matching(seconds, match);
      if ('error' in match) return fault(match.error);
      if (!match.matches) return nothing;
    }
    return { failures: yield* failuresOf(compiled, inputs), ...(yield* annotationsOf(compiled, inputs, strict)) };
  } catch (error) {
    if (error instanceof OutOfBudget) return fault(error.message);
    throw error;
  }
}

function* failuresOf({ validations, variables }: CompiledPolicy, inputs: Inputs): Asking<readonly Failure[]> {
  const evaluation = new Evaluation(inputs, POLICY_BUDGET, variables);
  const results: (readonly [Result, seconds: number])[] = [];
  for (const { expression } of validations) results.push(yield* timed(evaluation.run(expression)));
  const words = new Evaluation(inputs, evaluation.remaining, variables);
  const failures: Failure[] = [];
  for (const [index, [result, seconds]] of results.entries()) {
    const { validation, message } = validations[index] as CompiledValidation;
    if ('error' in result) {
      failures.push({ index, message: result.error, reason: '', error: expressionErrorOf(result.error), seconds });
    } else if (result.value !== true) {
      const text = messageFor(validation, message && (yield* words.run(message)));
      failures.push({ index, message: text, reason: validation.reason ?? 'Invalid', error: 'no_error', seconds });
    }
  }
  return failures;
}

const messageCharactersMax = 5 * 1024;

function messageFor({ message = '', expression }: Validation, made: Result | undefined): string {
  const text = made && 'value' in made && typeof made.value === 'string' ? made.value.trim() : '';
  const isUsable = text !== '' && Buffer.byteLength(text) <= messageCharactersMax && !text.includes('\n');
  return (isUsable ? text : message.trim()) || `failed expression: ${expression.trim()}`;
}

const annotationBytesMax = 10 * 1024;

function* annotationsOf(
  { annotations, variables }: CompiledPolicy,
  inputs: Inputs,
  strict: boolean,
): Asking<Pick<Verdict, 'annotations' | 'annotationErrors'>> {
  const evaluation = new Evaluation(inputs, POLICY_BUDGET, variables);
  const found: { key: string; value: string }[] = [];
  const wrong: { message: string; seconds: number }[] = [];
  for (const { key, expression } of annotations) {
    const [result, seconds] = yield* timed(evaluation.run(expression));
    if ('error' in result) {
      if (strict) wrong.push({ message: result.error, seconds });
      continue;
    }
    const value = typeof result.value === 'string' ? result.value.trim() : '';
    if (value !== '') found.push({ key, value: value.slice(0, annotationBytesMax) });
  }
  return { annotations: found, annotationErrors: wrong };
}

const codes: ReadonlyMap<string, number> = new Map([
  ['Forbidden', 403],
  ['Unauthorized', 401],
  ['RequestEntityTooLarge', 413],
]);
const invalid = 422;

function denied(request: AdmissionRequest, { message, reason = '' }: Denial): StatusError {
  const { status } = refused(request, message, [{ message }]);
  const word = reason || 'Invalid';
  return new StatusError({ ...status, message: status.message ?? '', reason: word, code: codes.get(word) ?? invalid });
}
