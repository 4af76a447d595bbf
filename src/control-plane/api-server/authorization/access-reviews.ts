/**
 * "May they?" and "What may I?": SubjectAccessReview, its local and self forms, and SelfSubjectRulesReview.
 * Upstream: pkg/registry/authorization, pkg/apis/authorization/validation.
 */
import type { ResourceAttributes, SubjectAccessReviewSpec, SubjectRulesReviewStatus } from '../../../api/generated/authorization-v1.ts';
import {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from '../../../api/generated/kinds.ts';
import type { KindRef, KubeObject } from '../../../api/meta/object.ts';
import { errors, type FieldError, fieldErrors } from '../../../api/meta/status-error.ts';
import type { CreateCall, CreateEndpoint } from '../request/api-request.ts';
import type { RequestAttributes, UserInfo } from '../request/request.ts';
import type { Authorizer } from './authorizer.ts';
import type { Authorize } from './decide.ts';

export function accessReviews(authorize: Authorize, authorizers: readonly Authorizer[]): readonly CreateEndpoint[] {
  return [
    accessReview(SubjectAccessReview, authorize),
    accessReview(LocalSubjectAccessReview, authorize),
    accessReview(SelfSubjectAccessReview, authorize),
    rulesReview(authorizers),
  ];
}

function accessReview(kind: KindRef, authorize: Authorize): CreateEndpoint {
  const isSelf = kind === SelfSubjectAccessReview;
  return {
    group: kind.group,
    resource: kind.resource,
    async handle(call) {
      const { body, request } = call;
      const spec = (body as SubjectAccessReview).spec;
      checkSpec(kind, spec, call);
      const user = isSelf ? request.user : subjectOf(spec);
      const { verdict, reason } = await authorize(attributesOf(user, spec));
      const status = { allowed: verdict === 'allow', ...(verdict === 'forbidden' && { denied: true }), ...(reason && { reason }) };
      return { ...body, status } as KubeObject;
    },
  };
}

function checkSpec(kind: KindRef, spec: SubjectAccessReviewSpec, { body, at }: CreateCall): void {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const isLocal = kind === LocalSubjectAccessReview;
  const list: FieldError[] = [];
  if (resource && path)
    list.push(fieldErrors.invalid('spec.nonResourceAttributes', path, 'cannot be specified in combination with resourceAttributes'));
  if (!resource && !path) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    list.push(fieldErrors.invalid('spec.resourceAttributes', null, detail));
  }
  if (kind !== SelfSubjectAccessReview && !spec.user && !spec.groups?.length)
    list.push(fieldErrors.invalid('spec.user', '', 'at least one of user or group must be specified'));
  list.push(...checkMetadata(body, isLocal));
  if (isLocal && resource && (resource.namespace ?? '') !== (body.metadata.namespace ?? ''))
    list.push(fieldErrors.invalid('spec.resourceAttributes.namespace', resource.namespace ?? '', 'must match metadata.namespace'));
  if (isLocal && path) list.push(fieldErrors.invalid('spec.nonResourceAttributes', path, 'disallowed on this kind of request'));
  // Upstream leaves the kind out.
  if (list.length > 0) throw errors.invalid({ group: kind.group, kind: '' }, '', list);
  if (isLocal && body.metadata.namespace !== at.namespace)
    throw errors.badRequest(`spec.resourceAttributes.namespace must match namespace: ${at.namespace ?? ''}`);
}

function checkMetadata({ metadata }: KubeObject, isLocal: boolean): readonly FieldError[] {
  const given = Object.entries(metadata).some(([key, value]) => {
    const expected = key === 'managedFields' || key === 'creationTimestamp' || (isLocal && key === 'namespace');
    return !expected && value !== undefined && value !== null && value !== '';
  });
  return given ? [fieldErrors.invalid('metadata', metadata, isLocal ? 'must be empty except for namespace' : 'must be empty')] : [];
}

function subjectOf({ user, groups, uid, extra }: SubjectAccessReviewSpec): UserInfo {
  return { name: user ?? '', groups: groups ?? [], uid: uid || undefined, extra };
}

function attributesOf(user: UserInfo, spec: SubjectAccessReviewSpec): RequestAttributes {
  const { resourceAttributes: given, nonResourceAttributes: path } = spec;
  if (!given) return { user, verb: path?.verb ?? '', path: path?.path ?? '' };
  const fieldSelector = selectorText(given);
  const resource = {
    group: given.group ?? '',
    version: given.version ?? '*',
    resource: given.resource ?? '',
    subresource: given.subresource || undefined,
    namespace: given.namespace || undefined,
    name: given.name || undefined,
    fieldSelector: fieldSelector || undefined,
  };
  return { user, verb: given.verb ?? '', path: '', resource };
}

/** Terms that are no plain equality are dropped: what is left selects more, so the check is the stricter one. */
function selectorText({ fieldSelector }: ResourceAttributes): string | undefined {
  if (!fieldSelector?.requirements?.length) return fieldSelector?.rawSelector;
  const terms = fieldSelector.requirements.filter(({ operator, values }) => operator === 'In' && values?.length === 1);
  return terms.map(({ key, values }) => `${key}=${(values?.[0] ?? '').replace(/[\\,=]/g, '\\$&')}`).join(',');
}

function rulesReview(authorizers: readonly Authorizer[]): CreateEndpoint {
  return {
    group: SelfSubjectRulesReview.group,
    resource: SelfSubjectRulesReview.resource,
    async handle({ body, request }) {
      const { spec, metadata } = body as SelfSubjectRulesReview;
      if (!spec.namespace) throw errors.badRequest('no namespace on request');
      return { ...body, metadata, spec: {}, status: rulesOf(authorizers, request.user, spec.namespace) } as KubeObject;
    },
  };
}

function rulesOf(authorizers: readonly Authorizer[], user: UserInfo, namespace: string): SubjectRulesReviewStatus {
  const found = authorizers.flatMap((each) => each.rulesFor?.(user, namespace) ?? []);
  const problems = found.flatMap(({ evaluationError }) => evaluationError ?? []);
  return {
    resourceRules: found.flatMap(({ resourceRules }) => resourceRules),
    nonResourceRules: found.flatMap(({ nonResourceRules }) => nonResourceRules),
    incomplete: found.some(({ incomplete }) => incomplete),
    ...(problems.length > 0 && { evaluationError: problems.join(', ') }),
  };
}
