/**
 * POSTs that a function answers instead of the store: reviews, tokens, bindings, evictions. The body is decoded,
 * defaulted and admitted like any object. Upstream: rest.NamedCreater and the review resources of pkg/registry.
 */
import { own } from '../../../api/meta/words.ts';
import { admissionRequest } from '../admission/admission-request.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { FunctionEndpoint, ResourceRequest } from '../request/api-request.ts';
import { isLarge, rest } from '../request/rest.ts';
import { expectedNamespace } from '../write/check-name.ts';
import type { Core } from '../write/core.ts';
import { decodeBodyAs } from '../write/decode.ts';

export async function callFunction(core: Core, request: ResourceRequest, endpoint: FunctionEndpoint): Promise<ResourceAnswer> {
  const { kind, subresource, namespace, name } = request.target;
  const given = await decodeBodyAs(request, (subresource && own(kind.subresources, subresource)?.kind) || kind);
  const large = isLarge(request);
  if (large) await rest();
  const inNamespace = expectedNamespace(request, given.metadata.namespace);
  const decoded = inNamespace ? { ...given, metadata: { ...given.metadata, namespace: inNamespace } } : given;
  const admission = { ...admissionRequest(request, 'CREATE', name ?? decoded.metadata.name ?? '', request.dryRun), object: decoded };
  const body = await core.admission.admit(admission);
  await core.admission.validate({ ...admission, object: body });
  if (large) await rest();
  const at = { ...(namespace !== undefined && { namespace }), name: name ?? body.metadata.name ?? '' };
  const object = await endpoint.handle({ request, at, body });
  return { type: 'value', code: 201, object };
}
