/**
 * POSTs that code answers instead of the store: reviews, tokens, bindings, evictions. The body is decoded,
 * defaulted and admitted like any object. Upstream: rest.NamedCreater and the review resources of pkg/registry.
 */
import { own } from '../../../api/meta/words.ts';
import { admissionRequest } from '../admission/admission-request.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { CreateEndpoint, ResourceRequest } from '../request/api-request.ts';
import { isLarge, yieldTurn } from '../request/yield-turn.ts';
import { expectedNamespace } from '../write/check-name.ts';
import { decodeBodyAs } from '../write/decode.ts';
import type { VerbContext } from '../write/verb-context.ts';

export async function callCreateEndpoint(server: VerbContext, request: ResourceRequest, endpoint: CreateEndpoint): Promise<ResourceAnswer> {
  const { kind, subresource, namespace, name } = request.target;
  const given = await decodeBodyAs(request, (subresource && own(kind.subresources, subresource)?.kind) || kind);
  const large = isLarge(request);
  if (large) await yieldTurn();
  const inNamespace = expectedNamespace(request, given.metadata.namespace);
  const decoded = inNamespace ? { ...given, metadata: { ...given.metadata, namespace: inNamespace } } : given;
  const admission = { ...admissionRequest(request, 'CREATE', name ?? decoded.metadata.name ?? '', request.dryRun), object: decoded };
  const body = await server.admission.admit(admission);
  await server.admission.validate({ ...admission, object: body });
  if (large) await yieldTurn();
  const at = { namespace, name: name ?? body.metadata.name ?? '' };
  const object = await endpoint.handle({ request, at, body });
  return { type: 'value', code: 201, object };
}
