/**
 * Writes answers to HTTP responses in the form that was negotiated.
 *
 * An object in plain JSON is the cache's own bytes. A list of them is joined, large ones in slices with turns of the
 * event loop in between, so that one big list delays nobody. Compression only for large bodies, when asked for, off the
 * main thread.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { ListMeta } from '../../api/generated/meta-v1.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Clock } from '../../client/clock.ts';
import type { Exchange } from './exchange.ts';
import type { AnswerForm } from './negotiation.ts';
import type { Answer, ListAnswer, ResourceRequest } from './resource-request.ts';
import type { StoredObject } from './stored-object.ts';
import { metadataOnly, parseIncludeObject, renderTable } from './table.ts';

const gzipBytesMin = 128 * 1024;
const gzipLevel = 1;
const sliceBytes = 256 * 1024;
const openingBrace = 0x7b;
const comma = 0x2c;

export interface WriteContext {
  readonly exchange: Exchange;
  readonly form: AnswerForm;
  readonly request: ResourceRequest;
  readonly clock: Clock;
}

export async function writeAnswer(context: WriteContext, answer: Exclude<Answer, { type: 'watch' }>): Promise<void> {
  const { exchange, form } = context;
  if (answer.type === 'list') return writeList(context, answer);
  if (answer.type === 'object' && form.view === 'object' && form.format === 'json' && !form.pretty)
    return writeBytes(exchange, answer.code, answer.stored.json);
  if (answer.type === 'status') return writeValue(context, answer.code, answer.status);
  const object = answer.type === 'object' ? answer.stored.object : answer.object;
  return writeValue(context, answer.code, viewOf(context, object));
}

function viewOf({ form, request, exchange, clock }: WriteContext, object: KubeObject): object {
  if (form.view === 'metadata') return metadataOnly(object);
  if (form.view !== 'table') return object;
  const { resourceVersion } = object.metadata;
  const include = parseIncludeObject(exchange.query?.get('includeObject'));
  return renderTable(
    [object],
    { ...(resourceVersion && { resourceVersion }) },
    { kind: request.kind, nowMs: clock.now(), include, withColumns: true },
  );
}

async function writeList(context: WriteContext, list: ListAnswer & { readonly code: number }): Promise<void> {
  const { form, request, exchange, clock } = context;
  const { kind } = request;
  const metadata: ListMeta = {
    ...(list.revision > 0 && { resourceVersion: String(list.revision) }),
    ...(list.continue !== undefined && { continue: list.continue }),
    ...(list.remainingItemCount !== undefined && { remainingItemCount: list.remainingItemCount }),
  };
  const apiVersion = kind.group ? `${kind.group}/${kind.version}` : kind.version;
  if (form.view === 'table') {
    const include = parseIncludeObject(exchange.query?.get('includeObject'));
    const objects = list.items.map((stored) => stored.object);
    return writeValue(context, list.code, renderTable(objects, metadata, { kind, nowMs: clock.now(), include, withColumns: true }));
  }
  if (form.view === 'metadata') {
    const items = list.items.map((stored) => metadataOnly(stored.object));
    return writeValue(context, list.code, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items });
  }
  const head = { kind: `${kind.kind}List`, apiVersion, metadata };
  if (form.format === 'yaml' || form.pretty)
    return writeValue(context, list.code, { ...head, items: list.items.map((stored) => stored.object) });
  // Items of a list carry no kind and apiVersion of their own.
  const skip = `{"kind":"${kind.kind}","apiVersion":"${apiVersion}",`.length;
  const opening = `${JSON.stringify(head).slice(0, -1)},"items":[`;
  await writeJoined(exchange, list.code, { opening, items: list.items, skip, closing: ']}\n' });
}

interface Joined {
  readonly opening: string;
  readonly items: readonly StoredObject[];
  /** bytes of each item to leave out after its opening brace */
  readonly skip: number;
  readonly closing: string;
}

async function writeJoined(exchange: Exchange, code: number, joined: Joined): Promise<void> {
  const { response, signal } = exchange;
  const slices = slicesOf(joined);
  const first = slices.next();
  const second = slices.next();
  if (second.done) return writeBytes(exchange, code, first.done ? Buffer.alloc(0) : first.value);
  const gzip = acceptsGzip(exchange) ? await newGzip() : undefined;
  exchange.writeHead(code, 'application/json', gzip && { 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  const sink: Writable = gzip ?? response;
  gzip?.pipe(response);
  for (let slice = first; !slice.done; slice = slice === first ? second : slices.next()) {
    exchange.size += slice.value.length;
    if (!sink.write(slice.value)) await once(sink, 'drain', { signal });
    await turn();
    if (signal.aborted) return;
  }
  sink.end();
}

/** The joined text in slices of about `sliceBytes`; each item is copied once. */
function* slicesOf({ opening, items, skip, closing }: Joined): Generator<Buffer> {
  let pending: StoredObject[] = [];
  let size = 0;
  let head = opening;
  let isFirst = true;
  const flush = (tail: string): Buffer => {
    const slice = Buffer.allocUnsafe(Buffer.byteLength(head) + size + Buffer.byteLength(tail));
    let at = slice.write(head, 0);
    for (const { json } of pending) {
      if (!isFirst) slice[at++] = comma;
      isFirst = false;
      slice[at++] = openingBrace;
      at += json.copy(slice, at, skip);
    }
    at += slice.write(tail, at);
    pending = [];
    size = 0;
    head = '';
    return slice.subarray(0, at);
  };
  for (const item of items) {
    pending.push(item);
    size += item.json.length - skip + 2;
    if (size >= sliceBytes) yield flush('');
  }
  yield flush(closing);
}

async function writeValue({ exchange, form }: WriteContext, code: number, value: object): Promise<void> {
  if (form.format === 'yaml') {
    const { stringify } = await import('yaml');
    return writeBytes(exchange, code, Buffer.from(stringify(value, { sortMapEntries: true, lineWidth: 0 })), 'application/yaml');
  }
  const text = form.pretty ? JSON.stringify(value, null, 2) : `${JSON.stringify(value)}\n`;
  return writeBytes(exchange, code, Buffer.from(text));
}

async function writeBytes(exchange: Exchange, code: number, bytes: Buffer, contentType = 'application/json'): Promise<void> {
  if (bytes.length < gzipBytesMin || !acceptsGzip(exchange)) return exchange.send(code, contentType, bytes);
  const { gzip } = await import('node:zlib');
  const packed = await new Promise<Buffer>((resolve, reject) => {
    gzip(bytes, { level: gzipLevel }, (error, result) => (error ? reject(error) : resolve(result)));
  });
  exchange.send(code, contentType, packed, { 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
}

const acceptsGzip = (exchange: Exchange): boolean => /\bgzip\b/.test(exchange.header('accept-encoding') ?? '');

async function newGzip() {
  const { createGzip } = await import('node:zlib');
  return createGzip({ level: gzipLevel });
}
