/**
 * AdmissionReview: what a webhook is asked, and what its answer says; in the versions v1 and v1beta1.
 * Upstream: apiserver/pkg/admission/plugin/webhook/request/admissionreview.go.
 */
import type { Status } from '../../../../api/generated/meta-v1.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { own } from '../../../../api/meta/words.ts';
import type { AdmissionRequest } from '../../request/request.ts';

export type ReviewVersion = 'v1' | 'v1beta1';

const knownVersions: readonly string[] = ['v1', 'v1beta1'];

/** The first version of a webhook's list that is known here. Throws. */
export function reviewVersionOf(accepted: readonly string[]): ReviewVersion {
  const found = accepted.find((version) => knownVersions.includes(version));
  if (!found) throw new Error('webhook does not accept known AdmissionReview versions (v1, v1beta1)');
  return found as ReviewVersion;
}

/** What is shown to a webhook: the objects in the version that it asked for. */
export interface Shown {
  readonly kind: Kind;
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
}

export interface ReviewName {
  readonly version: ReviewVersion;
  readonly uid: string;
}

export function renderReview({ version, uid }: ReviewName, request: AdmissionRequest, { kind, object, oldObject }: Shown): object {
  const shown = request.operation === 'CONNECT' ? request.options : object;
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: { uid, ...describeRequest(request, kind), object: shown ?? null, oldObject: oldObject ?? null },
  };
}

/** An AdmissionRequest without its objects, which are shown in the version of `kind`. */
export function describeRequest(request: AdmissionRequest, kind: Kind): Readonly<Record<string, unknown>> {
  const { subresource, name, namespace, operation, user, dryRun } = request;
  const { name: username, uid, groups, extra } = user;
  return {
    kind: typeOf(kind, subresource),
    resource: resourceOf(kind),
    ...(subresource && { subResource: subresource }),
    requestKind: typeOf(request.kind, subresource),
    requestResource: resourceOf(request.kind),
    ...(subresource && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation,
    userInfo: { ...(username && { username }), ...(uid && { uid }), ...(groups.length > 0 && { groups }), ...(extra && { extra }) },
    dryRun,
    options: optionsOf(request),
  };
}

/** As a client would have sent them in a body. */
function optionsOf({ operation, options, query = {}, dryRun }: AdmissionRequest): object | null {
  if (operation === 'CONNECT') return null;
  const { fieldManager, fieldValidation } = query;
  const word = operation === 'CREATE' ? 'CreateOptions' : operation === 'UPDATE' ? 'UpdateOptions' : 'DeleteOptions';
  const given =
    operation === 'DELETE' ? (options as object) : { ...(fieldManager && { fieldManager }), ...(fieldValidation && { fieldValidation }) };
  return { ...given, ...(dryRun && { dryRun: ['All'] }), kind: word, apiVersion: 'meta.k8s.io/v1' };
}

/** The type of the object: of a subresource that has one of its own (Scale, Binding), that one. */
function typeOf(kind: Kind, subresource: string | undefined) {
  const { group, version, kind: word } = (subresource && own(kind.subresources, subresource)?.kind) || kind;
  return { group, version, kind: word };
}

const resourceOf = ({ group, version, resource }: Kind) => ({ group, version, resource });

/** What a webhook answered. */
export interface Verdict {
  readonly allowed: boolean;
  /** JSON text of a JSON patch, or '' */
  readonly patch: string;
  readonly result: Partial<Status> | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

type Json = Readonly<Record<string, unknown>>;

/** Throws an Error that says what is wrong with the answer. */
export function readVerdict({ version, uid }: ReviewName, answer: unknown, mutating: boolean): Verdict {
  const review = optional(answer, 'AdmissionReview', isRecord) ?? {};
  const response = optional(review['response'], 'AdmissionReview.response', isRecord);
  if (!response) throw new Error('webhook response was absent');
  if (version === 'v1') checkIdentity(uid, review, response);
  const patch = optional(response['patch'], 'AdmissionResponse.response.patch', isString) ?? '';
  const patchType = optional(response['patchType'], 'AdmissionResponse.response.patchType', isString);
  if (version === 'v1') checkPatchType(patch, patchType, mutating);
  return {
    allowed: optional(response['allowed'], 'AdmissionResponse.response.allowed', isBoolean) ?? false,
    patch: mutating ? Buffer.from(patch, 'base64').toString() : '',
    result: optional(response['status'], 'AdmissionResponse.response.status', isRecord),
    warnings: optional(response['warnings'], 'AdmissionResponse.response.warnings', isStringList) ?? [],
    auditAnnotations: optional(response['auditAnnotations'], 'AdmissionResponse.response.auditAnnotations', isStringMap) ?? {},
  };
}

function checkIdentity(uid: string, review: Json, response: Json): void {
  const given = response['uid'] ?? '';
  if (given !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(given)}`);
  const [kind, apiVersion] = [review['kind'], review['apiVersion']].map((word) => (isString(word) ? word : ''));
  if (kind === 'AdmissionReview' && apiVersion === 'admission.k8s.io/v1') return;
  throw new Error(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${apiVersion ?? ''}, Kind=${kind ?? ''}`);
}

function checkPatchType(patch: string, patchType: string | undefined, mutating: boolean): void {
  if (!mutating && patch) throw new Error('validating webhook may not return response.patch');
  if (!mutating && patchType !== undefined) throw new Error('validating webhook may not return response.patchType');
  if (patch && patchType === undefined) throw new Error('webhook returned response.patch but not response.patchType');
  if (!patch && patchType !== undefined) throw new Error('webhook returned response.patchType but not response.patch');
  if (patchType === '') throw new Error('webhook returned invalid response.patchType of ""');
  if (patchType !== undefined && patchType !== 'JSONPatch') throw new Error(`unsupported patch type ${JSON.stringify(patchType)}`);
}

function optional<T>(value: unknown, place: string, is: (value: unknown) => value is T): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (!is(value)) throw new Error(`json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go struct field ${place}`);
  return value;
}
const isString = (value: unknown): value is string => typeof value === 'string';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isStringList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString);
const isStringMap = (value: unknown): value is Record<string, string> => isRecord(value) && Object.values(value).every(isString);
