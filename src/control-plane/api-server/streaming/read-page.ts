/** One GET of another server, read in one go. */
import type { IncomingMessage } from 'node:http';
import type { Dialer } from './dialer.ts';
import { answerOf, openRequest, type RequestHead } from './http-forward.ts';
import type { Headers } from './proxied-headers.ts';

export interface Page {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface Reading {
  readonly headers: Headers;
  readonly signal: AbortSignal;
  /** longer answers are an error */
  readonly bytesMax: number;
}

/** Rejects when there is no answer. */
export async function readPage(dialer: Dialer, target: RequestHead['target'], { headers, signal, bytesMax }: Reading): Promise<Page> {
  const request = openRequest(await dialer.open(target, signal), { target, method: 'GET', headers, signal });
  const answered = answerOf(request);
  request.end();
  const answer = await answered;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytesMax) throw new Error(`${target.path} is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return { code: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
}
