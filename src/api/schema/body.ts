/**
 * From the body of a request to an object of the expected type: malformed text, the wrong kind, wrong types, unknown and
 * duplicate fields, each answered as upstream does. What is returned has its apiVersion and kind.
 * Upstream: apiserver/pkg/endpoints/handlers/{create,update,rest}.go, apimachinery/pkg/runtime/serializer/json/json.go.
 */

import { apiVersionOf, groupOf, type KubeObject, versionOf } from '../meta/object.ts';
import { errors, fieldErrors, type StatusError } from '../meta/status-error.ts';
import { type Steps, takeSteps } from '../meta/steps.ts';
import { own } from '../meta/words.ts';
import { type Decoded, DecodeError, type DecodeOptions, decode, problemsMax } from './decode.ts';
import { hasMoreValues, JsonSyntaxError, mayHaveDuplicates, parseJSON, scanFields } from './json-scan.ts';
import { type GroupVersionKind, type ObjectSchema, objectSchema, typeNameOf } from './types.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** What the body has to be: a Kind, or the type that a subresource takes. */
export interface BodyType extends GroupVersionKind {
  readonly schema: ObjectSchema;
  /** another apiVersion that is taken for this one */
  readonly oldApiVersion?: string | undefined;
}

/** What was served once, is no longer, and still counts in bodies: some clients send nothing else. By kind. */
const oldApiVersions: Readonly<Record<string, string>> = { Eviction: 'policy/v1beta1' };

export interface BodyOptions extends DecodeOptions {
  readonly fieldValidation: FieldValidation;
  /** the JSON text that the body was parsed from: without it duplicate fields go unseen */
  readonly text?: string;
  /** what reading it has found already */
  readonly problems?: readonly string[] | undefined;
}

export interface DecodedBody {
  readonly object: KubeObject;
  /** for Warning headers */
  readonly warnings: readonly string[];
}

type Json = Record<string, unknown>;

/** The body type of a group, version and kind of the type table. Throws for what it doesn't have. */
export function bodyTypeOf(gvk: GroupVersionKind): BodyType {
  const name = typeNameOf(gvk);
  if (!name) throw new Error(`no type for ${gvk.group}/${gvk.version} ${gvk.kind}`);
  return {
    group: gvk.group,
    version: gvk.version,
    kind: gvk.kind,
    schema: objectSchema(name),
    oldApiVersion: own(oldApiVersions, gvk.kind),
  };
}

/** Checks `fieldValidation` of the query; throws Invalid. `options` is CreateOptions, UpdateOptions or PatchOptions. */
export function parseFieldValidation(value: string | null | undefined, options: string): FieldValidation {
  if (!value) return 'Warn';
  if (value === 'Strict' || value === 'Warn' || value === 'Ignore') return value;
  throw errors.invalid({ group: 'meta.k8s.io', kind: options }, '', [
    {
      type: 'FieldValueNotSupported',
      field: 'fieldValidation',
      badValue: value,
      detail: 'supported values: "", "Ignore", "Strict", "Warn"',
    },
  ]);
}

const snippetLength = 30;
/** of a body that says nothing of its kind */
const shownCharactersMax = 16 * 1024;

function snippet(text: string): string {
  if (!text) return '<empty>';
  const cut = text.length > snippetLength;
  const shown = text.slice(0, snippetLength);
  const body = text.startsWith('{') ? shown : Buffer.from(shown, 'utf8').toString('hex');
  return cut ? `${body} ...` : body;
}

function unrecognized(kind: string, why: string, text: string): Error {
  return unreadableBody(kind, `couldn't get version/kind; json parse error: ${why}`, text);
}

const metaStruct = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/**
 * Values of one body, and of what a patch makes; names of fields count. The largest objects known, definitions of custom
 * resources that nearly fill what may be stored, have two thirds of it (ADR 14).
 */
export const bodyValuesMax = 100_000;

export function checkBodyValues(text: string): void {
  if (hasMoreValues(text, bodyValuesMax)) throw tooManyValues();
}

export const tooManyValues = (): Error => errors.tooLarge(`Request entity too large: more than ${bodyValuesMax} values`);

/** As `parseBodyInSteps`, at once. */
export const parseBody = (text: string, kind: string): Json => takeSteps(parseBodyInSteps(text, kind));

