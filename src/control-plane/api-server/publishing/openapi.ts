/**
 * `/openapi/v2` and `/openapi/v3`: documents made when they are first asked for, and kept while what they describe
 * stands. A version 3 document has its fingerprint in its URL, so that clients may keep it for ever; a fingerprint is
 * made of the tables and the kinds, without making the document. Version 2 has what other servers say of theirs, too. It is offered as JSON and protobuf, version 3 as
 * JSON only.
 * Upstream: kube-openapi/pkg/{handler,handler3}.
 */
import { createHash } from 'node:crypto';
import typeTable from '../../../api/data/types.json' with { type: 'json' };
import wireTable from '../../../api/data/wire.json' with { type: 'json' };
import type { KindSnapshot, OpenAPIPart } from '../../../api/kinds/kind-snapshot.ts';
import type { KindRegistry } from '../../../api/kinds/registry.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { Steps } from '../../../api/meta/steps.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { parseAccept } from '../http/negotiation.ts';
import type { NonResourceTarget } from '../request/api-request.ts';
import type { NonResourceEndpoint, NonResourceResponse } from '../request/non-resource-endpoint.ts';
import { takeInTurns, yieldTurn } from '../request/yield-turn.ts';
import { headerOf, isKnown, pathNotFound } from './answers.ts';
import { type Descriptions, readDescriptions } from './descriptions.ts';
import { type ServedGroup, servedGroups } from './group-order.ts';
import { type DocumentTexts, openApiV2, openApiV3, rootDocument, rootPaths } from './openapi-documents.ts';
import { mergeOpenApiV2, type Part } from './openapi-merge.ts';
import type { Json } from './openapi-schemas.ts';

export interface OpenApiOptions {
  readonly registry: KindRegistry;
  /** `v1.36.3`: the release that documents name */
  readonly version: string;
  /** read when the first document is asked for; default: those that were made with the installation */
  readonly readDescriptions?: (() => Descriptions) | undefined;
  /** now, for the Expires header */
  readonly nowMs?: (() => number) | undefined;
}

const digest = (...parts: readonly string[]): string => {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').toUpperCase();
};

/** What all documents are made of beside the kinds: read when the first is asked for, and once. */
class Sources {
  readonly #read: () => Descriptions;
  #descriptions: Descriptions | undefined;
  #digest: string | undefined;

  constructor(read: () => Descriptions) {
    this.#read = read;
  }

  get descriptions(): Descriptions {
    this.#descriptions ??= this.#read();
    return this.#descriptions;
  }

  get digest(): string {
    this.#digest ??= digest(JSON.stringify(typeTable), JSON.stringify(wireTable), this.descriptions.fingerprint);
    return this.#digest;
  }
}

const told = new WeakMap<Kind, string>();

/** What tells the documents of two kinds apart, without making them. */
function describeKind(kind: Kind): string {
  let text = told.get(kind);
  if (text === undefined) {
    const { resource, kind: name, listKind, typeName, namespaced, verbs, subresources, definition } = kind;
    text = JSON.stringify([resource, name, listKind, typeName, namespaced, verbs, subresources, definition?.uid, definition?.generation]);
    told.set(kind, text);
  }
  return text;
}

/** What was made of one state of the registry; of the state before it, what describes the same. */
class Documents {
  readonly served: KindSnapshot;
  readonly groups: readonly ServedGroup[];
  readonly #release: string;
  readonly #sources: Sources;
  readonly #version: string;
  /** documents of version 3, by fingerprint */
  readonly #v3: Map<string, Promise<string>>;
  #v2: Promise<string> | undefined;
  #v2Protobuf: Promise<Uint8Array> | undefined;
  #hashes: ReadonlyMap<string, string> | undefined;

  constructor({ registry, version }: OpenApiOptions, sources: Sources, before?: Documents) {
    this.served = registry.current;
    this.groups = localGroups(servedGroups(this.served));
    this.#version = version;
    this.#release = /^v?(\d+\.\d+)/.exec(version)?.[1] ?? version;
    this.#sources = sources;
    this.#v3 = before ? before.#v3 : new Map();
  }

  /** `apis/apps/v1` to its fingerprint, for all documents of version 3. */
  get hashes(): ReadonlyMap<string, string> {
    this.#hashes ??= this.#makeHashes();
    return this.#hashes;
  }

