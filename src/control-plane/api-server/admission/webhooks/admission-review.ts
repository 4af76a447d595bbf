/**
 * AdmissionReview: what a webhook is asked, in the versions v1 and v1beta1. Its answer: review-answer.ts.
 * Upstream: apiserver/pkg/admission/plugin/webhook/request/admissionreview.go.
 */
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

export const renderReview = ({ version, uid }: ReviewName, request: AdmissionRequest, shown: Shown): object => ({
  kind: 'AdmissionReview',
  apiVersion: `admission.k8s.io/${version}`,
  request: { uid, ...describeRequest(request, shown.kind), ...objectsOf(request, shown) },
});

/** What conditions and policies see of a request, too. `kind`: the version in which the objects are shown. */
export function describeRequest(request: AdmissionRequest, kind: Kind): Readonly<Record<string, unknown>> {
  const { subresource, name, namespace, operation, user, dryRun, isOfCollection } = request;
  const { name: username, uid, groups, extra } = user;
  return {
    kind: typeOf(kind, subresource),
    resource: resourceOf(kind),
    ...(subresource && { subResource: subresource }),
    requestKind: typeOf(request.kind, subresource),
    requestResource: resourceOf(request.kind),
    ...(subresource && { requestSubResource: subresource }),
    ...(name && !isOfCollection && { name }),
    ...(namespace && { namespace }),
    operation,
    userInfo: { ...(username && { username }), ...(uid && { uid }), ...(groups.length > 0 && { groups }), ...(extra && { extra }) },
    dryRun,
    options: optionsOf(request),
  };
}

/** The objects as a webhook or an expression sees them. */
export const objectsOf = ({ operation, options }: AdmissionRequest, { object, oldObject }: Shown) => ({
  object: (operation === 'CONNECT' ? (options as object | undefined) : object) ?? null,
  oldObject: oldObject ?? null,
});

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
