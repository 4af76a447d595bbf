/**
 * Every error that a client of the API can see, as Kubernetes' Status. All of them are made here, so that reasons,
 * codes and wording (which clients match on) are decided in one place.
 * Upstream: apimachinery/pkg/api/errors/errors.go, apimachinery/pkg/util/validation/field/errors.go.
 */
import type { ListMeta, Status, StatusCause, StatusDetails } from '../generated/meta-v1.ts';
import { escapeAsGo } from './go-json.ts';
import { own } from './words.ts';

export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status & { readonly code: number };
  /** who refused, where that is not what the reason says: an admission plugin, `authorization`; no client is told */
  refusedBy: string | undefined;
  constructor(status: { code: number; reason: string; message: string; details?: StatusDetails; metadata?: ListMeta }) {
    super(status.message);
    const { code, reason, message, details, metadata = {} } = status;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason && { reason }),
      ...(details && { details }),
      code,
    };
  }
  get code(): number {
    return this.status.code;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
  /** From a Status that came over the wire. */
  static from(status: Status, httpCode = 500): StatusError {
    return new StatusError({
      code: status.code ?? httpCode,
      reason: status.reason ?? '',
      message: status.message ?? 'unknown',
      ...(status.details && { details: status.details }),
      ...(status.metadata && { metadata: status.metadata }),
    });
  }
}

/** What is to be told of something that was thrown; it need not be an Error. */
/** Not all that is thrown is an Error: CEL's own have a message too. */
export const messageOf = (error: unknown): string => {
  const { message } = (error ?? {}) as { readonly message?: unknown };
  return typeof message === 'string' ? message : String(error);
};

export const isStatusError = (error: unknown): error is StatusError => error instanceof StatusError;
export const isNotFound = (error: unknown): boolean => isStatusError(error) && error.reason === 'NotFound';
export const isAlreadyExists = (error: unknown): boolean => isStatusError(error) && error.reason === 'AlreadyExists';
export const isConflict = (error: unknown): boolean => isStatusError(error) && error.reason === 'Conflict';
export const isForbidden = (error: unknown): boolean => isStatusError(error) && error.reason === 'Forbidden';
export const isExpired = (error: unknown): boolean => isStatusError(error) && (error.reason === 'Expired' || error.reason === 'Gone');
export const isInvalid = (error: unknown): boolean => isStatusError(error) && error.reason === 'Invalid';

/** What an answer tells of the errors of one object: the first ones. Upstream tells all of them, however many. */
export const fieldErrorsMax = 1000;
const causesCharactersMax = 256 * 1024;
/** Where an object as a whole is wrong, in Go's words. */
const noField = '<nil>';

function causesOf(list: readonly FieldError[]): readonly StatusCause[] {
  const causes: StatusCause[] = [];
  let characters = 0;
  for (const error of list) {
    if (causes.length === fieldErrorsMax || characters > causesCharactersMax) break;
    const message = describeFieldErrorBody(error);
    causes.push({ reason: error.type, message, field: error.field || noField });
    characters += error.field.length + message.length;
  }
  return causes;
}

type Named = { readonly group: string; readonly resource: string };
const qualified = (r: Named): string => (r.group ? `${r.resource}.${r.group}` : r.resource);
const details = (r: Named, name: string, extra: Partial<StatusDetails> = {}): StatusDetails => ({
  ...(name && { name }),
  ...(r.group && { group: r.group }),
  ...(r.resource && { kind: r.resource }),
  ...extra,
});

