/** Applies a patch of each kind to an object. Nothing is changed in place; what the patch leaves alone is shared. */
import type { KubeObject } from '../../api/meta/object.ts';
import type { BodyType } from '../../api/schema/body.ts';

type Json = Record<string, unknown>;

export async function applyPatch(
  patch: { readonly type: string; readonly body: unknown },
  current: KubeObject,
  type: BodyType,
): Promise<Json> {
  void type;
  if (patch.type === 'merge') return mergePatch(current, patch.body) as Json;
  throw new Error('unknown patch');
}
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Json = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}
