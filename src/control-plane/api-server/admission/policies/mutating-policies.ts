/**
 * MutatingAdmissionPolicy: the mutations of each policy that a request concerns, in their order, once per binding and
 * parameter: apply configurations, which are merged as server-side apply merges (but own nothing), and JSON patches.
 * Upstream: apiserver/pkg/admission/plugin/policy/mutating.
 */

import { checkTyped } from '../../../../api/apply/check-typed.ts';
import { mergeObjects } from '../../../../api/apply/merge.ts';
import { TypedError } from '../../../../api/apply/structure.ts';
import { applyConfigurationOf, patchOf } from '../../../../api/cel/admission/constructed.ts';
import { JSON_PATCH, OBJECT } from '../../../../api/cel/admission/environment.ts';
import {
  type Asking,
  type Compiled,
  Compiler,
  Evaluation,
  type Inputs,
  type MatchCondition,
  matchConditions,
  OutOfBudget,
  POLICY_BUDGET,
} from '../../../../api/cel/admission/expressions.ts';
import * as t from '../../../../api/cel/types.ts';
import { CelError } from '../../../../api/cel/values.ts';
import type { MutatingAdmissionPolicySpec, Mutation } from '../../../../api/generated/admissionregistration-v1.ts';
import { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '../../../../api/generated/kinds.ts';
import { listOf } from '../../../../api/kinds/lists.ts';
import { equalSemantically } from '../../../../api/meta/deep-equal.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import { apiVersionOf, type KubeObject } from '../../../../api/meta/object.ts';
import { errors, isStatusError, messageOf, StatusError } from '../../../../api/meta/status-error.ts';
import { takeSteps } from '../../../../api/meta/steps.ts';
import { whyUndecodable } from '../../../../api/schema/body.ts';
import { applyJsonPatch, JsonPatchError } from '../../../../api/schema/json-patch.ts';
import type { GroupVersionKind } from '../../../../api/schema/types.ts';
import { realClock } from '../../../../client/clock.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import { takeInTurns } from '../../request/yield-turn.ts';
import { type ExpressionError, expressionErrorOf, type PolicySubject } from '../admission-metrics.ts';
import { refused } from '../forbidden.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { decodeChanged, inKind, shownType } from '../webhooks/shown-objects.ts';
import { findAtomics } from './atomics.ts';
import { PolicyRequest, timed } from './evaluation.ts';
import { collectParams, ifConfigured, paramKindOf } from './params.ts';
import { type Concern, Policies } from './policies.ts';
import type { PolicyTools } from './policy-tools.ts';

type Binding = MutatingAdmissionPolicyBinding;

const pluginName = 'MutatingAdmissionPolicy';

interface CompiledMutation {
  readonly type: Mutation['patchType'];
  readonly expression: Compiled;
}

interface CompiledPolicy {
  readonly variables: Compiler['variables'];
  readonly conditions: readonly MatchCondition[];
  readonly mutations: readonly CompiledMutation[];
}

export function compileMutations(spec: MutatingAdmissionPolicySpec): CompiledPolicy {
  const declared = { params: spec.paramKind !== undefined, authorizer: true };
  const conditions = new Compiler(declared, true);
  const patches = new Compiler({ ...declared, patchTypes: true }, true);
  for (const { name, expression } of listOf(spec.variables)) {
    conditions.addVariable(name, expression);
    patches.addVariable(name, expression);
  }
  return {
    variables: patches.variables,
    conditions: listOf(spec.matchConditions).map(({ name, expression }) => ({ name, ...conditions.compile(expression, t.BOOL) })),
    mutations: listOf(spec.mutations).map(({ patchType, jsonPatch, applyConfiguration }) => ({
      type: patchType,
      expression:
        patchType === 'JSONPatch'
          ? patches.compile(jsonPatch?.expression ?? '', t.listOf(JSON_PATCH))
          : patches.compile(applyConfiguration?.expression ?? '', OBJECT),
    })),
  };
}

/** There is no body to change in a DELETE. */
export function mutatingPolicies(tools: PolicyTools): AdmissionPlugin {
  const policies = new Policies<MutatingAdmissionPolicy, Binding, CompiledPolicy>(tools, {
    policy: MutatingAdmissionPolicy,
    binding: MutatingAdmissionPolicyBinding,
    compile: ({ spec }) => compileMutations(spec),
  });
  return {
    name: pluginName,
    revision: () => policies.revision(),
    handles: (kind, operation, subresource) => operation !== 'DELETE' && policies.possible({ kind, operation, subresource }).length > 0,
    async admit(request) {
      const work = new Mutating(tools, request);
      const invocations = policies.concerning(request).flatMap((concern) => work.plan(concern));
      for (const invocation of invocations) await work.run(invocation);
      return work.finish();
    },
  };
}

type MutatingConcern = Concern<MutatingAdmissionPolicy, Binding, CompiledPolicy>;

/** A mutation that does not come about. */
class MutationFault extends Error {
  override readonly name = 'MutationFault';
}

class Mutating {
  readonly #tools: PolicyTools;
  readonly #request: AdmissionRequest;
  readonly #asked: PolicyRequest;
  readonly #callees;
  readonly #faults: { readonly message: string; readonly reason: string }[] = [];
  #object: KubeObject | undefined;

  constructor(tools: PolicyTools, request: AdmissionRequest) {
    this.#tools = tools;
    this.#request = request;
    this.#asked = new PolicyRequest(tools, request);
    this.#callees = request.reinvocation?.calleesOf(pluginName, request.object);
    this.#object = request.object;
  }

  /** What is to be run, for each binding and parameter. What keeps it from that is told first. */
  plan({ policy, kind, bindings }: MutatingConcern): readonly Invocation[] {
    const { spec, metadata } = policy.policy;
    const fault = (who: string, why: string, reason = ''): void => {
      const message = `policy ${who} denied request: ${why}`;
      if (spec.failurePolicy !== 'Ignore') this.#faults.push({ message, reason });
    };
    const paramKind = ifConfigured(
      () => ({ kind: paramKindOf(this.#tools, policy.policy) }),
      (why) => fault(JSON.stringify(metadata.name), `failed to configure policy: ${why}`),
    );
    return (paramKind ? bindings : []).flatMap((binding) => {
      const who = `'${metadata.name}' with binding '${binding.metadata.name}'`;
      const found = ifConfigured(
        () => collectParams(this.#tools, { kind: paramKind?.kind, paramRef: binding.spec.paramRef }, this.#request),
        (why) => fault(who, `failed to configure binding: ${why}`),
      );
      return (found ?? []).map((params) => ({
        subject: { policy: metadata.name ?? '', binding: binding.metadata.name ?? '' },
        compiled: policy.compiled,
        kind,
        params,
        callee: JSON.stringify([metadata.name, binding.metadata.name, params?.metadata.namespace, params?.metadata.name]),
        reinvoke: spec.reinvocationPolicy === 'IfNeeded',
        fault: (why) => fault(who, why, 'Invalid'),
      }));
    });
  }

  /** The object in the end. Throws what the policies refuse. */
  finish(): KubeObject | undefined {
    this.#callees?.leaves(this.#object);
    const [first] = this.#faults;
    if (!first) return this.#object;
    const { status } = refused(
      this.#request,
      'admission request denied by policy',
      this.#faults.map(({ message }) => ({ message })),
    );
    throw new StatusError({ ...status, message: first.message, reason: first.reason || (status.reason ?? '') });
  }

  async run({ subject, compiled, kind, params, callee, reinvoke, fault }: Invocation): Promise<void> {
    const { oldObject, kind: from } = this.#request;
    const old = oldObject && (await inKind(oldObject, from, kind));
    let object = this.#object && (await inKind(this.#object, from, kind));
    const before = object;
    const inputs = (): Inputs => this.#asked.inputs({ kind, object, oldObject: old, params });
    if (compiled.conditions.length > 0) {
      const [match, seconds] = await this.#asked.take(timed(matchConditions(compiled.conditions, inputs(), compiled.variables)));
      this.#asked.matching(subject.policy, 'admit')(seconds, match);
      if ('error' in match) return fault(match.error);
      if (!match.matches) return;
    }
    if (this.#callees?.isToAsk(callee) === false) return;
    for (const mutation of object ? compiled.mutations : []) {
      const startMs = realClock.monotonic();
      const count = (error: ExpressionError): void =>
        this.#tools.metrics.mutated(subject, { error, seconds: (realClock.monotonic() - startMs) / msPerSecond });
      try {
        object = await this.#mutate(kind, object as KubeObject, mutation, new Evaluation(inputs(), POLICY_BUDGET, compiled.variables));
        count('no_error');
      } catch (error) {
        count(expressionErrorOf(messageOf(error)));
        if (!(error instanceof MutationFault)) throw error;
        fault(error.message);
      }
    }
    const changed = object !== before && !equalSemantically(before, object);
    if (changed && object) this.#object = await inKind(object, kind, from);
    this.#callees?.asked(callee, { changed, reinvoke });
  }

  async #mutate(kind: Kind, object: KubeObject, { type, expression }: CompiledMutation, evaluation: Evaluation): Promise<KubeObject> {
    const document = await this.#asked.take(documentOf(evaluation, type, expression));
    const isLarge = this.#request.isLarge ?? false;
    const changed =
      type === 'JSONPatch' ? await patch(object, document as ReturnType<typeof patchOf>, isLarge) : merge(kind, object, document);
    if (changed === object) return object;
    return await decode(kind, changed, { isPatched: type === 'JSONPatch', subresource: this.#request.subresource, isLarge });
  }
}

const msPerSecond = 1000;

interface Invocation {
  readonly subject: PolicySubject;
  readonly compiled: CompiledPolicy;
  readonly kind: Kind;
  readonly params: KubeObject | undefined;
  readonly callee: string;
  readonly reinvoke: boolean;
  readonly fault: (why: string) => void;
}

/** What the expression makes: an apply configuration, or the operations of a patch. */
function* documentOf(evaluation: Evaluation, type: Mutation['patchType'], expression: Compiled): Asking<object> {
  try {
    const result = yield* evaluation.run(expression);
    if ('error' in result) throw new MutationFault(result.error);
    return type === 'JSONPatch' ? patchOf(result.value) : applyConfigurationOf(result.value);
  } catch (error) {
    if (error instanceof OutOfBudget || error instanceof CelError) throw new MutationFault(error.message);
    throw error;
  }
}

/** A test that fails leaves the object as it is. */
async function patch(object: KubeObject, operations: ReturnType<typeof patchOf>, isLarge: boolean): Promise<unknown> {
  try {
    return await takeInTurns(applyJsonPatch(object, operations), isLarge);
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    if (operations.some(({ op }) => op === 'test') && error.message.startsWith('testing ')) return object;
    throw new MutationFault(`JSON Patch: ${error.message}`);
  }
}

/** What is shown of a subresource under another kind has no type here, as upstream. */
function merge({ schema, kind, ...type }: Kind, object: KubeObject, configuration: object): unknown {
  if (object.kind !== kind || object.apiVersion !== apiVersionOf(type)) {
    const [version = '', group = ''] = object.apiVersion.split('/').toReversed();
    const what = describeType({ group, version, kind: object.kind });
    throw new MutationFault(`error applying patch: failed to convert patch object to typed object: no corresponding type for ${what}`);
  }
  const applied = { ...configuration, apiVersion: object.apiVersion, kind: object.kind };
  try {
    checkTyped(schema, applied);
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    throw new MutationFault(`error applying patch: failed to convert patch object to typed object: ${error.message}`);
  }
  const atomics = findAtomics(schema, applied);
  if (atomics.length > 0) {
    throw new MutationFault(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    );
  }
  try {
    return takeSteps(mergeObjects(schema, object, applied));
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    throw new MutationFault(`error applying patch: failed to merge patch: ${error.message}`);
  }
}

interface Made {
  readonly isPatched: boolean;
  readonly subresource: string | undefined;
  readonly isLarge: boolean;
}

/** A patch may make what can't be decoded: that is told as it is. Of a custom resource, unknown fields are dropped. */
async function decode(kind: Kind, changed: unknown, { isPatched, subresource, isLarge }: Made): Promise<KubeObject> {
  const type = shownType(kind, subresource);
  try {
    return await decodeChanged(changed, { kind, type, fieldValidation: type.schema.custom ? 'Ignore' : 'Strict', isLarge });
  } catch (error) {
    if (!isStatusError(error)) throw error;
    const why = whyUndecodable(error);
    if (why === undefined) throw error;
    if (isPatched) throw errors.internal(why);
    throw new MutationFault(`unable to convert unstructured object to ${describeType(type)}: ${why}`);
  }
}

const describeType = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version}, Kind=${kind}`;
