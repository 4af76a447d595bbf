/** Acts from an API server elsewhere, over HTTP. */
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { HTTPAccess } from '../transport/http-client.ts';
import { type Act, type ActFilter, type ActStart, actsPath, type LostActs, queryOfFilter } from './acts.ts';

/**
 * Resolves when the server tells what happens from now on. Rejects with NotFound where it tells nothing, Forbidden for
 * who is no administrator, BadRequest for what is no kind.
 */
export async function openActs(client: HTTPAccess, filter: ActFilter = {}, signal?: AbortSignal): Promise<AsyncIterable<Act | LostActs>> {
  return parsed(await client.lines(`${actsPath}?${queryOfFilter(filter)}`, signal));
}

/** The same, opened by the first turn of the loop. */
export async function* readActs(client: HTTPAccess, filter?: ActFilter): AsyncIterable<Act | LostActs> {
  yield* await openActs(client, filter);
}

/** The same by a reader that was there before: `start` is of the server that it read from; '' when it was nowhere. */
export async function openActsAfter(
  client: HTTPAccess,
  { filter, start, signal }: { readonly filter: ActFilter; readonly start: string; readonly signal: AbortSignal },
): Promise<AsyncIterable<Act | LostActs | ActStart>> {
  const query = new URLSearchParams([...queryOfFilter(filter), ['after', start]]);
  return parsed(await client.lines(`${actsPath}?${query}`, signal));
}

async function* parsed<T>(lines: AsyncIterable<string>): AsyncIterable<T> {
  for await (const line of lines) yield parseJSON(line) as T;
}
