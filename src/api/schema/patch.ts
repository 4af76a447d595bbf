/**
 * A PATCH request's body applied to an object: JSON Patch, JSON Merge Patch and strategic merge patch, with every
 * refusal as upstream words it. The result is decoded like any body (decode.ts). Server-side apply is not here.
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go.
 */

import { apiVersionOf, type KubeObject } from '../meta/object.ts';
import { errors, fieldErrors, isStatusError, StatusError } from '../meta/status-error.ts';
import type { Steps } from '../meta/steps.ts';
import { own } from '../meta/words.ts';
import {
  type BodyType,
  bodyValuesMax,
  checkBodyValues,
  type DecodedBody,
  decodeBodyInSteps,
  type FieldValidation,
  tooManyValues,
  whyUndecodable,
} from './body.ts';
import { problemsMax } from './decode.ts';
import { applyJsonPatch, JsonPatchError, type JsonPatchOperation } from './json-patch.ts';
import { duplicateFields, JsonSyntaxError, mayHaveDuplicates, parseJSON } from './json-scan.ts';
import { applyMergePatch, isJsonObject } from './merge-patch.ts';
import { isTooDeep, nestingMax } from './nesting.ts';
import { applyStrategicMerge, formatGoValue, StrategicMergeError } from './strategic-merge.ts';

/** By content type. */
export const patchTypes = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
} as const;
export type PatchType = (typeof patchTypes)[keyof typeof patchTypes];
/** What is applied here: an applied configuration is no change of a document. */
export type DocumentPatchType = Exclude<PatchType, 'apply'>;

const operationsMax = 10_000;
/** of a patch that is refused */
const shownCharactersMax = 16 * 1024;

export interface ParsedPatch {
  readonly type: DocumentPatchType;
  readonly value: unknown;
  /** as it came, for duplicate fields */
  readonly text: string;
}

/** Reads the body of a patch. Throws BadRequest or RequestEntityTooLarge. */
export function parsePatch(type: DocumentPatchType, text: string): ParsedPatch {
  const prefix = type === 'strategic' ? '' : 'error decoding patch: ';
  const value = parseJson(text, prefix);
  if (type === 'json') {
    if (!Array.isArray(value)) {
      throw errors.badRequest(`${prefix}json: cannot unmarshal ${kindOf(value)} into Go value of type []handlers.jsonPatchOp`);
    }
    if (value.length > operationsMax) {
      const message = `The allowed maximum operations in a JSON patch is ${operationsMax}, got ${value.length}`;
      throw errors.tooLarge(`Request entity too large: ${message}`);
    }
    for (const operation of value) checkOperation(operation, prefix);
    return { type, value, text };
  }
  if (value === null && type === 'merge') throw errors.badRequest('Invalid JSON Patch');
  if (value !== null && !isJsonObject(value)) {
    throw errors.badRequest(`${prefix}json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`);
  }
  return { type, value: value ?? {}, text };
}

function parseJson(text: string, prefix: string): unknown {
  checkBodyValues(text);
  try {
    const value = parseJSON(text);
    if (mayBeTooDeep(text) && isTooDeep(value)) throw errors.badRequest(`${prefix}exceeded max depth`);
    return value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw errors.badRequest(`${prefix}${error.message}`);
    throw error;
  }
}

/** False where there are not even as many objects and lists as levels are allowed. */
function mayBeTooDeep(text: string): boolean {
  let left = nestingMax;
  for (const opening of ['{', '[']) {
    for (let at = text.indexOf(opening); at >= 0 && left >= 0; at = text.indexOf(opening, at + 1)) left--;
  }
  return left < 0;
}

/** An operation may be null; so may its members. */
function checkOperation(operation: unknown, prefix: string): void {
  if (operation === null) return;
  const refuse = (value: unknown, where: string): Error =>
    errors.badRequest(`${prefix}json: cannot unmarshal ${kindOf(value)} into Go ${where}`);
  if (!isJsonObject(operation)) throw refuse(operation, 'value of type handlers.jsonPatchOp');
  for (const member of ['op', 'path', 'from']) {
    const value = own(operation, member) ?? null;
    if (value !== null && typeof value !== 'string') throw refuse(value, `struct field jsonPatchOp.${member} of type string`);
  }
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value);

type Json = Readonly<Record<string, unknown>>;

