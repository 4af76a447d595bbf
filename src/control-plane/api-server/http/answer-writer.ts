/**
 * Writes answers to HTTP responses in the form that was negotiated.
 *
 * An object in plain JSON or protobuf is the cache's own bytes, with its managed part, if it has one. A list of them is
 * joined, large ones in slices with turns of the event loop in between, so that one big list delays nobody. Compression
 * only for large bodies, when asked for, off the main thread.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ListMeta } from '../../../api/generated/meta-v1.ts';
import { scaleDisplay } from '../../../api/kinds/autoscaling/scale.ts';
import { isCustom } from '../../../api/meta/kind.ts';
import { apiVersionOf, type KubeObject } from '../../../api/meta/object.ts';
import type { Steps } from '../../../api/meta/steps.ts';
import {
  encodeEnveloped,
  encodeItemHead,
  encodeListHead,
  encodeMessage,
  encodeMessageInSteps,
  type TypeMeta,
} from '../../../api/schema/encode-protobuf.ts';
import type { Clock } from '../../../client/clock.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ListAnswer, ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { isLarge, largeBytes, takeInTurns, yieldTurn } from '../request/yield-turn.ts';
import { encodeValue, indentedTexts, restMark } from './encode-value.ts';
import type { Exchange } from './exchange.ts';
import { type AnswerForm, mediaTypes } from './negotiation.ts';
import { metaApiVersion, metadataOnly, parseIncludeObject, renderRow, renderTable } from './table.ts';

const gzipBytesMin = 128 * 1024;
const gzipLevel = 1;
const sliceBytes = 256 * 1024;
/** The same, of what has still to be made. */
const textSliceBytes = 64 * 1024;
/** A list of no more is made without a rest before. */
const fewItems = 50;

export interface AnswerContext {
  readonly exchange: Exchange;
  readonly form: AnswerForm;
  readonly request: ResourceRequest;
  readonly clock: Clock;
}

export async function writeAnswer(context: AnswerContext, answer: Exclude<ResourceAnswer, { type: 'watch' }>): Promise<void> {
  const { exchange, form, request } = context;
  const large = isLarge(request, answer.type === 'object' ? answer.stored : undefined);
  if (large) await yieldTurn();
  if (answer.type === 'list') return writeList(context, answer);
  if (answer.type === 'status') return writeValue(context, answer.code, answer.status);
  if (answer.type === 'object' && form.view === 'object') {
    const { stored, code } = answer;
    if (form.format === 'protobuf') {
      const message = await takeInTurns(stored.messageInSteps(), large);
      return writeBytes(exchange, code, encodeEnveloped(stored.object, message), mediaTypes.protobuf);
    }
    if (form.format === 'json' && !form.pretty) return writeBytes(exchange, code, stored.json);
  }
  const object = answer.type === 'object' ? answer.stored.whole : answer.object;
  if (large) await yieldTurn();
  const shown = viewOf(context, object);
  if (large) await yieldTurn();
  return writeValue(context, answer.code, shown, large);
}

function viewOf({ form, request, exchange, clock }: AnswerContext, object: KubeObject): object {
  if (form.view === 'metadata') return metadataOnly(object);
  if (form.view !== 'table') return object;
  const { resourceVersion } = object.metadata;
  const include = parseIncludeObject(exchange.query?.get('includeObject'));
  const display = object.kind === 'Scale' ? scaleDisplay : request.target.kind;
  const options = { display, nowMs: clock.now(), include, withColumns: true };
  return renderTable([object], { ...(resourceVersion && { resourceVersion }) }, options);
}

