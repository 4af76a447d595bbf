/**
 * The line that is written of one stage of a request: upstream's audit.k8s.io/v1 Event as JSON, its fields in upstream's
 * order. Pure.
 *
 * An event is bounded: objects that make it longer are left out, which its annotation says (upstream's truncation).
 * What differs from upstream: the answer is kept as an object also where the client got a Table of it; a patch that is
 * no JSON is left out.
 */
import type { Status } from '../../../api/generated/meta-v1.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import { apiVersionOf } from '../../../api/meta/object.ts';
import { formatMicroTime } from '../../../api/meta/time.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { Answer, ListAnswer } from '../request/answer.ts';
import type { RequestAttributes, UserInfo } from '../request/request.ts';
import type { AuditLevel, AuditStage } from './audit-policy.ts';

/** Of its objects: the largest that can be stored, sent and answered, and some more. */
const objectCharactersMax = 4 * 1024 * 1024;
/** Stands for an object that is longer. */
export const tooLong = Symbol('too long');
/** Upstream's. */
const userAgentMax = 1024;

export interface AuditFacts {
  readonly level: Exclude<AuditLevel, 'None'>;
  readonly id: string;
  readonly stage: AuditStage;
  readonly uri: string;
  readonly attributes: RequestAttributes;
  /** who asks */
  readonly user: UserInfo;
  /** as whom, where that is another */
  readonly impersonated: UserInfo | undefined;
  readonly sourceIPs: readonly string[];
  readonly userAgent: string | undefined;
  /** the body, decoded; a text: a patch */
  readonly sent: unknown;
  readonly response: { readonly code: number; readonly status?: Partial<Status> | undefined } | undefined;
  /** JSON */
  readonly responseObject: string | typeof tooLong | undefined;
  readonly receivedMs: number;
  readonly stageMs: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly omitManagedFields: boolean;
}

/** With its line end. */
export function renderAuditEvent(facts: AuditFacts): string {
  const { level, attributes, sent, response, annotations } = facts;
  const head = {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID: facts.id,
    stage: facts.stage,
    requestURI: facts.uri,
    verb: attributes.verb,
    user: describe(facts.user),
    ...(facts.impersonated && { impersonatedUser: describe(facts.impersonated) }),
    ...(facts.sourceIPs.length > 0 && { sourceIPs: facts.sourceIPs }),
    ...(facts.userAgent && { userAgent: shortened(facts.userAgent) }),
    ...(attributes.resource && { objectRef: objectRef(attributes.resource, sent) }),
    ...(response && { responseStatus: { metadata: {}, ...pickStatus(response.status), code: response.code } }),
  };
  const requestObject = level === 'Metadata' ? undefined : requestText(sent, facts.omitManagedFields);
  const objects = joined(requestObject, facts.responseObject);
  const notes = objects === tooLong ? { ...annotations, 'audit.k8s.io/truncated': 'true' } : annotations;
  const tail = {
    requestReceivedTimestamp: formatMicroTime(facts.receivedMs),
    stageTimestamp: formatMicroTime(facts.stageMs),
    ...(Object.keys(notes).length > 0 && { annotations: notes }),
  };
  return `${JSON.stringify(head).slice(0, -1)}${objects === tooLong ? '' : objects},${JSON.stringify(tail).slice(1)}\n`;
}

function joined(requestObject: string | undefined, responseObject: AuditFacts['responseObject']): string | typeof tooLong {
  if (responseObject === tooLong || (requestObject?.length ?? 0) + (responseObject?.length ?? 0) > objectCharactersMax) return tooLong;
  const sent = requestObject === undefined ? '' : `,"requestObject":${requestObject}`;
  return responseObject === undefined ? sent : `${sent},"responseObject":${responseObject}`;
}

const describe = ({ name, uid, groups, extra }: UserInfo): object => ({
  ...(name && { username: name }),
  ...(uid && { uid }),
  ...(groups.length > 0 && { groups }),
  ...(extra && Object.keys(extra).length > 0 && { extra }),
});

const shortened = (text: string): string => (text.length > userAgentMax ? `${text.slice(0, userAgentMax)}...TRUNCATED` : text);

/** What the request names, and what its object adds to that. */
function objectRef(
  { group, version, resource, subresource, namespace, name }: NonNullable<RequestAttributes['resource']>,
  sent: unknown,
): object {
  const given = (isObject(sent) && isObject(sent['metadata']) ? sent['metadata'] : {}) as Readonly<Record<string, string | undefined>>;
  const ref = {
    resource,
    namespace: namespace || given['namespace'],
    name: name || given['name'],
    uid: given['uid'],
    apiGroup: group,
    apiVersion: version,
    resourceVersion: given['resourceVersion'],
    subresource,
  };
  return Object.fromEntries(Object.entries(ref).filter(([, value]) => value));
}

function pickStatus(status: Partial<Status> | undefined): object {
  if (!status) return {};
  const { status: verdict, message, reason, details } = status;
  return { ...(verdict && { status: verdict }), ...(message && { message }), ...(reason && { reason }), ...(details && { details }) };
}

function requestText(sent: unknown, omitManagedFields: boolean): string | undefined {
  if (sent === undefined || sent === null) return undefined;
  if (typeof sent !== 'string') return JSON.stringify(asSent(sent, omitManagedFields));
  try {
    return JSON.stringify(parseJSON(sent)); // on one line
  } catch {
    return undefined; // a patch that is refused
  }
}

/** The JSON of an answer. */
export function responseText(answer: Answer, kind: Kind, omitManagedFields: boolean): AuditFacts['responseObject'] {
  const textOf = (stored: StoredObject): string =>
    stored.managed && omitManagedFields ? JSON.stringify(stored.object) : stored.json.toString().trimEnd();
  switch (answer.type) {
    case 'object':
      return textOf(answer.stored);
    case 'value':
      return JSON.stringify(answer.object);
    case 'status':
      return JSON.stringify(answer.status);
    case 'list':
      return listText(answer, kind, textOf);
    default:
      return undefined;
  }
}

function listText(
  { items, revision, continue: token }: ListAnswer,
  kind: Kind,
  textOf: (stored: StoredObject) => string,
): AuditFacts['responseObject'] {
  let size = 0;
  for (const item of items) size += item.size;
  if (size > objectCharactersMax) return tooLong;
  const metadata = { resourceVersion: String(revision), ...(token !== undefined && { continue: token }) };
  const head = JSON.stringify({ kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata });
  return `${head.slice(0, -1)},"items":[${items.map(textOf).join(',')}]}`;
}

/** Without what decoding has added, names that are empty, and without managed fields where they are not wanted. */
function asSent(sent: unknown, omitManagedFields: boolean): unknown {
  if (!isObject(sent) || !isObject(sent['metadata'])) return sent;
  const { name, namespace, managedFields, ...metadata } = sent['metadata'];
  const named = { name: name || undefined, namespace: namespace || undefined, ...metadata };
  return { ...sent, metadata: omitManagedFields ? named : { ...named, managedFields } };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
