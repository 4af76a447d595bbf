/**
 * In which form an answer goes out: JSON, YAML or protobuf, the object itself, a Table or its metadata only. The first
 * of the client's wishes (by weight, then in order) that the server can meet wins.
 * Upstream: apiserver/pkg/endpoints/handlers/negotiation.
 */

import { StatusError } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';

export type View = 'object' | 'table' | 'metadata';
export type Format = keyof typeof mediaTypes;

interface Form {
  readonly format: Format;
  readonly view: View;
}
export interface AnswerForm extends Form {
  readonly pretty: boolean;
}

export const mediaTypes = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
} as const;
export const acceptedTypes = Object.values(mediaTypes).join(', ');
const formats = new Map<string, Format>([
  ...Object.entries(mediaTypes).map(([format, type]): [string, Format] => [type, format as Format]),
  ['application/*', 'json'],
  ['*/*', 'json'],
]);
export const plainJson: AnswerForm = { format: 'json', view: 'object', pretty: false };
const known = new Map<string, Form | Refusal>();
/** Distinct Accept headers remembered, and how long one of them may be. */
const knownMax = 256;
const knownLengthMax = 1024;
/** Wishes of one header that are looked at. */
const clausesMax = 1000;
const browserLike = /^(curl|Wget|Mozilla\/5\.0)/;

type Refusal = 'none' | 'unknown-view';

export interface Negotiated {
  readonly accept: string | undefined;
  readonly userAgent?: string | undefined;
  readonly pretty?: string | null | undefined;
}

export interface Offer {
  /** a stream, which is never indented and never YAML */
  readonly isWatch?: boolean;
  /** false: what is answered can't be shown as a Table */
  readonly hasTable?: boolean;
  /** no object: it has neither Table nor metadata */
  readonly isDocument?: boolean;
  /** false: a kind that has no protobuf */
  readonly hasProtobuf?: boolean;
}

/** Throws NotAcceptable. */
export function negotiate(given: Negotiated, offer: Offer = {}): AnswerForm {
  const pretty = !offer.isWatch && wantsPretty(given);
  const form = formOf(given.accept, offer);
  if (form === 'none' && offer.hasProtobuf !== false) throw notAcceptable(offer);
  if (form === 'unknown-view' || form === 'none')
    throw new StatusError({ code: 406, reason: 'NotAcceptable', message: `only the following media types are accepted: ${acceptedTypes}` });
  if (form === plainJson && !pretty) return plainJson;
  return { ...form, pretty };
}

/** For an answer that goes out in any case. */
export function formOfError(given: Negotiated): AnswerForm {
  const form = formOf(given.accept, { isDocument: true });
  return { ...(typeof form === 'string' ? plainJson : form), pretty: wantsPretty(given) };
}

function wantsPretty({ pretty, userAgent }: Negotiated): boolean {
  if (pretty !== null && pretty !== undefined) return pretty === '' || pretty === '1' || pretty === 'true';
  return userAgent !== undefined && browserLike.test(userAgent);
}

function notAcceptable({ isDocument }: Offer): StatusError {
  const streams = ', application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';
  const message = `406: Not Acceptable\n\nAvailable representations: ${acceptedTypes}${isDocument ? '' : streams}`;
  return new StatusError({ code: 406, reason: 'NotAcceptable', message, details: {} });
}

function formOf(accept: string | undefined, offer: Offer): Form | Refusal {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === mediaTypes.json) return plainJson;
  const { isWatch = false, hasTable = true, isDocument = false, hasProtobuf = true } = offer;
  const key = `${isWatch}${hasTable}${isDocument}${hasProtobuf}${accept}`;
  let form = known.get(key);
  if (form === undefined) {
    form = choose(accept, offer);
    if (accept.length > knownLengthMax) return form;
    if (known.size >= knownMax) known.clear();
    known.set(key, form);
  }
  return form;
}

const views: Readonly<Record<string, View>> = { Table: 'table', PartialObjectMetadata: 'metadata', PartialObjectMetadataList: 'metadata' };

function choose(accept: string, { isWatch, hasTable = true, isDocument, hasProtobuf = true }: Offer): Form | Refusal {
  let best: Refusal = 'none';
  for (const { type, parameters } of parseAccept(accept)) {
    const format = formats.get(type);
    if (!format || (isWatch && format === 'yaml') || (!hasProtobuf && format === 'protobuf')) continue;
    const { as, g, v } = parameters;
    if (as === undefined) return { format, view: 'object' };
    const view = g === 'meta.k8s.io' && (v === 'v1' || v === 'v1beta1') ? own(views, as) : undefined;
    const isOffered = view === 'table' ? hasTable && format !== 'protobuf' : view !== undefined;
    if (view && isOffered && !isDocument) return { format, view };
    best = 'unknown-view';
  }
  return best;
}

/** One wish of an Accept header: `application/json;as=Table` is a type with parameters. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The wishes of an Accept header, the strongest first. */
export function parseAccept(accept: string): readonly MediaRange[] {
  return accept
    .split(',', clausesMax)
    .flatMap((clause) => {
      const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
      const parameters = Object.fromEntries(rest.map((part) => part.split('=', 2) as [string, string]));
      return type ? [{ type: type.toLowerCase(), parameters, weight: Number(parameters['q'] ?? 1) }] : [];
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
}
