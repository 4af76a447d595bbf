/**
 * The policies of one kind with the bindings that put them into force, each compiled when a request first concerns it.
 * Read off the watch cache, so a policy counts from the request after its binding is stored.
 * Upstream: apiserver/pkg/admission/plugin/policy/{generic,matching}.
 */
import type { MatchResources, ParamKind, ParamRef } from '../../../../api/generated/admissionregistration-v1.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import type { KindRef, KubeObject } from '../../../../api/meta/object.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import { type OperationSubject, PerOperation } from '../per-operation.ts';
import { isExempt, matchedKind, selectorsOf } from '../webhooks/rules.ts';
import type { PolicyTools } from './policy-tools.ts';

export interface PolicyObject extends KubeObject {
  readonly spec: {
    readonly failurePolicy?: string;
    readonly matchConstraints?: MatchResources;
    readonly paramKind?: ParamKind;
  };
}

export interface BindingObject extends KubeObject {
  readonly spec: { readonly policyName?: string; readonly paramRef?: ParamRef; readonly matchResources?: MatchResources };
}

type Selects = ReturnType<typeof selectorsOf>;

export interface Bound<B extends BindingObject> {
  readonly binding: B;
  readonly selects: Selects;
}

/** A policy that is in force. */
export interface Policy<P extends PolicyObject, B extends BindingObject, C> {
  readonly policy: P;
  readonly bindings: readonly Bound<B>[];
  readonly selects: Selects;
  /** made at its first use */
  readonly compiled: C;
}

/** A policy that a request concerns: the version in which it sees the object, and those of its bindings that count. */
export interface Concern<P extends PolicyObject, B extends BindingObject, C> {
  readonly policy: Policy<P, B, C>;
  readonly kind: Kind;
  readonly bindings: readonly B[];
}

export interface PolicyKinds<P extends PolicyObject, B extends BindingObject, C> {
  readonly policy: KindRef<P>;
  readonly binding: KindRef<B>;
  compile(policy: P): C;
}

const anything: MatchResources = {};

export class Policies<P extends PolicyObject, B extends BindingObject, C> {
  readonly #tools: PolicyTools;
  readonly #kinds: PolicyKinds<P, B, C>;
  #revision = -1;
  #policies: readonly Policy<P, B, C>[] = [];
  readonly #compiled = new WeakMap<P, C>();
  readonly #possible = new PerOperation((subject) => this.#find(subject));

  constructor(tools: PolicyTools, kinds: PolicyKinds<P, B, C>) {
    this.#tools = tools;
    this.#kinds = kinds;
  }

  /** Changes with the policies and their bindings. */
  revision(): number {
    const { reader } = this.#tools;
    return reader.revision(this.#kinds.policy) + reader.revision(this.#kinds.binding);
  }

  /** Those that a request of this sort may concern, whatever its names and labels. */
  possible(subject: OperationSubject): readonly Policy<P, B, C>[] {
    this.#read();
    return this.#possible.of(subject);
  }

  #find(subject: OperationSubject): readonly Policy<P, B, C>[] {
    if (isExempt(subject.kind, 'policies')) return [];
    return this.#policies.filter(({ policy }) => this.#kindFor(policy.spec.matchConstraints, { ...subject, name: undefined }));
  }

  /** Those that this request concerns, also where no binding of theirs does. Throws what it is refused with when its namespace is gone. */
  concerning(request: AdmissionRequest): readonly Concern<P, B, C>[] {
    const { reader } = this.#tools;
    return this.possible(request).flatMap((policy) => {
      const kind = policy.selects(request, reader) ? this.#kindFor(policy.policy.spec.matchConstraints, request) : undefined;
      if (!kind) return [];
      const bindings = policy.bindings.filter(
        ({ binding, selects }) => selects(request, reader) && this.#kindFor(binding.spec.matchResources, request),
      );
      return [{ policy, kind, bindings: bindings.map(({ binding }) => binding) }];
    });
  }

  #kindFor(match: MatchResources = anything, subject: OperationSubject & { readonly name?: string | undefined }): Kind | undefined {
    return matchedKind(match, subject, this.#tools.served());
  }

  #read(): void {
    const revision = this.revision();
    if (revision === this.#revision) return;
    const { reader } = this.#tools;
    const bindings = Map.groupBy(inOrder(reader.list(this.#kinds.binding)), ({ spec }) => spec.policyName ?? '');
    this.#policies = inOrder(reader.list(this.#kinds.policy)).flatMap((policy) => {
      const own = bindings.get(policy.metadata.name ?? '') ?? [];
      if (own.length === 0) return [];
      const bound = own.map((binding) => ({ binding, selects: selectorsOf(binding.spec.matchResources ?? anything) }));
      return [this.#policyOf(policy, bound)];
    });
    this.#possible.clear();
    this.#revision = revision;
  }

  #policyOf(policy: P, bindings: readonly Bound<B>[]): Policy<P, B, C> {
    const compile = (): C => this.#compiled.getOrInsertComputed(policy, () => this.#kinds.compile(policy));
    return {
      policy,
      bindings,
      selects: selectorsOf(policy.spec.matchConstraints ?? anything),
      get compiled() {
        return compile();
      },
    };
  }
}

const inOrder = <T extends KubeObject>(objects: Iterable<T>): T[] =>
  [...objects].toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
