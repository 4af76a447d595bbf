/**
 * Subresources that take over the connection or stream their answer: log, exec, attach, portforward, proxy. What the
 * client asks for is admitted; the endpoint does the rest when it is run.
 * Upstream: apiserver/pkg/endpoints/handlers/rest.go (ConnectResource), pkg/registry/core/pod/rest/subresources.go.
 */
import { errors } from '../../../api/meta/status-error.ts';
import { own, put } from '../../../api/meta/words.ts';
import type { GroupVersionKind } from '../../../api/schema/types.ts';
import type { AdmissionChain } from '../admission/admission-chain.ts';
import type { Answer } from '../request/answer.ts';
import type { ApiRequest, ConnectTarget } from '../request/api-request.ts';
import type { AdmissionRequest } from '../request/request.ts';

const switchingProtocols = 101;

export async function connect(admission: AdmissionChain, request: ApiRequest<ConnectTarget>): Promise<Answer> {
  const { target, user } = request;
  const { kind, at, subresource, endpoint, upgrade } = target;
  const { method = 'GET' } = target.request;
  if (!endpoint.methods.includes(method)) throw errors.methodNotAllowed(kind, method.toLowerCase());
  const asked: AdmissionRequest = {
    operation: 'CONNECT',
    kind,
    subresource,
    ...at,
    user,
    options: optionsOf(target.query, own(kind.subresources, subresource)?.kind),
    dryRun: false,
    signal: request.signal,
    warn: (message) => request.warn(message),
    annotate: (key, value) => request.annotate(key, value),
    annotateDetail: (key, value) => request.annotateDetail(key, value),
  };
  await admission.admitOperation(asked);
  await admission.validate(asked);
  return { type: 'connection', code: upgrade ? switchingProtocols : 200, run: () => endpoint.handle(target) };
}

/** PodExecOptions and the like, as admission sees them: one value per parameter, lists where there are several. */
function optionsOf(query: URLSearchParams, kind: GroupVersionKind | undefined): unknown {
  const options: Record<string, unknown> = kind
    ? { kind: kind.kind, apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version }
    : {};
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    put(options, name, values.length > 1 ? values : values[0]);
  }
  return options;
}
