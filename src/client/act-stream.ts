/** Acts from an API server elsewhere, over HTTP. */
import { parseJSON } from '../api/schema/json-scan.ts';
import { type Act, type ActFilter, actsPath, type LostActs, queryOfFilter } from './acts.ts';
import type { HTTPAccess } from './http-client.ts';

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

async function* parsed(lines: AsyncIterable<string>): AsyncIterable<Act | LostActs> {
  for await (const line of lines) yield parseJSON(line) as Act | LostActs;
}
