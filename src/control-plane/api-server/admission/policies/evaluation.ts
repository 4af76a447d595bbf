/**
 * What the expressions of a policy or webhook see of a request, and how an authorizer is asked for them.
 * Upstream: apiserver/pkg/admission/plugin/cel/condition.go, pkg/admission/plugin/authorizer.
 */
import type { Asking, Inputs, Match } from '../../../../api/cel/admission/expressions.ts';
import { type AccessCheck, type AccessDecision, Decisions, UndecidedCheck } from '../../../../api/cel/library/authorization.ts';
import { Namespace } from '../../../../api/generated/kinds.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import { isKind, type KubeObject } from '../../../../api/meta/object.ts';
import { errors, messageOf } from '../../../../api/meta/status-error.ts';
import { Pace } from '../../../../api/meta/steps.ts';
import { realClock } from '../../../../client/clock.ts';
import type { AdmissionRequest, UserInfo } from '../../request/request.ts';
import { serviceAccountGroups, serviceAccountUsername } from '../../request/user.ts';
import { yieldTurn } from '../../request/yield-turn.ts';
import { describeRequest } from '../webhooks/admission-review.ts';
import type { PolicyTools } from './policy-tools.ts';

const msPerSecond = 1000;

/** What comes of it, and how many seconds it took. */
export function* timed<T>(asking: Asking<T>): Asking<readonly [T, seconds: number]> {
  const startMs = realClock.monotonic();
  const made = yield* asking;
  return [made, (realClock.monotonic() - startMs) / msPerSecond];
}

export interface Seen {
  readonly kind: Kind;
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly params?: KubeObject | undefined;
}

/** Policies, bindings and parameters that are gone through in one turn: each may be compiled then. */
const policiesAtOnce = 40;

/** Of one request: what was decided for it is kept from one policy to the next. */
export class PolicyRequest {
  readonly #tools: PolicyTools;
  readonly #request: AdmissionRequest;
  readonly #decisions = new Decisions();
  readonly #pace = new Pace(policiesAtOnce);

  constructor(tools: PolicyTools, request: AdmissionRequest) {
    this.#tools = tools;
    this.#request = request;
  }

  /** `namespaceObject`: null for webhooks, whose conditions are not told it. */
  inputs({ kind, object, oldObject, params }: Seen, namespaceObject: Namespace | null | undefined = this.#namespace()): Inputs {
    const { operation, options } = this.#request;
    return {
      object: operation === 'CONNECT' ? options : (object ?? null),
      oldObject: oldObject ?? null,
      request: describeRequest(this.#request, kind),
      namespaceObject: namespaceObject ?? null,
      params: params ?? null,
      decisions: this.#decisions,
      requestResource: this.#requestResource(),
    };
  }

  /** Takes what evaluates: decides what it asks for, lets others have their turn where it is long. Throws when the request is gone. */
  async take<T>(asking: Asking<T>): Promise<T> {
    if (this.#pace.isDue()) await this.#rest();
    for (;;) {
      const { done, value } = asking.next();
      if (done) return value;
      if (value instanceof UndecidedCheck) this.#decisions.decide(value.key, await this.#decide(value.check));
      else await this.#rest();
    }
  }

  /** Counts what came of the match conditions of a policy. */
  matching(name: string, type: 'admit' | 'validate'): (seconds: number, match: Match) => void {
    const subject = { name, kind: 'policy', type, operation: this.#request.operation } as const;
    return (seconds, match) =>
      this.#tools.metrics.conditionsAsked(subject, { seconds, errors: 'error' in match ? match.failures : 0, excluded: false });
  }

  async #rest(): Promise<void> {
    await yieldTurn();
    if (this.#request.signal?.aborted) throw errors.timeout('request did not complete within requested timeout');
  }

  #namespace(): Namespace | undefined {
    const { kind, namespace } = this.#request;
    if (!namespace || isKind(kind, Namespace)) return undefined;
    const found = this.#tools.reader.get(Namespace, { name: namespace });
    if (!found) throw errors.notFound(Namespace, namespace);
    return found;
  }

  #requestResource(): Omit<AccessCheck, 'verb'> {
    const { kind, subresource, namespace, name } = this.#request;
    const { group, resource } = kind;
    return { group, resource, ...(subresource && { subresource }), ...(namespace && { namespace }), ...(name && { name }) };
  }

  async #decide({ serviceAccount, path, verb, ...what }: AccessCheck): Promise<AccessDecision> {
    const user = serviceAccount ? userOf(serviceAccount) : this.#request.user;
    const { group = '', resource = '', subresource, namespace, name, fieldSelector } = what;
    const asked =
      path === undefined
        ? { user, verb, path: '', resource: { group, version: '*', resource, subresource, namespace, name, fieldSelector } }
        : { user, verb, path };
    try {
      const { verdict, reason } = await this.#tools.authorize(asked);
      return { allowed: verdict === 'allow', reason };
    } catch (error) {
      return { allowed: false, reason: '', error: messageOf(error) };
    }
  }
}

const userOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo => ({
  name: serviceAccountUsername(namespace, name),
  groups: serviceAccountGroups(namespace),
});