  #makeHashes(): ReadonlyMap<string, string> {
    const all = [...rootPaths(this.groups).map((path) => [path, []] as const), ...versionPaths(this.groups)];
    const hashes = new Map(all.map(([path, kinds]) => [path, this.#fingerprint(path, kinds)]));
    const wanted = new Set(hashes.values());
    for (const hash of this.#v3.keys()) if (!wanted.has(hash)) this.#v3.delete(hash);
    return hashes;
  }

  get v2Hash(): string {
    return digest('v2', ...this.hashes.values(), ...this.#parts.map(({ hash }) => hash));
  }

  #fingerprint(path: string, kinds: readonly Kind[]): string {
    return digest(this.#sources.digest, this.#version, path, ...kinds.map(describeKind));
  }

  /** `hash`: its fingerprint */
  v3(path: string, hash: string): Promise<string> {
    let text = this.#v3.get(hash);
    if (text === undefined) {
      text = writeInTurns(this.#makeV3(path));
      this.#v3.set(hash, text);
      text.catch(() => this.#v3.delete(hash));
    }
    return text;
  }

  #makeV3(path: string): Steps<object> {
    const kinds = new Map(versionPaths(this.groups)).get(path);
    const [root, first = '', second = ''] = path.split('/');
    if (!kinds) return done(rootDocument(path, this.#texts));
    return root === 'api' ? openApiV3('', first, kinds, this.#texts) : openApiV3(first, second, kinds, this.#texts);
  }

  get #texts(): DocumentTexts {
    return { release: this.#release, descriptions: this.#sources.descriptions };
  }

  v2(): Promise<string> {
    this.#v2 ??= writeInTurns(this.#makeV2(this.#parts));
    return this.#v2;
  }

  /** What other servers say of theirs. */
  get #parts(): readonly OpenAPIPart[] {
    return [...this.served.backends].flatMap(({ openAPIV2 }) => openAPIV2 ?? []);
  }

  *#makeV2(parts: readonly OpenAPIPart[]): Steps<Json> {
    const document = yield* openApiV2(this.groups, this.#texts);
    return parts.length === 0 ? document : yield* mergeOpenApiV2(document, parts.map(readPart));
  }

  v2Protobuf(): Promise<Uint8Array> {
    this.#v2Protobuf ??= this.#encodeV2();
    return this.#v2Protobuf;
  }

  async #encodeV2(): Promise<Uint8Array> {
    const { encodeOpenApiV2 } = await import('./openapi-protobuf.ts');
    try {
      return encodeOpenApiV2(await takeInTurns(this.#makeV2(this.#parts), true));
    } catch {
      // Something that another server says has no form there.
      return encodeOpenApiV2(await takeInTurns(this.#makeV2([]), true));
    }
  }
}

/** Of what custom resources say there may be very much: between two of them others have their turn. */
async function writeInTurns(steps: Steps<object>): Promise<string> {
  const document = await takeInTurns(steps, true);
  const members: string[] = [];
  for (const [name, value] of Object.entries(document)) members.push(`${JSON.stringify(name)}:${await writeEntries(value, entriesDepth)}`);
  return `{${members.join(',')}}`;
}

/** Paths and definitions, or below `components`, schemas: their entries are written one by one. */
const entriesDepth = 2;

async function writeEntries(value: unknown, depth: number): Promise<string> {
  if (depth === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  const members: string[] = [];
  let written = 0;
  for (const [name, entry] of Object.entries(value)) {
    if (entry === undefined) continue;
    const text = await writeEntries(entry, depth - 1);
    members.push(`${JSON.stringify(name)}:${text}`);
    written += text.length;
    if (written < turnCharacters) continue;
    written = 0;
    await yieldTurn();
  }
  return `{${members.join(',')}}`;
}
const turnCharacters = 256 * 1024;

// biome-ignore lint/correctness/useYield: a document that is made in one go
function* done(document: object): Steps<object> {
  return document;
}

const readPart = ({ text }: OpenAPIPart): Part => parseJSON(text) as unknown as Part;

/** What other servers answer for, they describe. */
const localGroups = (groups: readonly ServedGroup[]): readonly ServedGroup[] =>
  groups
    .map(({ group, versions }) => ({ group, versions: versions.filter(({ backend }) => !backend) }))
    .filter(({ versions }) => versions.length > 0);

function versionPaths(groups: readonly ServedGroup[]): readonly (readonly [string, readonly Kind[]])[] {
  return groups.flatMap(({ group, versions }) =>
    versions.map(({ version, kinds }) => [group ? `apis/${group}/${version}` : `api/${version}`, kinds] as const),
  );
}

const yearMs = 365 * 24 * 3600 * 1000;

export function openApiEndpoints(options: OpenApiOptions): readonly NonResourceEndpoint[] {
  const sources = new Sources(options.readDescriptions ?? readDescriptions);
  let documents = new Documents(options, sources);
  const current = (): Documents => {
    if (documents.served !== options.registry.current) documents = new Documents(options, sources, documents);
    return documents;
  };
  return [
    { paths: ['/openapi/v2'], handle: (request) => answerV2(current(), request) },
    { paths: ['/openapi/v3'], handle: () => answerIndex(current()) },
    { paths: ['/openapi/v3/*'], handle: (request) => answerV3(current(), request, options.nowMs) },
  ];
}

function acceptsJson(request: NonResourceTarget): boolean {
  const ranges = parseAccept(headerOf(request, 'accept'));
  return !ranges.length || ranges.some(({ type }) => type === 'application/json' || type === 'application/*' || type === '*/*');
}

const privately = { 'cache-control': 'no-cache, private' };
const nothing = (status: number, headers: Readonly<Record<string, string>> = privately): NonResourceResponse => ({
  status,
  headers,
  body: '',
});

/** Both spellings of the media type ask for the same. */
const protobufTypes: ReadonlySet<string> = new Set([
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
]);

async function answerV2(documents: Documents, request: NonResourceTarget): Promise<NonResourceResponse> {
  const wantsProtobuf = parseAccept(headerOf(request, 'accept')).some(({ type }) => protobufTypes.has(type));
  if (!wantsProtobuf && !acceptsJson(request)) return nothing(406);
  const etag = `"${documents.v2Hash}"`;
  const headers = { ...privately, etag, vary: 'Accept-Encoding, Accept' };
  if (isKnown(request, etag)) return nothing(304, headers);
  if (!wantsProtobuf) return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: await documents.v2() };
  const contentType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
  return { status: 200, headers: { ...headers, 'content-type': contentType }, body: await documents.v2Protobuf() };
}

function answerIndex(documents: Documents): NonResourceResponse {
  const own = [...documents.hashes].map(([path, hash]) => [path, `/openapi/v3/${path}?hash=${hash}`] as const);
  const elsewhere = [...documents.served.backends].flatMap(({ group, version, openAPI }) =>
    openAPI === undefined ? [] : [[`apis/${group}/${version}`, openAPI] as const],
  );
  const paths = [...own, ...elsewhere]
    .map(([path, serverRelativeURL]) => [path, { serverRelativeURL }] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const body = JSON.stringify({ paths: Object.fromEntries(paths) });
  return { status: 200, headers: { ...privately, 'content-type': 'text/plain; charset=utf-8' }, body };
}

async function answerV3(documents: Documents, request: NonResourceTarget, nowMs: (() => number) | undefined): Promise<NonResourceResponse> {
  const path = request.path.slice('/openapi/v3/'.length);
  const hash = documents.hashes.get(path);
  if (hash === undefined) return path === '' ? nothing(404) : pathNotFoundQuietly();
  if (!acceptsJson(request)) return nothing(406);
  const etag = `"${hash}"`;
  const asked = request.query.get('hash');
  if (asked && asked !== hash) return nothing(301, { ...privately, etag, vary: 'Accept', location: `/openapi/v3/${path}?hash=${hash}` });
  const forEver = {
    'cache-control': 'public, immutable',
    ...(nowMs && { expires: new Date(nowMs() + yearMs).toUTCString() }),
  };
  const headers = { ...(asked ? forEver : privately), etag, vary: 'Accept' };
  if (isKnown(request, etag)) return nothing(304, headers);
  return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: await documents.v3(path, hash) };
}

const pathNotFoundQuietly = (): NonResourceResponse => ({ ...pathNotFound(), headers: privately, body: '' });
