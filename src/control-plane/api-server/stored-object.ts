/**
 * One version of one object as the store and the watch cache hold it: its canonical bytes without resourceVersion, and
 * from them, each made on first use, the frozen parsed value, and the JSON and the protobuf message that clients get.
 *
 * Guarantees: a version is parsed at most once (never, when this process wrote it), and its JSON and its message are made
 * once, for all readers. The canonical form begins `{"kind":…,"apiVersion":…,"metadata":{`, so the resourceVersion is spliced in
 * at a known place whether or not it was known when the bytes were made.
 */

import type { KubeObject } from '../../api/meta/object.ts';
import { encodeMessage } from '../../api/schema/encode-protobuf.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { KeyValue, Revision } from '../store/storage.ts';
import { deepFreeze } from './deep-freeze.ts';

const metadataOpening = Buffer.from('"metadata":{');
const comma = 0x2c;
const closingBrace = 0x7d;

/** What a writer hands to the store with the bytes, so that nobody in this process parses them again. */
export class Draft {
  readonly bytes: Buffer;
  readonly #object: Writable;
  #revision = 0;

  /** `object` becomes the draft's own: its first two levels (the object and its metadata) are copied, the rest is frozen later. */
  constructor(object: KubeObject) {
    const { kind, apiVersion, metadata, ...rest } = object;
    const { resourceVersion: _, ...kept } = metadata;
    // resourceVersion has its slot from the start: JSON.stringify leaves undefined out, and setting it later changes no shape.
    this.#object = { kind, apiVersion, metadata: { resourceVersion: undefined, ...kept }, ...rest };
    this.bytes = Buffer.from(JSON.stringify(this.#object));
  }

  /** The frozen object as of its revision. */
  seal(revision: Revision): KubeObject {
    if (this.#revision === 0) {
      this.#revision = revision;
      this.#object.metadata.resourceVersion = String(revision);
      deepFreeze(this.#object);
    }
    return this.#object as KubeObject;
  }
}

interface Writable {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion: string | undefined };
}

export class StoredObject {
  readonly key: string;
  readonly revision: Revision;
  readonly lease: number | undefined;
  /** As stored, until somebody asks for the JSON; then that, so that there is one copy only. */
  #bytes: Buffer;
  #isSpliced = false;
  #object: KubeObject | undefined;
  #message: Buffer | undefined;
  #views: Map<string, StoredObject> | undefined;

  constructor(given: { key: string; revision: Revision; value: Uint8Array; lease?: number | undefined; object?: KubeObject | undefined }) {
    const { value } = given;
    this.key = given.key;
    this.revision = given.revision;
    this.lease = given.lease;
    this.#bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.#object = given.object;
  }

  static from(kv: KeyValue): StoredObject {
    const object = kv.attachment instanceof Draft ? kv.attachment.seal(kv.revision) : undefined;
    return new StoredObject({ key: kv.key, revision: kv.revision, value: kv.value, lease: kv.lease, object });
  }

  /** What a dry run would have stored: `revision` 0 means that the answer carries no resourceVersion. */
  static unstored(key: string, object: KubeObject, revision: Revision): StoredObject {
    const draft = new Draft(object);
    return new StoredObject({ key, revision, value: draft.bytes, ...(revision > 0 && { object: draft.seal(revision) }) });
  }

  get object(): KubeObject {
    this.#object ??= this.#parse();
    return this.#object;
  }

  /** bytes of its JSON, more or less */
  get size(): number {
    return this.#bytes.length;
  }

  /** The object as clients get it. */
  get json(): Buffer {
    if (!this.#isSpliced && this.revision > 0) {
      this.#bytes = splice(this.#bytes, this.revision);
      this.#isSpliced = true;
    }
    return this.#bytes;
  }

  /** The object as a protobuf message without its envelope. */
  get message(): Buffer {
    this.#message ??= encodeMessage(this.object);
    return this.#message;
  }

  /** The same object as of a later revision: what a DELETED event shows. */
  at(revision: Revision): StoredObject {
    const object = this.#object;
    const moved = object && deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
    const value = this.#isSpliced ? unsplice(this.#bytes, this.revision) : this.#bytes;
    return new StoredObject({ key: this.key, revision, value, lease: this.lease, object: moved });
  }

  /** The object in another version of its API, converted once. */
  view(apiVersion: string, convert: (object: KubeObject) => KubeObject): StoredObject {
    let view = this.#views?.get(apiVersion);
    if (!view) {
      const draft = new Draft(convert(this.object));
      const object = this.revision > 0 ? draft.seal(this.revision) : undefined;
      view = new StoredObject({ key: this.key, revision: this.revision, value: draft.bytes, lease: this.lease, object });
      this.#views ??= new Map();
      this.#views.set(apiVersion, view);
    }
    return view;
  }

  #parse(): KubeObject {
    const object = parseJSON(this.#bytes.toString()) as KubeObject;
    if (this.revision > 0) (object as Writable).metadata.resourceVersion = String(this.revision);
    return deepFreeze(object);
  }
}

const insertionOf = (revision: Revision): string => `"resourceVersion":"${revision}"`;

function splice(source: Buffer, revision: Revision): Buffer {
  const at = source.indexOf(metadataOpening) + metadataOpening.length;
  const inserted = insertionOf(revision);
  const withComma = source[at] !== closingBrace;
  const json = Buffer.allocUnsafe(source.length + inserted.length + (withComma ? 1 : 0));
  source.copy(json, 0, 0, at);
  let end = at + json.write(inserted, at, 'latin1');
  if (withComma) json[end++] = comma;
  source.copy(json, end, at);
  return json;
}

function unsplice(json: Buffer, revision: Revision): Buffer {
  const at = json.indexOf(metadataOpening) + metadataOpening.length;
  const end = at + insertionOf(revision).length;
  return Buffer.concat([json.subarray(0, at), json.subarray(json[end] === comma ? end + 1 : end)]);
}