async function writeList(context: AnswerContext, list: ListAnswer & { readonly code: number }): Promise<void> {
  const { form, request, exchange, clock } = context;
  const { kind } = request.target;
  if (list.items.length > fewItems) await yieldTurn();
  const metadata: ListMeta = {
    ...(list.revision > 0 && { resourceVersion: String(list.revision) }),
    ...(isCustom(kind) && form.view === 'object' && { continue: '' }), // upstream's has it always
    ...(list.continue !== undefined && { continue: list.continue }),
    ...(list.remainingItemCount !== undefined && { remainingItemCount: list.remainingItemCount }),
  };
  if (form.view === 'table') {
    const include = parseIncludeObject(exchange.query?.get('includeObject'));
    const options = { display: kind, nowMs: clock.now(), include, withColumns: true };
    const shown = (object: KubeObject): object => renderRow(object, options);
    return writeJoined(
      exchange,
      list.code,
      await joinedTexts(form, { whole: renderTable([], metadata, options), field: 'rows', items: list.items, shown }),
    );
  }
  const isPartial = form.view === 'metadata';
  const apiVersion = isPartial ? metaApiVersion : apiVersionOf(kind);
  const type = { kind: isPartial ? 'PartialObjectMetadataList' : kind.listKind, apiVersion };
  if (form.format === 'protobuf') {
    const messages = await messagesOf(list.items, isPartial);
    return writeJoined(exchange, list.code, joinedMessages(type, metadata, messages));
  }
  const head = { ...type, metadata };
  if (isPartial || form.format === 'yaml' || form.pretty) {
    const shown = isPartial ? metadataOnly : (object: KubeObject): object => object;
    const enclosed = { whole: { ...head, items: [] }, field: 'items', items: list.items, shown };
    return writeJoined(exchange, list.code, await joinedTexts(form, enclosed));
  }
  // Items of a list carry no kind and apiVersion of their own, but custom ones do.
  const skip = isCustom(kind) ? 1 : `{"kind":"${kind.kind}","apiVersion":"${apiVersion}",`.length;
  await writeJoined(exchange, list.code, {
    contentType: mediaTypes.json,
    opening: Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`),
    items: list.items.values().map(({ json }) => json),
    headOf: (_, i) => (i === 0 ? firstItem : nextItem),
    skip,
    closing: Buffer.from(']}\n'),
    sliceBytes,
  });
}

const firstItem = Buffer.from('{');
const nextItem = Buffer.from(',{');

/** All of them, since a list begins with its length; made for the first time, they take their time. */
async function messagesOf(items: readonly StoredObject[], isPartial: boolean): Promise<readonly Buffer[]> {
  const messages: Buffer[] = [];
  const atOnce = (item: StoredObject): Buffer => (isPartial ? encodeMessage(metadataOnly(item.whole)) : item.message);
  const inSteps = (item: StoredObject): Steps<Buffer> =>
    isPartial ? encodeMessageInSteps(metadataOnly(item.whole)) : item.messageInSteps();
  let size = 0;
  for (const item of items) {
    const message = item.size > largeBytes ? await takeInTurns(inSteps(item), true) : atOnce(item);
    messages.push(message);
    size += message.length;
    if (size < sliceBytes) continue;
    size = 0;
    await yieldTurn();
  }
  return messages;
}

function joinedMessages(type: TypeMeta, metadata: ListMeta, items: readonly Buffer[]): Joined {
  const heads = items.map((item) => encodeItemHead(item.length));
  const size = items.reduce((sum, item, i) => sum + (heads[i]?.length ?? 0) + item.length, 0);
  const opening = encodeListHead(type, metadata, size);
  const headOf = (_: Buffer, i: number): Buffer => heads[i] ?? nothing;
  return { contentType: mediaTypes.protobuf, opening, items, headOf, skip: 0, closing: nothing, sliceBytes };
}

interface Enclosed {
  /** what is answered, with nothing in its list, which is its last field */
  readonly whole: object;
  readonly field: string;
  readonly items: readonly StoredObject[];
  /** what of an object stands in the list */
  shown(object: KubeObject): object;
}

/** A list whose items no cache holds in this form: each is made when its turn comes. */
async function joinedTexts({ format, pretty }: AnswerForm, { whole, field, items, shown }: Enclosed): Promise<Joined> {
  const contentType = mediaTypes[format];
  const isEmpty = items.length === 0;
  if (format === 'yaml') {
    const { writeYaml, writeYamlItem } = await import('../../../api/schema/yaml/write-yaml.ts');
    if (items.length > fewItems) await yieldTurn(); // what waited for the import goes on in one turn
    if (isEmpty) return textParts(contentType, [writeYaml(whole)]);
    const [opening = '', closing = ''] = writeYaml(whole).split(`${field}: []\n`);
    return textParts(contentType, enclosed(`${opening}${field}:\n`, textsOfItems({ items, shown }, writeYamlItem), closing));
  }
  if (!pretty) {
    const texts = items.values().map((stored, i) => `${i > 0 ? ',' : ''}${stored.completed(JSON.stringify(shown(stored.object)))}`);
    return textParts(contentType, enclosed(JSON.stringify(whole).slice(0, -2), texts, ']}\n'));
  }
  if (isEmpty) return textParts(contentType, [JSON.stringify(whole, null, 2)]);
  const opening = JSON.stringify(whole, null, 2).slice(0, -']\n}'.length);
  const texts = textsOfItems({ items, shown }, function* (object, i) {
    yield `${i > 0 ? ',' : ''}\n    `;
    yield* indentedTexts(object, '    ');
  });
  return textParts(contentType, enclosed(opening, texts, '\n  ]\n}'));
}

/** What is made of each; before what is made of a large one there is a rest. */
function* textsOfItems(
  { items, shown }: Pick<Enclosed, 'items' | 'shown'>,
  textsOf: (object: object, index: number) => Iterable<string>,
): Generator<string, undefined> {
  for (const [i, stored] of items.entries()) {
    if (stored.size > largeBytes) yield restMark;
    const object = shown(stored.whole);
    if (stored.size > largeBytes) yield restMark;
    yield* textsOf(object, i);
  }
}

function* enclosed(opening: string, texts: Iterable<string>, closing: string): Generator<string, undefined> {
  yield opening;
  yield* texts;
  yield closing;
}

/** A text that is made part by part. */
const textParts = (contentType: string, texts: Iterable<string>): Joined => ({
  contentType,
  opening: nothing,
  items: Iterator.from(texts).map((text) => Buffer.from(text)),
  headOf: () => nothing,
  skip: 0,
  closing: nothing,
  sliceBytes: textSliceBytes,
});

const nothing = Buffer.alloc(0);

interface Joined {
  readonly contentType: string;
  readonly opening: Buffer;
  readonly items: Iterable<Buffer>;
  /** what stands before an item */
  headOf(item: Buffer, index: number): Buffer;
  /** bytes of each item to leave out */
  readonly skip: number;
  readonly closing: Buffer;
  /** of what is made and sent at once */
  readonly sliceBytes: number;
}

async function writeJoined(exchange: Exchange, code: number, joined: Joined): Promise<void> {
  const { response, signal } = exchange;
  const { contentType } = joined;
  const slices = slicesOf(joined);
  const first = slices.next();
  if (first.done) return writeBytes(exchange, code, first.value, contentType);
  const gzip = acceptsGzip(exchange) ? await newGzip() : undefined;
  exchange.writeHead(code, contentType, gzip && { 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  const sink: Writable = gzip ?? response;
  gzip?.pipe(response);
  for (let slice: IteratorResult<Buffer, Buffer> = first; ; slice = slices.next()) {
    exchange.size += slice.value.length;
    if (slice.value.length > 0 && !sink.write(slice.value)) await once(sink, 'drain', { signal });
    if (slice.done) break;
    await yieldTurn();
    if (signal.aborted) return;
  }
  sink.end();
}

/** The joined bytes in slices of about that size, or up to a rest; each item is copied once. */
function* slicesOf({ opening, items, headOf, skip, closing, sliceBytes: sliceMin }: Joined): Generator<Buffer, Buffer, undefined> {
  let pending = [opening];
  let size = opening.length;
  let index = 0;
  for (const item of items) {
    const head = headOf(item, index++);
    pending.push(head, item.subarray(skip));
    size += head.length + item.length - skip;
    if (size < sliceMin && item.length > restMark.length) continue;
    yield Buffer.concat(pending, size);
    pending = [];
    size = 0;
  }
  pending.push(closing);
  return Buffer.concat(pending);
}

async function writeValue(
  { exchange, form, request }: AnswerContext,
  code: number,
  value: object,
  large = isLarge(request),
): Promise<void> {
  if (form.format === 'yaml') {
    const { writeYamlParts } = await import('../../../api/schema/yaml/write-yaml.ts');
    if (large) await yieldTurn();
    return writeJoined(exchange, code, textParts(mediaTypes.yaml, writeYamlParts(value)));
  }
  if (form.format === 'json' && form.pretty) return writeJoined(exchange, code, textParts(mediaTypes.json, indentedTexts(value)));
  const { contentType, bytes } = await encodeValue(value, form);
  return writeBytes(exchange, code, bytes, contentType);
}

async function writeBytes(exchange: Exchange, code: number, bytes: Buffer, contentType: string = mediaTypes.json): Promise<void> {
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
