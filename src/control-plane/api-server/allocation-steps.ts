/** Runs the allocators that a kind concerns, and gives back what they handed out when a write failed or an object is gone. */
import type { Kind } from '../../api/meta/kind.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Core } from './core.ts';
import type { AdmissionRequest } from './request.ts';

export function allocate(core: Core, request: AdmissionRequest): KubeObject {
  let { object } = request;
  if (!object) throw new Error('nothing to allocate for');
  for (const allocator of core.allocators) {
    if (allocator.handles(request.kind)) object = allocator.allocate(object === request.object ? request : { ...request, object });
  }
  return object;
}

export function release(core: Core, kind: Kind, object: KubeObject, old: KubeObject | undefined): void {
  for (const allocator of core.allocators) if (allocator.handles(kind)) allocator.release(object, old);
}
