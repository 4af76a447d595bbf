/**
 * One version of one object as the store and the watch cache hold it, in two parts: its value, which is canonical bytes
 * without resourceVersion, and its managed part, the JSON of its managedFields, which many objects share (ADR 33). From
 * them, each made on first use: the frozen parsed value, and the JSON and the protobuf message that clients get.
 *
 * Guarantees: a version is parsed at most once (never, when this process wrote it); its message, and without a managed part
 * its JSON, are made once, for all readers. managedFields are in all that clients get and in nothing that components share,
 * compare or freeze. The canonical form begins `{"kind":…,"apiVersion":…,"metadata":{`, so both are spliced in at a known
 * place whether or not the resourceVersion was known when the bytes were made.
 */

import type { ManagedFieldsEntry } from '../../../api/generated/meta-v1.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Steps } from '../../../api/meta/steps.ts';
import { encodeMessage, encodeMessageInSteps } from '../../../api/schema/encode-protobuf.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import type { ManagedPart } from '../../store/managed-part.ts';
import type { KeyValue, Op, Revision } from '../../store/storage.ts';
import { PackedBytes, parseBulky } from './bulky-object.ts';
import { deepFreeze } from './deep-freeze.ts';

const metadataText = '"metadata":{';
const managedName = '"managedFields":';
const metadataOpening = Buffer.from(metadataText);
const comma = 0x2c;
const closingBrace = 0x7d;

/** Gives bytes of their own, no slice of a pool, which would stay as long as its neighbours do. */
const encoder = new TextEncoder();

/** What a writer hands to the store with the bytes, so that nobody in this process parses them again. */
export class Draft {
  readonly bytes: Buffer;
  readonly managed: ManagedPart | undefined;
  readonly #object: Writable;
  #revision = 0;

