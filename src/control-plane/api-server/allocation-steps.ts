/**
 * Runs the allocators that a kind concerns, and gives back what they handed out when a write failed or an object is
 * gone. When one refuses, those before it take back. A fault in giving back is logged: the write it follows stands.
 */
import type { Kind } from '../../api/meta/kind.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Core } from './core.ts';
import type { Allocator } from './endpoint.ts';
import type { AdmissionRequest } from './request.ts';

export function allocate(core: Core, request: AdmissionRequest): KubeObject {
  let { object } = request;
  if (!object) throw new Error('nothing to allocate for');
  const done: Allocator[] = [];
  try {
    for (const allocator of core.allocators) {
      if (!allocator.handles(request.kind)) continue;
      object = allocator.allocate(object === request.object ? request : { ...request, object });
      done.push(allocator);
    }
    return object;
  } catch (error) {
    for (const allocator of done) giveBack(core, allocator, object, request.oldObject);
    throw error;
  }
}

export function release(core: Core, kind: Kind, object: KubeObject, old: KubeObject | undefined): void {
  for (const allocator of core.allocators) if (allocator.handles(kind)) giveBack(core, allocator, object, old);
}

function giveBack(core: Core, allocator: Allocator, object: KubeObject, old: KubeObject | undefined): void {
  try {
    allocator.release(object, old);
  } catch (error) {
    core.log.error({ error, kind: object.kind, name: object.metadata.name }, 'what an object held could not be given back');
  }
}
