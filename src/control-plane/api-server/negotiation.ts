/**
 * In which form an answer goes out: JSON or YAML, the object itself, a Table or its metadata only. The first of the
 * client's wishes (by weight, then in order) that the server can meet wins.
 * Upstream: apiserver/pkg/endpoints/handlers/negotiation.
 */
import { StatusError } from '../../api/meta/status-error.ts';

export type View = 'object' | 'table' | 'metadata';

export interface AnswerForm {
  readonly format: 'json' | 'yaml';
  readonly view: View;
  readonly pretty: boolean;
}

export const acceptedTypes = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
const plainJson: AnswerForm = { format: 'json', view: 'object', pretty: false };
const known = new Map<string, Omit<AnswerForm, 'pretty'> | 'none' | 'unknown-view'>();
/** Distinct Accept headers remembered. */
const knownMax = 256;
const browserLike = /^(curl|Wget|Mozilla\/5\.0)/;

export interface Negotiated {
  readonly accept: string | undefined;
  readonly userAgent: string | undefined;
  readonly pretty: string | null | undefined;
}

export interface Offer {
  /** a stream, which is never indented */
  readonly isWatch?: boolean;
  /** false: what is answered can't be shown as a Table */
  readonly hasTable?: boolean;
}

/** Throws NotAcceptable. */
export function negotiate(given: Negotiated, { isWatch = false, hasTable = true }: Offer = {}): AnswerForm {
  const pretty = !isWatch && wantsPretty(given);
  let form = formOf(given.accept);
  if (!hasTable && typeof form === 'object' && form.view === 'table') form = choose(given.accept ?? '', hasTable);
  if (form === 'none') throw notAcceptable();
  if (form === 'unknown-view')
    throw new StatusError({ code: 406, reason: 'NotAcceptable', message: `only the following media types are accepted: ${acceptedTypes}` });
  if (!form.view || (form.view === 'object' && form.format === 'json' && !pretty)) return plainJson;
  return { ...form, pretty };
}

export function wantsPretty({ pretty, userAgent }: Pick<Negotiated, 'pretty' | 'userAgent'>): boolean {
  if (pretty !== null && pretty !== undefined) return pretty === '' || pretty === '1' || pretty === 'true';
  return userAgent !== undefined && browserLike.test(userAgent);
}

function notAcceptable(): StatusError {
  const streams = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';
  const message = `406: Not Acceptable\n\nAvailable representations: ${acceptedTypes}, ${streams}`;
  return new StatusError({ code: 406, reason: 'NotAcceptable', message, details: {} });
}

function formOf(accept: string | undefined): Omit<AnswerForm, 'pretty'> | 'none' | 'unknown-view' {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return plainJson;
  let form = known.get(accept);
  if (form === undefined) {
    form = choose(accept);
    if (known.size >= knownMax) known.clear();
    known.set(accept, form);
  }
  return form;
}

const views: Readonly<Record<string, View>> = { Table: 'table', PartialObjectMetadata: 'metadata', PartialObjectMetadataList: 'metadata' };

function choose(accept: string, hasTable = true): Omit<AnswerForm, 'pretty'> | 'none' | 'unknown-view' {
  let best: Omit<AnswerForm, 'pretty'> | 'none' | 'unknown-view' = 'none';
  for (const { type, parameters } of parseAccept(accept)) {
    const format =
      type === 'application/yaml' ? 'yaml' : type === 'application/json' || type === '*/*' || type === 'application/*' ? 'json' : undefined;
    if (!format) continue;
    const as = parameters.get('as');
    if (as === undefined) return { format, view: 'object' };
    const isMeta = parameters.get('g') === 'meta.k8s.io' && (parameters.get('v') === 'v1' || parameters.get('v') === 'v1beta1');
    const view = isMeta ? views[as] : undefined;
    if (view && (hasTable || view !== 'table')) return { format, view };
    best = 'unknown-view';
  }
  return best;
}

function parseAccept(accept: string): readonly { readonly type: string; readonly parameters: ReadonlyMap<string, string> }[] {
  return accept
    .split(',')
    .map((clause) => {
      const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
      const parameters = new Map(rest.map((p): [string, string] => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)]));
      return { type: type.toLowerCase(), parameters, weight: Number(parameters.get('q') ?? 1) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
}
