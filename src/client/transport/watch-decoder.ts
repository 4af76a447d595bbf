/** Watch events out of a stream of bytes: one JSON document per line, wherever the chunks are cut. */

import type { Status } from '../../api/generated/meta-v1.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { StatusError } from '../../api/meta/status-error.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { WatchEvent } from '../client.ts';

type WireEvent<T extends KubeObject> = WatchEvent<T> | { readonly type: 'ERROR'; readonly object: Status };

export async function* decodeWatch<T extends KubeObject>(chunks: AsyncIterable<Uint8Array>): AsyncIterable<WatchEvent<T>> {
  for await (const line of linesOf(chunks)) yield parse<T>(line);
}

/** An object may have 1.5 MiB; a server that lies is cut off. */
const lineCharactersMax = 32 * 2 ** 20;

/** Those that are not empty. Throws for one that does not end. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      const text = parts.length > 0 ? parts.join('') + line : line;
      parts = [];
      if (text.trim()) yield text;
    }
    if (rest) parts.push(rest);
    length = lines.length > 0 ? rest.length : length + rest.length;
    if (length > lineCharactersMax) throw new Error(`a line is longer than ${lineCharactersMax} characters`);
  }
}

function parse<T extends KubeObject>(text: string): WatchEvent<T> {
  const event = parseJSON(text) as WireEvent<T>;
  if (event.type === 'ERROR') throw StatusError.from(event.object);
  return event;
}
