/** Deletes what a selection lists, page by page, as single deletes would. Answers the list of what it found. */
import { errors, isNotFound } from '../../../api/meta/status-error.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { isLarge, yieldTurn } from '../request/yield-turn.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { remove } from './delete.ts';
import { readDeleteOptions } from './delete-options.ts';
import { list } from './list.ts';

/** Deletes under way at once: the store joins their commits. */
const concurrencyMax = 16;
/** Deleted in one turn of the event loop: a dry run waits for nothing. */
const atOnceMax = 100;

export async function deleteCollection(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const served = server.kinds.of(request.target.kind);
  const options = await readDeleteOptions(request);
  const found = await list(server, request);
  if (found.type !== 'list') throw errors.internal('a list was expected');
  if (isLarge(request)) await yieldTurn();
  const waiting = found.items.values();
  let taken = 0;
  const work = async (): Promise<void> => {
    for (const item of waiting) {
      request.signal.throwIfAborted();
      if (++taken % atOnceMax === 0) await yieldTurn();
      const { name = '', namespace } = item.object.metadata;
      const one = request.aimedAt({ ...request.target, name, namespace: namespace ?? request.target.namespace });
      await remove(server, one, { served, name, options }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: concurrencyMax }, work));
  return found;
}
