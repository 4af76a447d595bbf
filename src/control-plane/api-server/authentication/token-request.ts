/**
 * POST serviceaccounts/NAME/token: a token of that account, bound to a pod, secret or node where asked.
 * The tokens of pods get a year more than asked when the kubelet asks for its usual 3607 seconds: clients that do not
 * reload their token keep working, and `warnafter` tells who they are.
 * Upstream: pkg/registry/core/serviceaccount/storage/token.go, pkg/apis/authentication/validation.
 */
import type { BoundObjectReference, TokenRequest } from '../../../api/generated/authentication-v1.ts';
import { Node, Pod, Secret, ServiceAccount } from '../../../api/generated/kinds.ts';
import type { KindRef, KubeObject, ObjectName } from '../../../api/meta/object.ts';
import { errors, type FieldError, fieldErrors } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Clock } from '../../../client/clock.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { CreateCall, CreateEndpoint } from '../request/api-request.ts';
import type { ServiceAccountTokens, TokenBinding } from './service-account-tokens.ts';

const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
const lifeSecondsDefault = 3600;
const lifeSecondsMin = 600;
const lifeSecondsMax = 2 ** 32;
/** What the projected volumes of pods ask for. */
const warnOnlySeconds = 3607;
const extendedLifeSeconds = 365 * 24 * 3600;

export function tokenRequests(options: {
  readonly tokens: ServiceAccountTokens;
  readonly reader: ObjectReader;
  readonly audiences: readonly string[];
  readonly clock: Clock;
}): CreateEndpoint {
  const { tokens, reader, clock } = options;
  return {
    group: '',
    resource: ServiceAccount.resource,
    subresource: 'token',
    async handle(call) {
      const account = requestedAccount(reader, call);
      const given = call.body as unknown as TokenRequest;
      const audiences = given.spec?.audiences?.length ? given.spec.audiences : options.audiences;
      const lifeSeconds = given.spec?.expirationSeconds ?? lifeSecondsDefault;
      checkLife(lifeSeconds);
      const binding = given.spec?.boundObjectRef ? bind(reader, account, given.spec.boundObjectRef) : {};
      const extended = binding.pod && lifeSeconds === warnOnlySeconds && audiences.every((each) => options.audiences.includes(each));
      const token = tokens.issue({
        account,
        binding,
        audiences,
        lifeSeconds: extended ? extendedLifeSeconds : lifeSeconds,
        warnAfterSeconds: extended ? lifeSeconds : undefined,
      });
      const nowMs = clock.now();
      const { name, namespace, uid } = account.metadata;
      return {
        apiVersion: 'authentication.k8s.io/v1',
        kind: kind.kind,
        metadata: { name, namespace, uid, creationTimestamp: formatTime(nowMs) },
        spec: { ...given.spec, audiences, expirationSeconds: lifeSeconds },
        status: { token, expirationTimestamp: formatTime(nowMs + lifeSeconds * 1000) },
      } as KubeObject;
    },
  };
}

function requestedAccount(reader: ObjectReader, { at, body }: CreateCall): ServiceAccount {
  const { name, namespace, uid } = (body as unknown as TokenRequest).metadata ?? {};
  const mismatch: FieldError[] = [];
  if (name && name !== at.name)
    mismatch.push(fieldErrors.invalid('metadata.name', name, 'must match the service account name if specified'));
  else if (namespace && namespace !== at.namespace)
    mismatch.push(fieldErrors.invalid('metadata.namespace', namespace, 'must match the service account namespace if specified'));
  if (mismatch.length > 0) throw errors.invalid(kind, at.name, mismatch);
  const account = found(reader, ServiceAccount, at);
  if (!uid || uid === account.metadata.uid) return account;
  throw errors.conflict(
    { group: kind.group, resource: kind.kind },
    at.name,
    `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`,
  );
}

function checkLife(seconds: number): void {
  const path = 'spec.expirationSeconds';
  if (seconds < lifeSecondsMin)
    throw errors.invalid(kind, '', [fieldErrors.invalid(path, seconds, 'may not specify a duration less than 10 minutes')]);
  if (seconds > lifeSecondsMax)
    throw errors.invalid(kind, '', [fieldErrors.invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds')]);
}

function bind(reader: ObjectReader, account: ServiceAccount, ref: BoundObjectReference): TokenBinding {
  const { namespace, name } = account.metadata;
  const refName = ref.name ?? '';
  const isCore = (ref.apiVersion ?? '') === 'v1';
  if (isCore && ref.kind === 'Pod') {
    const pod = found(reader, Pod, { namespace, name: refName });
    if (pod.spec.serviceAccountName !== name)
      throw errors.badRequest(`cannot bind token for serviceaccount "${name}" to pod running with different serviceaccount name.`);
    checkUID(ref, pod);
    const { nodeName } = pod.spec;
    if (!nodeName) return { pod };
    return { pod, node: reader.get(Node, { name: nodeName }) ?? { metadata: { name: nodeName } } };
  }
  if (isCore && ref.kind === 'Node') return { node: checkUID(ref, found(reader, Node, { name: refName })) };
  if (isCore && ref.kind === 'Secret') return { secret: checkUID(ref, found(reader, Secret, { namespace, name: refName })) };
  const [group, version] = ref.apiVersion?.includes('/') ? ref.apiVersion.split('/') : ['', ref.apiVersion ?? ''];
  throw errors.badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${ref.kind ?? ''}`);
}

function checkUID<T extends KubeObject>(ref: BoundObjectReference, object: T): T {
  const { uid } = object.metadata;
  if (!ref.uid || ref.uid === uid) return object;
  throw errors.conflict(
    { group: '', resource: ref.kind ?? '' },
    ref.name ?? '',
    `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
  );
}

function found<T extends KubeObject>(reader: ObjectReader, kind: KindRef<T>, at: ObjectName): T {
  const object = reader.get(kind, at);
  if (!object) throw errors.notFound(kind, at.name);
  return object;
}
