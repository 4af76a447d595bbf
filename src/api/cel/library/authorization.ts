/**
 * `authorizer.group('apps').resource('deployments').check('create').allowed()` (apiserver/pkg/cel/library/authz.go).
 *
 * An authorizer may have to wait, an expression can't: a check looks its decision up in what was decided before, and when it
 * is not there the evaluation ends (`UndecidedCheck`), the caller decides that one check and evaluates again. Checks are few:
 * their price allows two in an expression.
 */

import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../meta/names.ts';
import { type Declaration, method } from '../environment.ts';
import type { Type } from '../types.ts';
import * as t from '../types.ts';
import { CelError, Foreign, type Value } from '../values.ts';

export const AUTHORIZER = t.struct('kubernetes.authorization.Authorizer');
const PATH_CHECK = t.struct('kubernetes.authorization.PathCheck');
const GROUP_CHECK = t.struct('kubernetes.authorization.GroupCheck');
export const RESOURCE_CHECK = t.struct('kubernetes.authorization.ResourceCheck');
const DECISION = t.struct('kubernetes.authorization.Decision');

/** What is asked. With a `serviceAccount` it is asked for that one instead of the request's user. */
export interface AccessCheck {
  readonly serviceAccount?: { readonly namespace: string; readonly name: string } | undefined;
  readonly path?: string | undefined;
  readonly group?: string | undefined;
  readonly resource?: string | undefined;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly verb: string;
}

export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason: string;
  /** the authorizer failed */
  readonly error?: string | undefined;
}

/** Thrown out of an evaluation: this check has to be decided first. */
export class UndecidedCheck {
  readonly check: AccessCheck;
  readonly key: string;
  constructor(check: AccessCheck, key: string) {
    this.check = check;
    this.key = key;
  }
}

/** Decisions of one request, by check. */
export class Decisions {
  readonly #made = new Map<string, AccessDecision>();
  decide(key: string, decision: AccessDecision): void {
    this.#made.set(key, decision);
  }
  of(check: AccessCheck): AccessDecision {
    const key = JSON.stringify(check);
    const made = this.#made.get(key);
    if (!made) throw new UndecidedCheck(check, key);
    return made;
  }
}

/** An authorizer, or a check that is being put together. */
class Check extends Foreign {
  readonly type: Type;
  readonly decisions: Decisions;
  readonly parts: Omit<AccessCheck, 'verb'>;
  constructor(type: Type, decisions: Decisions, parts: Omit<AccessCheck, 'verb'>) {
    super();
    this.type = type;
    this.decisions = decisions;
    this.parts = parts;
  }
  override get typeName(): string {
    return this.type.name;
  }
  override equals(other: Value): boolean {
    return other instanceof Check && other.type === this.type;
  }
  with(type: Type, parts: Omit<AccessCheck, 'verb'>): Check {
    return new Check(type, this.decisions, { ...this.parts, ...parts });
  }
}

class Decision extends Foreign {
  override readonly typeName = DECISION.name;
  readonly made: AccessDecision;
  constructor(made: AccessDecision) {
    super();
    this.made = made;
  }
  override equals(other: Value): boolean {
    return other instanceof Decision;
  }
}

/** The value of the variable `authorizer`. */
export function authorizerValue(decisions: Decisions): Value {
  return new Check(AUTHORIZER, decisions, {});
}

/** The value of `authorizer.requestResource`. */
export function requestResourceValue(decisions: Decisions, resource: Omit<AccessCheck, 'verb'>): Value {
  return new Check(RESOURCE_CHECK, decisions, resource);
}

function builder(name: string, id: string, from: Type, to: Type, parts: (word: string) => Omit<AccessCheck, 'verb'>): Declaration {
  return method(name, id, [from, t.STRING], to, (check, word) => (check as Check).with(to, parts(word as string)));
}

function required(word: string, what: string): string {
  if (word.trim() === '') throw new CelError(`${what} must not be empty`);
  return word;
}

function reader(name: string, type: Type, read: (made: AccessDecision) => Value): Declaration {
  return method(name, `decision_${name}`, [DECISION], type, (decision) => read((decision as Decision).made));
}

const decide = (check: Value, verb: Value): Value => {
  const { decisions, parts } = check as Check;
  return new Decision(decisions.of({ ...parts, verb: verb as string }));
};

export const authorizationLibrary: readonly Declaration[] = [
  builder('path', 'authorizer_path', AUTHORIZER, PATH_CHECK, (path) => ({ path: required(path, 'path') })),
  builder('group', 'authorizer_group', AUTHORIZER, GROUP_CHECK, (group) => ({ group })),
  builder('resource', 'groupcheck_resource', GROUP_CHECK, RESOURCE_CHECK, (resource) => ({ resource: required(resource, 'resource') })),
  ...(['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const).map((name) =>
    builder(name, `resourcecheck_${name}`, RESOURCE_CHECK, RESOURCE_CHECK, (word) => ({ [name]: word })),
  ),
  method('serviceAccount', 'authorizer_serviceaccount', [AUTHORIZER, t.STRING, t.STRING], AUTHORIZER, (check, namespace, name) => {
    if (nameIsDnsSubdomain(name as string, false).length > 0) throw new CelError('Invalid service account name');
    if (nameIsDnsLabel(namespace as string, false).length > 0) throw new CelError('Invalid service account namespace');
    return (check as Check).with(AUTHORIZER, { serviceAccount: { namespace: namespace as string, name: name as string } });
  }),
  method('check', 'pathcheck_check', [PATH_CHECK, t.STRING], DECISION, decide),
  method('check', 'resourcecheck_check', [RESOURCE_CHECK, t.STRING], DECISION, decide),
  reader('allowed', t.BOOL, (made) => made.allowed),
  reader('reason', t.STRING, (made) => made.reason),
  reader('errored', t.BOOL, (made) => made.error !== undefined),
  reader('error', t.STRING, (made) => made.error ?? ''),
];
