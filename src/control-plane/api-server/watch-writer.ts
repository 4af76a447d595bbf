/**
 * A watch over HTTP: one JSON document per event and line. What is written in one turn goes out together; an event in
 * plain JSON is encoded once for all its watchers.
 */
import type { Status } from '../../api/generated/meta-v1.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { WriteContext } from './answer-writer.ts';
import type { CacheEvent, WatchEventType } from './cache-event.ts';
import type { WatchSink } from './resource-request.ts';
import type { StoredObject } from './stored-object.ts';
import { type IncludeObject, metadataOnly, parseIncludeObject, renderTable } from './table.ts';

const frameEnd = Buffer.from('}\n');
const frameStarts: Readonly<Record<WatchEventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

export class WatchWriter implements WatchSink {
  readonly #context: WriteContext;
  readonly #apiVersion: string;
  readonly #include: IncludeObject;
  readonly #ended: () => void;
  #pending: Buffer[] = [];
  /** events since the client last took everything */
  #untaken = 0;
  #columnsSent = false;

  /** `ended` is called once, when nothing more will be written. */
  constructor(context: WriteContext, ended: () => void) {
    this.#context = context;
    const { group, version } = context.request.kind;
    this.#apiVersion = group ? `${group}/${version}` : version;
    this.#include = parseIncludeObject(context.exchange.query?.get('includeObject'));
    this.#ended = ended;
    context.exchange.writeHead(200, 'application/json');
    context.exchange.response.flushHeaders();
    context.exchange.response.on('drain', () => {
      this.#untaken = 0;
    });
  }

  get backlog(): number {
    return this.#untaken;
  }

  event(type: WatchEventType, object: StoredObject, event: CacheEvent | undefined): void {
    if (this.#context.form.view !== 'object') this.#write(this.#viewed(type, object.object));
    else if (event) this.#write(event.frame(`${type} ${this.#apiVersion}`, () => frameOf(type, object.json)));
    else this.#write(frameOf(type, object.json));
  }

  bookmark(revision: number, isInitialEnd: boolean): void {
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const metadata = { resourceVersion: String(revision), ...(isInitialEnd && { annotations }) };
    const object: KubeObject = { kind: this.#context.request.kind.kind, apiVersion: this.#apiVersion, metadata };
    if (this.#context.form.view === 'object') this.#write(lineOf('BOOKMARK', object));
    else if (this.#context.form.view === 'metadata') this.#write(lineOf('BOOKMARK', metadataOnly(object)));
    else this.#write(lineOf('BOOKMARK', { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: null, rows: [] }));
  }

  end(status?: Status): void {
    if (status) this.#write(lineOf('ERROR', status));
    this.#flush();
    this.#context.exchange.response.end();
    this.#ended();
  }

  #viewed(type: WatchEventType, object: KubeObject): Buffer {
    const { form, request, clock } = this.#context;
    if (form.view === 'metadata') return lineOf(type, metadataOnly(object));
    const { resourceVersion } = object.metadata;
    const options = { kind: request.kind, nowMs: clock.now(), include: this.#include, withColumns: !this.#columnsSent };
    this.#columnsSent = true;
    return lineOf(type, renderTable([object], { ...(resourceVersion && { resourceVersion }) }, options));
  }

  #write(frame: Buffer): void {
    this.#untaken++;
    if (this.#pending.push(frame) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const [only] = this.#pending;
    if (!only) return;
    const bytes = this.#pending.length === 1 ? only : Buffer.concat(this.#pending);
    this.#pending = [];
    const { exchange } = this.#context;
    exchange.size += bytes.length;
    if (exchange.response.write(bytes)) this.#untaken = 0;
  }
}

const frameOf = (type: WatchEventType, json: Buffer): Buffer => Buffer.concat([frameStarts[type], json, frameEnd]);
const lineOf = (type: string, object: object): Buffer => Buffer.from(`${JSON.stringify({ type, object })}\n`);
