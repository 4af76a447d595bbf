/**
 * Every pod runs as a service account: `default` when it names none. Its containers find the account's token, the
 * cluster's CA and their namespace below /var/run/secrets/kubernetes.io/serviceaccount, unless pod or account say no.
 * A new namespace gets its default account from a controller: pods created before are held for a moment.
 * Upstream: plugin/pkg/admission/serviceaccount/admission.go.
 */
import type { Container, PodSpec, Volume } from '../../../api/generated/core-v1.ts';
import { Pod, ServiceAccount } from '../../../api/generated/kinds.ts';
import { errors, isStatusError } from '../../../api/meta/status-error.ts';
import { rootCAConfigMap } from '../../../api/meta/well-known.ts';
import { mirrorAnnotation, podSecretNames } from '../../../api/predicates/pod-references.ts';
import type { AdmissionRequest } from '../request/request.ts';
import { refused } from './forbidden.ts';
import { mountableSecretsProblem } from './mountable-secrets.ts';
import type { AdmissionPlugin } from './plugin.ts';
import type { AdmissionTools } from './tools.ts';

const defaultAccount = 'default';
const defaultAccountWaitMs = 1000;
const volumePrefix = 'kube-api-access-';
const volumeSuffixLength = 5;
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const tokenLifeSeconds = 3607;
const projectedModeDefault = 0o644;
const enforceMountableAnnotation = 'kubernetes.io/enforce-mountable-secrets';

type Tools = Pick<AdmissionTools, 'reader' | 'loopback' | 'clock' | 'random'>;

export function serviceAccountPlugin(tools: Tools): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    handles: (kind, operation, subresource) =>
      kind.group === '' &&
      kind.resource === Pod.resource &&
      ((operation === 'CREATE' && !subresource) || (operation === 'UPDATE' && subresource === 'ephemeralcontainers')),
    async admit(request) {
      const pod = request.object as Pod;
      if (request.operation !== 'CREATE' || isMirror(pod)) return undefined;
      const name = pod.spec.serviceAccountName || defaultAccount;
      const account = await findAccount(tools, request, name);
      return { ...pod, spec: withAccount(pod.spec, account, () => tools.random.suffix(volumeSuffixLength)) } as Pod;
    },
    async validate(request) {
      const pod = request.object as Pod;
      if (isMirror(pod)) {
        if (request.operation === 'CREATE') checkMirrorPod(request, pod);
        return;
      }
      const name = pod.spec.serviceAccountName;
      if (!name) throw refused(request, `no service account specified for pod ${request.namespace ?? ''}/${pod.metadata.name}`);
      const account = await findAccount(tools, request, name);
      if (!isTrue(account.metadata.annotations?.[enforceMountableAnnotation])) return;
      const problem = mountableSecretsProblem(account, pod.spec, request.operation === 'UPDATE');
      if (problem) throw refused(request, problem);
    },
  };
}

const isMirror = (pod: Pod): boolean => pod.metadata.annotations?.[mirrorAnnotation] !== undefined;
const isTrue = (text: string | undefined): boolean => ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text ?? '');

async function findAccount(tools: Tools, request: AdmissionRequest, name: string): Promise<ServiceAccount> {
  const namespace = request.namespace ?? '';
  const known = tools.reader.get(ServiceAccount, { namespace, name });
  const found = known ?? (name === defaultAccount ? await awaitAccount(tools, namespace) : undefined);
  if (found) return found;
  const missing = errors.notFound({ group: '', resource: 'serviceaccount' }, name).message;
  throw refused(request, `error looking up service account ${namespace}/${name}: ${missing}`);
}

/** The default account of a namespace, when it comes in time. */
async function awaitAccount({ loopback, clock }: Tools, namespace: string): Promise<ServiceAccount | undefined> {
  const stop = new AbortController();
  using _timer = clock.setTimeout(() => stop.abort(), defaultAccountWaitMs);
  try {
    const events = loopback.watch(ServiceAccount, { namespace, fieldSelector: `metadata.name=${defaultAccount}`, signal: stop.signal });
    for await (const event of events) if (event.type === 'ADDED') return event.object;
  } catch (error) {
    if (!stop.signal.aborted || isStatusError(error)) throw error;
  } finally {
    stop.abort();
  }
  return undefined;
}

function withAccount(spec: PodSpec, account: ServiceAccount, suffix: () => string): PodSpec {
  const { name } = account.metadata;
  const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  const pullSecrets = spec.imagePullSecrets?.length
    ? spec.imagePullSecrets
    : account.imagePullSecrets?.map((ref) => ({ ...(ref.name && { name: ref.name }) }));
  return {
    ...spec,
    serviceAccountName: name,
    serviceAccount: name,
    ...(mounts && withToken(spec, suffix)),
    ...(pullSecrets?.length && { imagePullSecrets: pullSecrets }),
  };
}

function withToken(spec: PodSpec, suffix: () => string): Partial<PodSpec> {
  const known = spec.volumes?.find((volume) => volume.name.startsWith(volumePrefix))?.name;
  const name = known ?? volumePrefix + suffix();
  const lacks = (container: Container): boolean => !container.volumeMounts?.some((mount) => mount.mountPath === mountPath);
  const mount = (container: Container): Container =>
    lacks(container) ? { ...container, volumeMounts: [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }] } : container;
  if (![...(spec.initContainers ?? []), ...spec.containers].some(lacks)) return {};
  return {
    containers: spec.containers.map(mount),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(mount) }),
    ...(known === undefined && { volumes: [...(spec.volumes ?? []), tokenVolume(name)] }),
  };
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenLifeSeconds, path: 'token' } },
        { configMap: { name: rootCAConfigMap, items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
      defaultMode: projectedModeDefault,
    },
  };
}

function checkMirrorPod(request: AdmissionRequest, pod: Pod): void {
  if (pod.spec.serviceAccountName) throw refused(request, 'a mirror pod may not reference service accounts');
  if (podSecretNames(pod.spec).length > 0) throw refused(request, 'a mirror pod may not reference secrets');
  if (pod.spec.volumes?.some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken)))
    throw refused(request, 'a mirror pod may not use ServiceAccountToken volume projections');
}
