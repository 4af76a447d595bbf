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
import { withDefaults, withNames } from '../../../../api/kinds/write-steps.ts';
import { equalSemantically } from '../../../../api/meta/deep-equal.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { errors, StatusError } from '../../../../api/meta/status-error.ts';
import { own } from '../../../../api/meta/words.ts';
import { decodeBody } from '../../../../api/schema/body.ts';
import { applyJsonPatch, JsonPatchError } from '../../../../api/schema/json-patch.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import { takeInTurns } from '../../request/yield-turn.ts';
import { refused } from '../forbidden.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { inVersion } from '../webhooks/shown-objects.ts';
import { findAtomics } from './atomics.ts';
import { PolicyRequest } from './evaluation.ts';
import { ConfigurationError, collectParams } from './params.ts';
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
      for (const concern of policies.concerning(request)) await work.run(concern);
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

  async run({ policy, kind, bindings }: MutatingConcern): Promise<void> {
    const { spec, metadata } = policy.policy;
    const strict = spec.failurePolicy !== 'Ignore';
    for (const binding of bindings) {
      const fault = (why: string, reason: string): void => {
        const message = `policy '${metadata.name}' with binding '${binding.metadata.name}' denied request: ${why}`;
        if (strict) this.#faults.push({ message, reason });
      };
      try {
        for (const params of collectParams(this.#tools, policy.policy, binding, this.#request)) {
          const callee = JSON.stringify([metadata.name, binding.metadata.name, params?.metadata.namespace, params?.metadata.name]);
          await this.#invoke(policy.compiled, { kind, params, callee, reinvoke: spec.reinvocationPolicy === 'IfNeeded', fault });
        }
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        fault(`failed to configure binding: ${error.message}`, '');
      }
    }
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

  async #invoke(compiled: CompiledPolicy, { kind, params, callee, reinvoke, fault }: Invocation): Promise<void> {
    const { oldObject, kind: from } = this.#request;
    const old = oldObject && (await inVersion(oldObject, from, kind));
    let object = this.#object && (await inVersion(this.#object, from, kind));
    const before = object;
    const inputs = (): Inputs => this.#asked.inputs({ kind, object, oldObject: old, params });
    const match = await this.#asked.decided(() => matchConditions(compiled.conditions, inputs(), compiled.variables));
    if ('error' in match) return fault(match.error, 'Invalid');
    if (!match.matches || this.#callees?.isToAsk(callee) === false) return;
    for (const mutation of object ? compiled.mutations : []) {
      try {
        object = await this.#mutate(
          kind,
          object as KubeObject,
          mutation,
          () => new Evaluation(inputs(), POLICY_BUDGET, compiled.variables),
        );
      } catch (error) {
        if (!(error instanceof MutationFault)) throw error;
        fault(error.message, 'Invalid');
      }
    }
    const changed = object !== before && !equalSemantically(before, object);
    if (changed && object) this.#object = await inVersion(object, kind, from);
    this.#callees?.asked(callee, { changed, reinvoke });
  }

  async #mutate(kind: Kind, object: KubeObject, { type, expression }: CompiledMutation, evaluation: () => Evaluation): Promise<KubeObject> {
    const document = await this.#asked.decided(() => {
      try {
        const result = evaluation().run(expression);
        if ('error' in result) throw new MutationFault(result.error);
        return type === 'JSONPatch' ? patchOf(result.value) : applyConfigurationOf(result.value);
      } catch (error) {
        if (error instanceof OutOfBudget || error instanceof CelError) throw new MutationFault(error.message);
        throw error;
      }
    });
    const isLarge = this.#request.isLarge ?? false;
    const changed =
      type === 'JSONPatch' ? await patch(object, document as ReturnType<typeof patchOf>, isLarge) : merge(kind, object, document);
    if (changed === object) return object;
    return await decode(kind, changed, { subresource: this.#request.subresource, isLarge });
  }
}

interface Invocation {
  readonly kind: Kind;
  readonly params: KubeObject | undefined;
  readonly callee: string;
  readonly reinvoke: boolean;
  readonly fault: (why: string, reason: string) => void;
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

function merge({ schema }: Kind, object: KubeObject, configuration: object): unknown {
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
    return mergeObjects(schema, object, applied);
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    throw new MutationFault(`error applying patch: failed to merge patch: ${error.message}`);
  }
}

async function decode(
  kind: Kind,
  changed: unknown,
  { subresource, isLarge }: { subresource: string | undefined; isLarge: boolean },
): Promise<KubeObject> {
  const ownType = subresource ? own(kind.subresources, subresource)?.kind : undefined;
  if (ownType && (ownType.group !== kind.group || ownType.kind !== kind.kind))
    throw new MutationFault(`Resource kind ${ownType.group}/${ownType.version}, Kind=${ownType.kind} not found.`);
  try {
    const { object } = decodeBody(kind, changed as Record<string, unknown>, { fieldValidation: 'Strict' });
    return await takeInTurns(withDefaults(kind, withNames(object, kind)), isLarge);
  } catch (error) {
    throw errors.internal(error instanceof Error ? error.message : String(error));
  }
}
