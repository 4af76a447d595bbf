/**
 * The policies of one kind with the bindings that put them into force, each compiled when a request first concerns it.
 * Read off the watch cache, so a policy counts from the request after its binding is stored.
 * Upstream: apiserver/pkg/admission/plugin/policy/{generic,matching}.
 */
import type { MatchResources, ParamKind, ParamRef } from '../../../../api/generated/admissionregistration-v1.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import type { KindRef, KubeObject } from '../../../../api/meta/object.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import { isExempt, matchedKind, type RuleSubject, selectorsOf } from '../webhooks/rules.ts';
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
  #possible = new WeakMap<Kind, Map<string, readonly Policy<P, B, C>[]>>();

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
  possible(subject: RuleSubject & { readonly kind: Kind }): readonly Policy<P, B, C>[] {
    this.#read();
    const { kind, operation, subresource = '' } = subject;
    let byOperation = this.#possible.get(kind);
    if (!byOperation) {
      byOperation = new Map();
      this.#possible.set(kind, byOperation);
    }
    const key = `${operation}/${subresource}`;
    let found = byOperation.get(key);
    if (!found) {
      found = isExempt(kind, 'policies')
        ? []
        : this.#policies.filter(({ policy }) => this.#kindFor(policy.spec.matchConstraints, { ...subject, name: undefined }));
      byOperation.set(key, found);
    }
    return found;
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

  #kindFor(
    match: MatchResources = anything,
    subject: RuleSubject & { readonly kind: Kind; readonly name?: string | undefined },
  ): Kind | undefined {
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
    this.#possible = new WeakMap();
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
