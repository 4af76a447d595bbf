/**
 * Subresources that take over the connection or stream their answer: log, exec, attach, portforward, proxy. What the
 * client asks for is admitted; the endpoint does the rest when it is run.
 * Upstream: apiserver/pkg/endpoints/handlers/rest.go (ConnectResource), pkg/registry/core/pod/rest/subresources.go.
 */
import { apiVersionOf } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { own, put } from '../../../api/meta/words.ts';
import type { AdmissionChain } from '../admission/admission-chain.ts';
import type { Answer } from '../request/answer.ts';
import type { ApiRequest, ConnectTarget, OptionTypes } from '../request/api-request.ts';
import type { AdmissionRequest } from '../request/request.ts';

const switchingProtocols = 101;

export async function connect(admission: AdmissionChain, request: ApiRequest<ConnectTarget>): Promise<Answer> {
  const { target } = request;
  const { kind, endpoint, upgrade } = target;
  const { method = 'GET' } = target.request;
  if (!endpoint.methods.includes(method)) throw errors.methodNotAllowed(kind, method.toLowerCase());
  if (endpoint.parameters) await admit(admission, request, endpoint.parameters);
  return { type: 'connection', code: upgrade ? switchingProtocols : 200, run: () => endpoint.handle(target) };
}

async function admit(admission: AdmissionChain, request: ApiRequest<ConnectTarget>, parameters: OptionTypes): Promise<void> {
  const { target, user } = request;
  const { kind, at, subresource } = target;
  const asked: AdmissionRequest = {
    operation: 'CONNECT',
    kind,
    subresource,
    ...at,
    user,
    options: optionsOf(target, parameters),
    dryRun: false,
    signal: request.signal,
    warn: (message) => request.warn(message),
    annotate: (key, value) => request.annotate(key, value),
    annotateDetail: (key, value) => request.annotateDetail(key, value),
  };
  await admission.admitOperation(asked);
  await admission.validate(asked);
}

/** PodExecOptions and the like. */
function optionsOf({ kind, subresource, query, rest }: ConnectTarget, parameters: OptionTypes): object {
  const type = own(kind.subresources, subresource)?.kind;
  const options: Record<string, unknown> = type ? { kind: type.kind, apiVersion: apiVersionOf(type) } : {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = parameter === 'rest' ? rest : readOption(query.getAll(name), parameter);
    if (value) put(options, name, value);
  }
  return options;
}

/** What is false, empty or absent is not said. */
function readOption(given: readonly string[], type: 'text' | 'texts' | 'flag' | 'numbers'): unknown {
  const [first] = given;
  if (first === undefined) return undefined;
  switch (type) {
    case 'text':
      return first;
    case 'texts':
      return given;
    case 'flag':
      return !['false', '0'].includes(first.toLowerCase());
    case 'numbers':
      return given.map(Number);
  }
}