/** Parses the JSON text of a body that has to be an object. Throws BadRequest and RequestEntityTooLarge. */
export function* parseBodyInSteps(text: string, kind: string): Steps<Json> {
  checkBodyValues(text);
  yield;
  try {
    return requireObject(parseJSON(text), kind, text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw unrecognized(kind, error.message, text);
    throw error;
  }
}

/** A body that is an object; null counts as an empty one. Throws BadRequest. `text`: as it came. */
export function requireObject(value: unknown, kind: string, text: string): Json {
  if (value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Json;
  const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  throw unrecognized(kind, `json: cannot unmarshal ${what} into Go value of type ${metaStruct}`, text);
}

/** A body that is no text of its format. */
export function unreadableBody(kind: string, why: string, text: string): Error {
  return errors.badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${snippet(text)})`);
}

/** As `decodeBodyInSteps`, at once. */
export const decodeBody = (type: BodyType, body: Readonly<Json>, options: BodyOptions): DecodedBody =>
  takeSteps(decodeBodyInSteps(type, body, options));

/** Decodes a parsed body. Throws BadRequest. */
export function* decodeBodyInSteps(type: BodyType, body: Readonly<Json>, options: BodyOptions): Steps<DecodedBody> {
  checkKind(type, body, options.text ?? '');
  let decoded: Decoded;
  try {
    decoded = decode(type.schema, body, options);
  } catch (error) {
    if (error instanceof DecodeError) throw cannotBeHandled(type, type, error.message);
    throw error;
  }
  const apiVersion = apiVersionOf(type);
  const value = decoded.value;
  const front = { apiVersion, kind: type.kind };
  const typed = value['apiVersion'] === apiVersion && value['kind'] === type.kind ? value : { ...front, ...value, ...front };
  const object = typed as unknown as KubeObject;
  if (options.fieldValidation === 'Ignore') return { object, warnings: [] };
  yield;
  const problems = [...(options.problems ?? []), ...withDuplicates(decoded, options.text, !type.schema.custom)];
  if (!problems.length) return { object, warnings: problems };
  if (options.fieldValidation === 'Strict') throw cannotBeHandled(type, type, `strict decoding error: ${problems.join(', ')}`);
  return { object, warnings: problems };
}

const cannotBeHandled = (given: { version: string; kind: string }, wanted: BodyType, why: string): Error =>
  errors.badRequest(`${given.kind} in version ${JSON.stringify(given.version)} cannot be handled as a ${wanted.kind}: ${why}`);

/** What is wrong with such an object, without the kind before it; undefined: the error is another. */
export function whyUndecodable(error: StatusError): string | undefined {
  const head = /^\S* in version "[^"]*" cannot be handled as a \S+: /.exec(error.message)?.[0];
  return head && error.message.slice(head.length);
}

function checkKind(type: BodyType, body: Readonly<Json>, text: string): void {
  for (const field of ['apiVersion', 'kind'] as const) {
    const value = body[field];
    if (value === undefined || value === null || typeof value === 'string') continue;
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw unrecognized(type.kind, `json: cannot unmarshal ${what} into Go struct field .${field} of type string`, text);
  }
  const apiVersion = body['apiVersion'] || apiVersionOf(type);
  if (type.schema.custom) {
    checkCustomKind(type, body, text);
    return;
  }
  const kind = String(body['kind'] || type.kind);
  if ((apiVersion === apiVersionOf(type) || apiVersion === type.oldApiVersion) && kind === type.kind) return;
  const given = gvkOf(String(apiVersion), kind);
  if (!typeNameOf(given)) {
    const why = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`;
    throw cannotBeHandled(given, type, why);
  }
  if (kind === type.kind) throw otherVersion(type, String(apiVersion));
  const internalGroup = (type.group || 'core').split('.')[0];
  throw cannotBeHandled(given, type, `converting (${given.version}.${kind}) to (${internalGroup}.${type.kind}): unknown conversion`);
}

/** Of a custom resource upstream decodes any kind, and asks later. */
function checkCustomKind(type: BodyType, body: Readonly<Json>, text: string): void {
  const { kind, apiVersion = '' } = body;
  if (!kind) throw unreadableBody(type.kind, `Object 'Kind' is missing in '${text.slice(0, shownCharactersMax)}'`, text);
  if (apiVersion !== apiVersionOf(type)) throw otherVersion(type, String(apiVersion));
  if (kind === type.kind) return;
  const name = own((body['metadata'] ?? {}) as Json, 'name');
  throw errors.invalid({ group: type.group, kind: String(kind) }, String(name ?? ''), [
    fieldErrors.invalid('kind', kind, `must be ${type.kind}`),
  ]);
}

const otherVersion = (type: BodyType, given: string): Error =>
  errors.badRequest(`the API version in the data (${given}) does not match the expected API version (${apiVersionOf(type)})`);

const gvkOf = (apiVersion: string, kind: string): GroupVersionKind => ({
  group: groupOf(apiVersion),
  version: versionOf(apiVersion),
  kind,
});

/** How much of paths is looked at to bring unknown and duplicate fields into one order. */
const comparedCharactersMax = 1024 * 1024;

/** Duplicate and unknown fields; `inOrder`: as they are in the text, else the former first. */
function withDuplicates(decoded: Decoded, text: string | undefined, inOrder: boolean): readonly string[] {
  if (text === undefined || !mayHaveDuplicates(text, decoded.fieldCount)) return decoded.unknown;
  const unknown = new Set(decoded.unknown);
  const found: string[] = [];
  let compared = 0;
  scanFields(text, (path, isDuplicate) => {
    if (found.length >= problemsMax || (!isDuplicate && (unknown.size === 0 || compared > comparedCharactersMax))) return;
    compared += path.length;
    const quoted = JSON.stringify(path);
    if (isDuplicate) found.push(`duplicate field ${quoted}`);
    if (inOrder && unknown.delete(`unknown field ${quoted}`)) found.push(`unknown field ${quoted}`);
  });
  return [...found, ...unknown].slice(0, problemsMax);
}
