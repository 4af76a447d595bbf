/**
 * The parameters that a binding gives to its policy: one object by name, or all that a selector finds; where it asks for
 * none, the policy runs once without. Messages are upstream's.
 * Upstream: apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go (CollectParams).
 */
import type { ParamKind } from '../../../../api/generated/admissionregistration-v1.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { labelMatcher } from '../../../../api/meta/selectors.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import type { BindingObject, PolicyObject } from './policies.ts';
import type { PolicyTools } from './policy-tools.ts';

/** What is wrong with a policy or its binding, whatever the request. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Throws ConfigurationError. `undefined` in the list: a run without parameters. An empty list: nothing is to be run. */
export function collectParams(
  tools: Pick<PolicyTools, 'reader' | 'served'>,
  policy: PolicyObject,
  { spec: { paramRef } }: BindingObject,
  request: AdmissionRequest,
): readonly (KubeObject | undefined)[] {
  const { paramKind } = policy.spec;
  if (!paramKind || !paramRef) return [undefined];
  const kind = kindOf(tools, paramKind);
  if (!kind) throw new ConfigurationError(`paramKind kind \`${describeKind(paramKind)}\` not known`);
  if (paramRef.namespace && !kind.namespaced)
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const namespace = kind.namespaced ? paramRef.namespace || request.namespace : undefined;
  if (kind.namespaced && !namespace)
    throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  const found = find(tools, kind, { ...paramRef, namespace });
  if (found.length === 0 && paramRef.parameterNotFoundAction === 'Deny')
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  return found;
}

interface Wanted {
  readonly namespace: string | undefined;
  readonly name?: string;
  readonly selector?: Parameters<typeof labelMatcher>[0];
}

function find({ reader }: Pick<PolicyTools, 'reader'>, kind: Kind, { namespace, name, selector }: Wanted): readonly KubeObject[] {
  if (name) {
    const one = reader.get(kind, { namespace, name });
    return one ? [one] : [];
  }
  const matcher = labelMatcher(selector);
  return [...reader.list(kind, namespace)].filter(({ metadata }) => matcher.matches(metadata.labels));
}

function kindOf({ served }: Pick<PolicyTools, 'served'>, { apiVersion = '', kind = '' }: ParamKind): Kind | undefined {
  const slash = apiVersion.indexOf('/');
  return served().byKind(slash < 0 ? '' : apiVersion.slice(0, slash), apiVersion.slice(slash + 1), kind);
}

/** As Go prints the structure. */
const describeKind = ({ apiVersion = '', kind = '' }: ParamKind): string => `&ParamKind{APIVersion:${apiVersion},Kind:${kind},}`;