export const errors = {
  notFound: (r: Named, name: string) =>
    new StatusError({ code: 404, reason: 'NotFound', message: `${qualified(r)} "${name}" not found`, details: details(r, name) }),
  /** No such path or resource. */
  pathNotFound: () =>
    new StatusError({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} }),
  alreadyExists: (r: Named, name: string) =>
    new StatusError({ code: 409, reason: 'AlreadyExists', message: `${qualified(r)} "${name}" already exists`, details: details(r, name) }),
  conflict: (r: Named, name: string, why = 'the object has been modified; please apply your changes to the latest version and try again') =>
    new StatusError({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on ${qualified(r)} "${name}": ${why}`,
      details: details(r, name),
    }),
  forbidden: (r: Named, name: string, why: string) =>
    new StatusError({
      code: 403,
      reason: 'Forbidden',
      message: r.resource ? `${qualified(r)}${name ? ` "${name}"` : ''} is forbidden: ${why}` : `forbidden: ${why}`,
      details: details(r, name),
    }),
  unauthorized: () => new StatusError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' }),
  badRequest: (message: string) => new StatusError({ code: 400, reason: 'BadRequest', message }),
  /** `kind` is the kind's name, as upstream has it here. */
  invalid: (kind: { group: string; kind: string }, name: string, list: readonly FieldError[]) => {
    const qualifiedKind = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
    const causes = causesOf(list);
    const texts = new Set(causes.map((cause) => `${cause.field}: ${cause.message}`));
    if (causes.length < list.length) texts.add('and more');
    const message = list.length === 1 ? [...texts][0] : `[${[...texts].join(', ')}]`;
    return new StatusError({
      code: 422,
      reason: 'Invalid',
      message: `${qualifiedKind} "${name}" is invalid${message ? `: ${message}` : ''}`,
      details: { ...(name && { name }), ...(kind.group && { group: kind.group }), ...(kind.kind && { kind: kind.kind }), causes },
    });
  },
  methodNotAllowed: (r: Named, verb: string) =>
    new StatusError({
      code: 405,
      reason: 'MethodNotAllowed',
      message: `${verb} is not supported on resources of kind "${qualified(r)}"`,
      details: details(r, ''),
    }),
  gone: (message: string) => new StatusError({ code: 410, reason: 'Gone', message }),
  expired: (message: string) => new StatusError({ code: 410, reason: 'Expired', message }),
  tooLarge: (message: string) => new StatusError({ code: 413, reason: 'RequestEntityTooLarge', message }),
  unsupportedMediaType: (message: string) => new StatusError({ code: 415, reason: 'UnsupportedMediaType', message }),
  notAcceptable: (message: string) => new StatusError({ code: 406, reason: 'NotAcceptable', message }),
  tooManyRequests: (message: string, retryAfterSeconds: number, causes: readonly StatusCause[] = []) =>
    new StatusError({
      code: 429,
      reason: 'TooManyRequests',
      message,
      details: { ...(causes.length && { causes }), ...(retryAfterSeconds && { retryAfterSeconds }) },
    }),
  timeout: (message: string, retryAfterSeconds = 0) =>
    new StatusError({
      code: 504,
      reason: 'Timeout',
      message: `Timeout: ${message}`,
      details: { ...(retryAfterSeconds && { retryAfterSeconds }) },
    }),
  internal: (message: string) =>
    new StatusError({
      code: 500,
      reason: 'InternalError',
      message: `Internal error occurred: ${message}`,
      details: { causes: [{ message }] },
    }),
  /** Without a reason, as upstream has those of its errors that are none of the API's. */
  unnamed: (message: string) => new StatusError({ code: 500, reason: '', message }),
  serviceUnavailable: (message: string) => new StatusError({ code: 503, reason: 'ServiceUnavailable', message }),
};

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

/** One thing wrong with an object. `field` is its path, as in `spec.containers[0].name`. */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly badValue?: unknown;
  readonly detail: string;
  /** it was so before: told as a warning, and no reason to refuse */
  readonly isForgiven?: boolean;
}

/** Stands for a value that the message leaves out. */
export const omittedValue = Symbol('omitted');

const label: Record<FieldErrorType, string> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  InternalError: 'Internal error',
  FieldValueTypeInvalid: 'Invalid value',
};

export const describeFieldError = (e: FieldError): string => `${e.field || noField}: ${describeFieldErrorBody(e)}`;

/** The message without the field's path. */
export function describeFieldErrorBody(e: FieldError): string {
  const text = label[e.type];
  const withValue =
    e.type !== 'FieldValueRequired' &&
    e.type !== 'FieldValueForbidden' &&
    e.type !== 'FieldValueTooLong' &&
    e.type !== 'InternalError' &&
    e.badValue !== omittedValue;
  const value = withValue ? `${text}: ${describeValue(e.badValue)}` : text;
  return e.detail ? `${value}: ${e.detail}` : value;
}

/** Longer values are cut: upstream shows them whole, in the message and in the cause. */
const shownCharactersMax = 16 * 1024;

/** As JSON; maps of texts (labels) in the order of their keys, fields of objects in their own. */
function describeValue(value: unknown): string {
  const rest = { characters: shownCharactersMax };
  const text =
    typeof value === 'string' ? quoteAsGo(value.slice(0, shownCharactersMax + 1)) : escapeMarkup(render(value ?? null, rest) ?? 'null');
  if (typeof value === 'string') rest.characters -= text.length;
  return rest.characters < 0 ? `${text.slice(0, shownCharactersMax)}...` : text;
}

/** Go's JSON can stand in a page of HTML. */
const escapeMarkup = (json: string): string =>
  json.replaceAll(/[<>&\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A text as Go's %q has it. */
export const quoteAsGo = (text: string): string =>
  JSON.stringify(text).replaceAll(/\\u00([01][0-9a-f])|\x7f/g, (_, hex = '7f') =>
    hex === '07' ? '\\a' : hex === '0b' ? '\\v' : `\\x${hex}`,
  );

/** JSON, until the characters that are left are used up. */
function render(value: unknown, rest: { characters: number }): string | undefined {
  if (rest.characters < 0 || value === undefined) return undefined;
  let text: string;
  if (typeof value !== 'object' || value === null) {
    text = typeof value === 'string' ? escapeAsGo(JSON.stringify(value.slice(0, rest.characters + 1))) : JSON.stringify(value);
  } else if (Array.isArray(value)) text = `[${renderAll(value, rest, (item) => render(item ?? null, rest)).join(',')}]`;
  else {
    const keys = Object.keys(value);
    const object = value as Readonly<Record<string, unknown>>;
    const isMap = keys.length <= shownCharactersMax && keys.every((key) => typeof own(object, key) === 'string');
    const fields = renderAll(isMap ? keys.sort() : keys, rest, (key) => {
      const field = render(own(object, key), rest);
      return field === undefined ? undefined : `${escapeAsGo(JSON.stringify(key))}:${field}`;
    });
    text = `{${fields.join(',')}}`;
  }
  if (typeof value !== 'object' || value === null) rest.characters -= text.length;
  return text;
}

function renderAll<T>(list: readonly T[], rest: { characters: number }, one: (item: T) => string | undefined): readonly string[] {
  const texts: string[] = [];
  for (const item of list) {
    rest.characters -= typeof item === 'string' ? item.length : 1;
    if (rest.characters < 0) break;
    const text = one(item);
    if (text !== undefined) texts.push(text);
  }
  return texts;
}

/** Thrown out of a search for errors that has found more than anybody is told. */
class EnoughFound extends Error {
  override readonly name = 'EnoughFound';
}

/** by the search that runs: searches are synchronous */
let collected: FieldError[] | undefined;

/**
 * What `find` finds, but no more than an answer tells and one: the search ends there, so that an object of a hundred
 * thousand wrong items costs no more than one of a thousand. `find` must not wait, nor make errors that it drops.
 */
export function collectFieldErrors<T>(find: () => T): T | readonly FieldError[] {
  const outer = collected;
  const own: FieldError[] = [];
  collected = own;
  try {
    return find();
  } catch (error) {
    if (error instanceof EnoughFound) return own;
    throw error;
  } finally {
    collected = outer;
  }
}

function made(error: FieldError): FieldError {
  collected?.push(error);
  if (collected && collected.length > fieldErrorsMax) throw new EnoughFound();
  return error;
}

/** Makers of field errors, in upstream's wording. */
export const fieldErrors = {
  notFound: (field: string, badValue: unknown): FieldError => made({ type: 'FieldValueNotFound', field, badValue, detail: '' }),
  required: (field: string, detail = ''): FieldError => made({ type: 'FieldValueRequired', field, badValue: '', detail }),
  duplicate: (field: string, badValue: unknown): FieldError => made({ type: 'FieldValueDuplicate', field, badValue, detail: '' }),
  invalid: (field: string, badValue: unknown, detail: string): FieldError => made({ type: 'FieldValueInvalid', field, badValue, detail }),
  /** For what concerns a whole object, where showing it says nothing. */
  invalidWithoutValue: (field: string, detail: string): FieldError =>
    made({
      type: 'FieldValueInvalid',
      field,
      badValue: omittedValue,
      detail,
    }),
  typeInvalid: (field: string, badValue: unknown, detail: string): FieldError =>
    made({
      type: 'FieldValueTypeInvalid',
      field,
      badValue,
      detail,
    }),
  /** The values are named in the order given: upstream sorts most of them, not all. */
  notSupported: (field: string, badValue: unknown, supported: readonly string[]): FieldError =>
    made({
      type: 'FieldValueNotSupported',
      field,
      badValue,
      detail: supported.length ? `supported values: ${supported.map((v) => JSON.stringify(v)).join(', ')}` : '',
    }),
  internal: (field: string, detail: string): FieldError => made({ type: 'InternalError', field, badValue: '', detail }),
  forbidden: (field: string, detail: string): FieldError => made({ type: 'FieldValueForbidden', field, badValue: '', detail }),
  tooLong: (field: string, maxLength: number, unit: 'byte' | 'character' = 'byte'): FieldError =>
    made({
      type: 'FieldValueTooLong',
      field,
      badValue: '<value omitted>',
      detail: `may not be more than ${maxLength} ${unit}${maxLength === 1 ? '' : 's'}`,
    }),
  tooMany: (field: string, actual: number, max: number): FieldError =>
    made({
      type: 'FieldValueTooMany',
      field,
      badValue: actual,
      detail: `must have at most ${max} item${max === 1 ? '' : 's'}`,
    }),
};
