/**
 * PATCH: the current object, changed as the patch says, goes the way of an update. A lost race is retried with the
 * newer object unless the patch itself names a resourceVersion.
 * What it does not do: server-side apply.
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Scale } from '../../api/generated/autoscaling-v1.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import { type BodyType, bodyTypeOf } from '../../api/schema/body.ts';
import { applyPatch, type Patch, parsePatch } from '../../api/schema/patch.ts';
import { checkName } from './check-name.ts';
import type { Core } from './core.ts';
import { applyDefaults, checkWriteOptions, restCharacters, scaleType } from './decode.ts';
import { guaranteedUpdate } from './guaranteed-update.ts';
import { unsupportedPatch } from './refusals.ts';
import type { Answer, ResourceRequest } from './resource-request.ts';
import { changeScale } from './scale.ts';
import { strategyOf } from './update-strategy.ts';

export async function patch(core: Core, request: ResourceRequest): Promise<Answer> {
  const { kind, subresource, name = '' } = request;
  const given = await readPatch(request);
  if (subresource === 'scale') {
    const type = bodyTypeOf(scaleType);
    return changeScale(core, request, (current) => patched(request, given, type, current as KubeObject) as unknown as Scale);
  }
  const served = core.kinds.of(kind);
  const strategy = strategyOf(kind, subresource);
  const transform = (current: KubeObject): KubeObject => {
    const object = applyDefaults(kind, patched(request, given, kind, current));
    checkName(object, request);
    return object;
  };
  const stored = await guaranteedUpdate(core, { served, request, name, strategy, transform });
  if (!stored) throw errors.notFound(kind, name);
  return { type: 'object', code: 200, stored: served.see(stored) };
}

async function readPatch(request: ResourceRequest): Promise<Patch> {
  const type = request.body?.patchType?.();
  if (!type || type === 'apply') throw unsupportedPatch();
  const content = (await request.body?.read()) ?? { text: '' };
  const text = 'text' in content ? content.text : JSON.stringify(content.value);
  const patch = parsePatch(type, text);
  if (text.length > restCharacters) await turn();
  return patch;
}

function patched(request: ResourceRequest, given: Patch, type: BodyType, current: KubeObject): KubeObject {
  const { object, warnings } = applyPatch(given, type, current, checkWriteOptions(request));
  for (const warning of warnings) request.warn(warning);
  return object;
}
