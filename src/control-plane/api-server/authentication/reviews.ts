/**
 * TokenReview (whose token is this?) and SelfSubjectReview (who am I?).
 * Upstream: pkg/registry/authentication/{tokenreview,selfsubjectreview}.
 */
import { SelfSubjectReview, TokenReview } from '../../../api/generated/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Clock } from '../../../client/clock.ts';
import type { CreateEndpoint } from '../request/api-request.ts';
import type { UserInfo } from '../request/request.ts';
import { type ServiceAccountTokens, TokenError } from './service-account-tokens.ts';

export function tokenReviews(tokens: ServiceAccountTokens, apiAudiences: readonly string[]): CreateEndpoint {
  return {
    group: TokenReview.group,
    resource: TokenReview.resource,
    async handle({ body }) {
      const { spec, metadata } = body as TokenReview;
      if (!spec.token) throw errors.badRequest('token is required for TokenReview in authentication');
      const audiences = spec.audiences?.length ? spec.audiences : apiAudiences;
      return { ...body, metadata, status: reviewToken(tokens, spec.token, audiences) } as KubeObject;
    },
  };
}

function reviewToken(tokens: ServiceAccountTokens, token: string, audiences: readonly string[]): TokenReview['status'] {
  try {
    const identity = tokens.identify(token, audiences);
    if (!identity) return { user: {}, error: 'invalid bearer token' };
    return { authenticated: true, user: describeUser(identity.user), audiences: identity.audiences };
  } catch (error) {
    if (error instanceof TokenError) return { user: {}, error: `[invalid bearer token, ${error.message}]` };
    throw error;
  }
}

export function selfSubjectReviews(clock: Clock): CreateEndpoint {
  return {
    group: SelfSubjectReview.group,
    resource: SelfSubjectReview.resource,
    async handle({ body, request }) {
      const status = { userInfo: describeUser(request.user) };
      return {
        apiVersion: body.apiVersion,
        kind: body.kind,
        metadata: { creationTimestamp: formatTime(clock.now()) },
        status,
      } as KubeObject;
    },
  };
}

function describeUser({ name, uid, groups, extra }: UserInfo): NonNullable<TokenReview['status']['user']> {
  return {
    username: name,
    ...(uid && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(extra && Object.keys(extra).length > 0 && { extra }),
  };
}
