/**
 * The parameters that a binding gives to its policy: one object by name, or all that a selector finds; where it asks for
 * none, the policy runs once without. Messages are upstream's.
 * Upstream: apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go (CollectParams).
 */
import type { ParamRef } from '../../../../api/generated/admissionregistration-v1.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { labelMatcher } from '../../../../api/meta/selectors.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import type { PolicyObject } from './policies.ts';
import type { PolicyTools } from './policy-tools.ts';

/** What is wrong with a policy or its binding, whatever the request. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** What `read` gives, unless something is wrong with the configuration: that is told. */
export function ifConfigured<T>(read: () => T, tell: (why: string) => void): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    tell(error.message);
    return undefined;
  }
}

/** The kind of a policy's parameters; undefined: it has none. Throws ConfigurationError, which no binding can mend. */
export function paramKindOf({ served }: Pick<PolicyTools, 'served'>, { spec: { paramKind } }: PolicyObject): Kind | undefined {
  if (!paramKind) return undefined;
  const { apiVersion = '', kind = '' } = paramKind;
  const found = served().byApiVersion(apiVersion, kind);
  if (found) return found;
  const version = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  throw new ConfigurationError(`failed to find resource referenced by paramKind: '${version}, Kind=${kind}'`);
}

interface Asked {
  readonly kind: Kind | undefined;
  readonly paramRef: ParamRef | undefined;
}

/** Throws ConfigurationError. `undefined` in the list: a run without parameters. An empty list: nothing is to be run. */
export function collectParams(
  tools: Pick<PolicyTools, 'reader'>,
  { kind, paramRef }: Asked,
  request: Pick<AdmissionRequest, 'namespace'>,
): readonly (KubeObject | undefined)[] {
  if (!kind || !paramRef) return [undefined];
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
