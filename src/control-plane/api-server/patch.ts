/**
 * PATCH: the current object, changed as the patch says, goes the way of an update. A lost race is retried with the
 * newer object unless the patch itself names a resourceVersion.
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go.
 */
import type { Scale } from '../../api/generated/autoscaling-v1.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import { bodyTypeOf } from '../../api/schema/body.ts';
import { applyPatch } from './apply-patch.ts';
import { checkName } from './check-name.ts';
import type { Core } from './core.ts';
import { decodePatched, readPatch, scaleType } from './decode.ts';
import { guaranteedUpdate } from './guaranteed-update.ts';
import { unsupportedPatch } from './refusals.ts';
import type { Answer, ResourceRequest } from './resource-request.ts';
import { changeScale } from './scale.ts';
import { strategyOf } from './subresources.ts';

export async function patch(core: Core, request: ResourceRequest): Promise<Answer> {
  const { kind, subresource, name = '' } = request;
  const patchType = request.body?.patchType?.();
  if (!patchType) throw errors.badRequest('a patch needs a body');
  if (patchType === 'apply') throw unsupportedPatch();
  const body = await readPatch(request);
  if (subresource === 'scale') {
    const type = bodyTypeOf(scaleType);
    return changeScale(core, request, async (current) => {
      const patched = await applyPatch({ type: patchType, body }, current as KubeObject, type);
      return decodePatched(request, type, patched) as unknown as Scale;
    });
  }
  const served = core.kinds.of(kind);
  const strategy = strategyOf(kind, subresource);
  const transform = async (current: KubeObject): Promise<KubeObject> => {
    const object = decodePatched(request, kind, await applyPatch({ type: patchType, body }, current, kind));
    checkName(object, request);
    return object;
  };
  const stored = await guaranteedUpdate(core, { served, request, name, strategy, transform });
  if (!stored) throw errors.notFound(kind, name);
  return { type: 'object', code: 200, stored: served.see(stored) };
}