  /**
   * `object` becomes the draft's own: its first two levels (the object and its metadata) are copied, the rest is frozen
   * later. managedFields are never part of it: `managed` is their JSON, an array; whoever replaces an object hands on what
   * that one has.
   */
  constructor(object: KubeObject, managed: ManagedPart | undefined) {
    this.managed = managed;
    const { kind, apiVersion, metadata, ...rest } = object;
    const { resourceVersion: _version, managedFields: _fields, ...kept } = metadata;
    // resourceVersion has its slot from the start: JSON.stringify leaves undefined out, and setting it later changes no shape.
    this.#object = { kind, apiVersion, metadata: { resourceVersion: undefined, ...kept }, ...rest };
    this.bytes = bufferOf(encoder.encode(JSON.stringify(this.#object)));
  }

  /** bytes that are stored */
  get size(): number {
    return this.bytes.length + (this.managed?.byteLength ?? 0);
  }

  /** What an op puts. */
  get puts(): Pick<Op, 'put' | 'managed' | 'attachment'> {
    return { put: this.bytes, managed: this.managed, attachment: this };
  }

  /** What it is when it has been stored; of revision 0, what it would be. */
  storedAs({ key, revision, lease }: Pick<Parts, 'key' | 'revision' | 'lease'>): StoredObject {
    const object = revision > 0 ? this.seal(revision) : undefined;
    return new StoredObject({ key, revision, value: this.bytes, managed: this.managed, lease, object });
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

interface Parts {
  readonly key: string;
  readonly revision: Revision;
  readonly value: Uint8Array;
  readonly managed?: ManagedPart | undefined;
  readonly lease?: number | undefined;
  readonly object?: KubeObject | undefined;
  readonly bulkyFields?: readonly string[] | undefined;
}

const none: readonly string[] = [];
const nothing = Buffer.alloc(0);

export class StoredObject {
  readonly key: string;
  readonly revision: Revision;
  readonly lease: number | undefined;
  /** the JSON of its managedFields */
  readonly managed: ManagedPart | undefined;
  /** bytes of its value as stored */
  readonly valueSize: number;
  /** As stored, until somebody asks for the JSON; then that, if there is no managed part, so that there is one copy only. */
  #bytes: Buffer;
  /** of a bulky object, in place of its bytes */
  readonly #packed: PackedBytes | undefined;
  readonly #bulkyFields: readonly string[];
  #isSpliced = false;
  #object: KubeObject | undefined;
  #message: Buffer | undefined;
  /** the kind, of its own version, that serves it as it is stored */
  #asStored: Kind | undefined;
  /** other views, by version */
  #views: Map<string, { readonly kind: Kind; readonly stored: StoredObject }> | undefined;

  constructor(given: Parts) {
    const { value } = given;
    this.key = given.key;
    this.revision = given.revision;
    this.lease = given.lease;
    this.managed = given.managed;
    this.#bulkyFields = given.bulkyFields ?? none;
    this.#packed = this.#bulkyFields.length > 0 ? new PackedBytes(bufferOf(value)) : undefined;
    this.#bytes = this.#packed ? nothing : bufferOf(value);
    this.valueSize = value.byteLength;
    this.#object = given.object;
  }

  /** `bulkyFields`: what it is best to hold compressed, and to parse when it is asked for (bulky-object.ts). */
  static from({ attachment, ...kv }: KeyValue, bulkyFields: readonly string[] = none): StoredObject {
    const object = attachment instanceof Draft && bulkyFields.length === 0 ? attachment.seal(kv.revision) : undefined;
    return new StoredObject({
      key: kv.key,
      revision: kv.revision,
      value: kv.value,
      managed: kv.managed,
      lease: kv.lease,
      object,
      bulkyFields,
    });
  }

  /** Compresses what it holds, if that is bulky; parsed first, while the bytes are there. */
  async pack(): Promise<void> {
    if (!this.#packed) return;
    this.#object ??= this.#parse();
    await this.#packed.pack();
  }

  get #raw(): Buffer {
    return this.#packed?.bytes ?? this.#bytes;
  }

  /** What a dry run would have stored at this place: `revision` 0 means that the answer carries no resourceVersion. */
  static unstored({ key, managed }: Pick<Parts, 'key' | 'managed'>, object: KubeObject, revision: Revision): StoredObject {
    return new Draft(object, managed).storedAs({ key, revision });
  }

  /** Frozen, shared by all in this process, and without managedFields. */
  get object(): KubeObject {
    this.#object ??= this.#parse();
    return this.#object;
  }

  /** The object with its managedFields, as clients get it in forms that are made of values. */
  get whole(): KubeObject {
    if (!this.managed) return this.object;
    const { resourceVersion, ...metadata } = this.object.metadata;
    const managedFields = entriesOf(this.managed);
    return { ...this.object, metadata: { ...(resourceVersion !== undefined && { resourceVersion }), managedFields, ...metadata } };
  }

  /** The JSON of something that shows the object's metadata, with its managedFields put in. Parses nothing. */
  completed(text: string): string {
    if (!this.managed) return text;
    const found = text.indexOf(metadataText);
    if (found < 0) return text;
    const at = found + metadataText.length;
    const fields = managedName + this.managed.toString();
    return `${text.slice(0, at)}${fields}${text.charCodeAt(at) === closingBrace ? '' : ','}${text.slice(at)}`;
  }

  /** bytes of its JSON, more or less */
  get size(): number {
    return (this.#packed ?? this.#bytes).length + (this.managed?.byteLength ?? 0);
  }

  /** The object as clients get it. With a managed part it is made each time: kept, the part would be there once per object. */
  get json(): Buffer {
    if (this.managed || this.#packed) return splice(this.#raw, this.revision, this.managed);
    if (!this.#isSpliced && this.revision > 0) {
      this.#bytes = splice(this.#bytes, this.revision);
      this.#isSpliced = true;
    }
    return this.#bytes;
  }

  /** The object as a protobuf message without its envelope. */
  get message(): Buffer {
    if (this.#packed) return encodeMessage(this.whole);
    this.#message ??= encodeMessage(this.whole);
    return this.#message;
  }

  /** The message with rests, for a large object. */
  *messageInSteps(): Steps<Buffer> {
    if (this.#message) return this.#message;
    const { whole } = this;
    yield;
    const message = yield* encodeMessageInSteps(whole);
    if (!this.#packed) this.#message = message;
    return message;
  }

  /** The same object as of a later revision: what a DELETED event shows. */
  at(revision: Revision): StoredObject {
    const object = this.#object;
    const moved = object && deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
    const value = this.#isSpliced ? unsplice(this.#bytes, this.revision) : this.#raw;
    const { key, managed, lease } = this;
    const later = new StoredObject({ key, revision, value, managed, lease, object: moved, bulkyFields: this.#bulkyFields });
    later.#asStored = this.#asStored;
    if (this.#views)
      later.#views = new Map([...this.#views].map(([version, { kind, stored }]) => [version, { kind, stored: stored.at(revision) }]));
    return later;
  }

  /** The object as this kind serves it, once that has been made. */
  view(kind: Kind): StoredObject | undefined {
    if (this.#asStored === kind) return this;
    const view = this.#views?.get(kind.version);
    return view?.kind === kind ? view.stored : undefined;
  }

  /** Keeps what it is as this kind: one view per version, since a kind that changes converts in another way. */
  keepView(kind: Kind, converted: KubeObject): StoredObject {
    if (converted === this.object) {
      this.#asStored = kind;
      return this;
    }
    const stored = this.#as(converted);
    this.#views ??= new Map();
    this.#views.set(kind.version, { kind, stored });
    return stored;
  }

  #as(converted: KubeObject): StoredObject {
    return new Draft(converted, this.managed).storedAs(this);
  }

  #parse(): KubeObject {
    const revise = (object: KubeObject): void => {
      if (this.revision > 0) (object as Writable).metadata.resourceVersion = String(this.revision);
    };
    if (this.#packed) return parseBulky<KubeObject>(this.#packed, this.#bulkyFields, revise);
    const object = parseJSON(this.#bytes.toString()) as KubeObject;
    revise(object);
    return deepFreeze(object);
  }
}

/** Of the objects of a list many have an equal part, most of them one after the other: the last one is not parsed again. */
let lastParsed: { readonly part: ManagedPart; readonly entries: readonly ManagedFieldsEntry[] } | undefined;
const keptParsedBytesMax = 64 * 1024;

function entriesOf(part: ManagedPart): readonly ManagedFieldsEntry[] {
  if (lastParsed?.part === part) return lastParsed.entries;
  const entries = parseJSON(part.toString()) as readonly ManagedFieldsEntry[];
  if (part.byteLength <= keptParsedBytesMax) lastParsed = { part, entries: deepFreeze(entries) };
  return entries;
}

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const insertionOf = (revision: Revision): string => `"resourceVersion":"${revision}"`;

/** Of revision 0 no resourceVersion is told. */
function splice(source: Buffer, revision: Revision, managed?: ManagedPart): Buffer {
  const at = source.indexOf(metadataOpening) + metadataOpening.length;
  const names = managed ? `${revision > 0 ? `${insertionOf(revision)},` : ''}${managedName}` : insertionOf(revision);
  const managedBytes = managed?.byteLength ?? 0;
  const withComma = source[at] !== closingBrace;
  const json = Buffer.allocUnsafe(source.length + names.length + managedBytes + (withComma ? 1 : 0));
  source.copy(json, 0, 0, at);
  let end = at + json.write(names, at, 'latin1');
  if (managed) end = managed.writeTo(json, end);
  if (withComma) json[end++] = comma;
  source.copy(json, end, at);
  return json;
}

function unsplice(json: Buffer, revision: Revision): Buffer {
  const at = json.indexOf(metadataOpening) + metadataOpening.length;
  const end = at + insertionOf(revision).length;
  return Buffer.concat([json.subarray(0, at), json.subarray(json[end] === comma ? end + 1 : end)]);
}
