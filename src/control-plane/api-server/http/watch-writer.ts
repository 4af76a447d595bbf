/**
 * A watch over HTTP: one JSON document per event and line, or one protobuf message after its length; over a WebSocket, a
 * message per event. What is written in one turn goes out together; an event is encoded once for all watchers who want
 * it in the same form. What waits for a client that does not read is bounded.
 */
import type { Duplex, Writable } from 'node:stream';
import type { Status } from '../../../api/generated/meta-v1.ts';
import { apiVersionOf, type KubeObject } from '../../../api/meta/object.ts';
import { encodeEvent, encodeMessage, eventLengthBytes, type TypeMeta } from '../../../api/schema/encode-protobuf.ts';
import type { CacheEvent, WatchEventType } from '../cache/cache-event.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { WatchSink } from '../request/answer.ts';
import type { AnswerContext } from './answer-writer.ts';
import { mediaTypes } from './negotiation.ts';
import { type IncludeObject, metadataOnly, parseIncludeObject, renderBookmark, renderTable, type TableOptions } from './table.ts';
import type { UntakenBytes } from './untaken-bytes.ts';

/** How events look on the wire. */
interface Encoding {
  readonly contentType: string;
  /** an event that shows an object as it is */
  stored(type: WatchEventType, object: StoredObject): Buffer;
  /** any other */
  value(type: string, object: TypeMeta): Buffer;
  /** the same as a message of a WebSocket */
  message(frame: Buffer): Buffer | string;
}

export interface WatchContext extends AnswerContext {
  readonly untaken: UntakenBytes;
}

/** Then the client has to read before it gets more. */
const untakenBytesMax = 1024 * 1024;
const switchingProtocols = 101;
const frameEnd = Buffer.from('}\n');
const frameStarts: Readonly<Record<WatchEventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const json: Encoding = {
  contentType: mediaTypes.json,
  stored: (type, object) => Buffer.concat([frameStarts[type], object.json, frameEnd]),
  value: (type, object) => Buffer.from(`${JSON.stringify({ type, object })}\n`),
  message: (frame) => frame.toString(),
};
const protobuf: Encoding = {
  contentType: `${mediaTypes.protobuf};stream=watch`,
  stored: (type, { object, message }) => encodeEvent(type, object, message),
  value: (type, object) => encodeEvent(type, object, encodeMessage(object)),
  message: (frame) => frame.subarray(eventLengthBytes),
};

export class WatchWriter implements WatchSink {
  readonly #context: WatchContext;
  readonly #encoding: Encoding;
  readonly #apiVersion: string;
  readonly #include: IncludeObject;
  /** in which all who ask for it see the same */
  readonly #form: string;
  readonly #ended: () => void;
  readonly #socket: Duplex | undefined;
  readonly #out: Writable;
  #pending: Buffer[] = [];
  /** bytes since the client last took everything */
  #untaken = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #columnsSent = false;

  /** `ended` is called once, when nothing more will be written. To a `socket`, events are written one by one. */
  constructor(context: WatchContext, ended: () => void, socket?: Duplex) {
    this.#context = context;
    this.#encoding = context.form.format === 'protobuf' ? protobuf : json;
    this.#apiVersion = apiVersionOf(context.request.target.kind);
    this.#include = parseIncludeObject(context.exchange.query?.get('includeObject'));
    this.#form = `${this.#apiVersion} ${this.#encoding.contentType} ${context.form.view} ${this.#include}`;
    this.#ended = ended;
    const { exchange } = context;
    this.#socket = socket;
    this.#out = socket ?? exchange.response;
    if (socket) exchange.code = switchingProtocols;
    else {
      exchange.writeHead(200, this.#encoding.contentType);
      exchange.response.flushHeaders();
    }
    this.#out.on('drain', () => this.#takenAll());
  }

  get full(): Promise<void> | undefined {
    const { untaken, request } = this.#context;
    if (this.#untaken === 0 || (this.#untaken <= untakenBytesMax && !untaken.isTooMuch(request.user.name))) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  event(type: WatchEventType, object: StoredObject, event: CacheEvent | undefined): void {
    const { form, clock } = this.#context;
    const encode = (): Buffer =>
      form.view === 'object' ? this.#encoding.stored(type, object) : this.#encoding.value(type, this.#viewed(object.whole));
    if (!event || (form.view === 'table' && !this.#columnsSent)) this.#write(encode());
    else {
      // A table tells ages.
      const at = form.view === 'table' ? Math.floor(clock.now() / 1000) : '';
      this.#write(event.frame(`${type} ${this.#form} ${at}`, encode));
    }
  }

  bookmark(revision: number, isInitialEnd: boolean): void {
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const metadata = { resourceVersion: String(revision), ...(isInitialEnd && { annotations }) };
    const object: KubeObject = { kind: this.#context.request.target.kind.kind, apiVersion: this.#apiVersion, metadata };
    const { view } = this.#context.form;
    if (view === 'object') this.#tell('BOOKMARK', object);
    else if (view === 'metadata') this.#tell('BOOKMARK', metadataOnly(object));
    else this.#tell('BOOKMARK', renderBookmark(object, this.#tableOptions()));
  }

  end(status?: Status): void {
    if (status) this.#tell('ERROR', status as TypeMeta);
    this.#flush();
    // Who does not read would not see the end either.
    if (this.full) this.#out.destroy();
    else this.#out.end();
    this.#takenAll();
    this.#ended();
  }

  #viewed(object: KubeObject): TypeMeta {
    if (this.#context.form.view === 'metadata') return metadataOnly(object);
    const { resourceVersion } = object.metadata;
    return renderTable([object], { ...(resourceVersion && { resourceVersion }) }, this.#tableOptions());
  }

  /** The first table of a watch says the columns. */
  #tableOptions(): TableOptions {
    const { request, clock } = this.#context;
    const withColumns = !this.#columnsSent;
    this.#columnsSent = true;
    return { display: request.target.kind, nowMs: clock.now(), include: this.#include, withColumns };
  }

  #tell(type: string, object: TypeMeta): void {
    this.#write(this.#encoding.value(type, object));
  }

  #write(frame: Buffer): void {
    this.#untaken += frame.length;
    this.#context.untaken.change(this.#context.request.user.name, frame.length);
    if (this.#pending.push(frame) === 1) queueMicrotask(() => this.#flush());
  }

  /** Never throws: nobody would catch it. */
  #flush(): void {
    const frames = this.#pending;
    if (frames.length === 0) return;
    this.#pending = [];
    try {
      this.#send(frames);
    } catch {
      this.#out.destroy();
    }
  }

  #send(frames: readonly Buffer[]): void {
    const pieces = this.#socket ? frames.map(this.#encoding.message) : [joined(frames)];
    let isTaken = false;
    for (const piece of pieces) {
      this.#context.exchange.size += piece.length;
      isTaken = this.#out.write(piece);
    }
    if (isTaken) this.#takenAll();
  }

  #takenAll(): void {
    this.#context.untaken.change(this.#context.request.user.name, -this.#untaken);
    this.#untaken = 0;
    this.#room?.resolve();
    this.#room = undefined;
  }
}

const joined = (frames: readonly Buffer[]): Buffer => {
  const [only] = frames;
  return frames.length === 1 && only ? only : Buffer.concat(frames);
};
