/** Several allocators as one: when one refuses, those before it take back what they handed out. */
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Allocator } from '../endpoint.ts';

export function allocatorChain(allocators: readonly Allocator[]): Allocator {
  return {
    handles: (kind) => allocators.some((each) => each.handles(kind)),
    allocate(request) {
      let object = request.object as KubeObject;
      const done: Allocator[] = [];
      try {
        for (const allocator of allocators) {
          if (!allocator.handles(request.kind)) continue;
          object = allocator.allocate({ ...request, object });
          done.push(allocator);
        }
        return object;
      } catch (error) {
        for (const allocator of done) allocator.release(object, request.oldObject);
        throw error;
      }
    },
    release(object, old) {
      for (const allocator of allocators) allocator.release(object, old);
    },
  };
}
