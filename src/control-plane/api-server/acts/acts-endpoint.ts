/**
 * Acts over HTTP (client/events/acts.ts): lines of JSON, from now on, until either side ends it.
 * With `?after=START` the first says which start of the server this is; after another one what happened since follows. For administrators
 * (system:masters) alone, whatever roles say of the path: it shows what everybody does.
 */
import { actsPath, filterOfQuery } from '../../../client/events/acts.ts';
import { forAdministrators, type NonResourceEndpoint } from '../request/non-resource-endpoint.ts';
import { methodNotAllowed } from '../request/refusals.ts';
import type { ActChannel } from './act-channel.ts';

export function actsEndpoint(acts: Pick<ActChannel, 'subscribe'>): NonResourceEndpoint {
  return forAdministrators({
    paths: [actsPath],
    handle({ method, query }) {
      if (method !== 'GET') throw methodNotAllowed();
      const headers = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' };
      return { status: 200, headers, body: linesOf(acts.subscribe(filterOfQuery(query), query.get('after') ?? undefined)) };
    },
  });
}

/** Leaving it leaves what it reads, also while it waits. */
function linesOf(values: AsyncIterableIterator<object>): AsyncIterableIterator<string> {
  return {
    async next() {
      const { value, done } = await values.next();
      return done ? { value: undefined, done } : { value: `${JSON.stringify(value)}\n`, done: false };
    },
    async return() {
      await values.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