/** The patched object, which is still to be counted and decoded. Throws what the client is to see. */
export function* applyPatch(patch: ParsedPatch, type: BodyType, current: KubeObject): Steps<Json> {
  const patched = yield* patchDocument(patch, type, current);
  if (!isJsonObject(patched)) throw unprocessable('');
  return patched;
}

/** Only JSON patches can make more of little (`copy`). Throws RequestEntityTooLarge. */
export function checkPatchedValues(patched: Json): void {
  if (countValues(patched, bodyValuesMax) > bodyValuesMax) throw tooManyValues();
}

/** What `applyPatch` has made, decoded. Throws what the client is to see. */
export function* decodePatched(patch: ParsedPatch, type: BodyType, patched: Json, fieldValidation: FieldValidation): Steps<DecodedBody> {
  const refuse = (why: string): StatusError => {
    const shown = patch.type === 'strategic' ? formatGoValue(patch.value, shownCharactersMax) : JSON.stringify(patched);
    return errors.invalid({ group: '', kind: '' }, '', [fieldErrors.invalid('patch', shown, why)]);
  };
  const own = fieldValidation === 'Ignore' ? [] : problemsOfPatch(patch);
  if (own.length && fieldValidation === 'Strict') throw refuse(`strict decoding error: ${own.join(', ')}`);
  yield;
  const { object, warnings } = yield* decodeDocument(type, patched, fieldValidation, refuse);
  return { object, warnings: [...own, ...warnings] };
}

function* patchDocument(patch: ParsedPatch, type: BodyType, current: KubeObject): Steps<unknown> {
  try {
    switch (patch.type) {
      case 'json':
        return yield* applyJsonPatch(current, patch.value as readonly JsonPatchOperation[]);
      case 'merge':
        return applyMergePatch(current, patch.value);
      case 'strategic': {
        const merged = applyStrategicMerge(
          type.schema,
          current as unknown as Record<string, unknown>,
          patch.value as Record<string, unknown>,
        );
        // What kind of object the patch takes it for is not asked.
        return { ...merged, apiVersion: current.apiVersion, kind: current.kind };
      }
    }
  } catch (error) {
    if (error instanceof JsonPatchError) throw unprocessable('');
    if (!(error instanceof StrategicMergeError)) throw error;
    if (error.reason === 'malformed') throw errors.badRequest(error.message);
    if (error.reason === 'unprocessable') throw unprocessable(error.message);
    throw new StatusError({ code: 500, reason: '', message: error.message });
  }
}

/** Upstream hides why a patch could not be applied. */
function unprocessable(detail: string): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: detail ? { causes: [{ reason: 'UnexpectedServerResponse', message: detail }] } : {},
  });
}

/** Operations with unknown fields, and fields that are in the patch twice. */
function problemsOfPatch(patch: ParsedPatch): readonly string[] {
  const found: string[] = [];
  if (patch.type === 'json') {
    (patch.value as readonly (Record<string, unknown> | null)[]).forEach((operation, i) => {
      for (const key in operation) {
        if (found.length < problemsMax && !operationFields.has(key)) found.push(`json patch unknown field "[${i}].${key}"`);
      }
    });
  }
  if (!mayHaveDuplicates(patch.text, countFields(patch.value))) return found;
  const prefix = patch.type === 'json' ? 'json patch ' : '';
  const twice = duplicateFields(patch.text, problemsMax - found.length);
  return [...found, ...twice.map((path) => `${prefix}duplicate field ${JSON.stringify(path)}`)];
}

const operationFields: ReadonlySet<string> = new Set(['op', 'path', 'from', 'value']);

/** Values, names of fields among them; the count ends soon after `max`. */
function countValues(value: unknown, max: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && count <= max; i++) count += countValues(value[i], max - count);
  } else {
    for (const key in value) {
      count += 1 + countValues(own(value as Json, key), max - count);
      if (count > max) break;
    }
  }
  return count;
}

function countFields(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countFields(item), 0);
  if (!isJsonObject(value)) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + 1 + countFields(item), 0);
}

function* decodeDocument(
  type: BodyType,
  patched: Json,
  fieldValidation: FieldValidation,
  refuse: (why: string) => StatusError,
): Steps<DecodedBody> {
  try {
    return yield* decodeBodyInSteps(type, patched, { fieldValidation });
  } catch (error) {
    if (!isStatusError(error)) throw error;
    const why = whyUndecodable(error);
    if (why !== undefined) throw refuse(why);
    throw patched['apiVersion'] === apiVersionOf(type) ? refuse(error.message) : error;
  }
}
