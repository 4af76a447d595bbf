/** PUT of an object or of one of its parts. Upstream: apiserver/pkg/endpoints/handlers/update.go. */
import { strategyOf } from '../../../api/kinds/update-strategy.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { checkName } from '../write/check-name.ts';
import { decodeObject, decodeScale } from '../write/decode.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { createObject } from './create.ts';
import { changeScale, checkScaleName } from './scale.ts';
import { updateObject } from './update-object.ts';

export async function update(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { kind, subresource, name = '' } = request.target;
  const served = server.kinds.of(kind);
  if (subresource === 'scale') {
    const scale = await decodeScale(request);
    checkScaleName(scale, request);
    return changeScale(server, request, () => ({ scale }));
  }
  const object = await decodeObject(request, kind);
  checkName(object, request);
  const strategy = strategyOf(kind, subresource);
  const stored = await updateObject(server, { served, request, name, strategy, transform: () => ({ object }) });
  if (stored) return { type: 'object', code: 200, stored: served.asServed(stored) };
  if (!kind.allowCreateOnUpdate || subresource) throw errors.notFound(kind, name);
  const created = await createObject(server, served, request, object);
  return { type: 'object', code: 201, stored: served.asServed(created) };
}
