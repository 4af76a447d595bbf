/**
 * Bearer tokens of service accounts. A token that is bad, or that nobody knows, is refused: the request does not go on
 * as anonymous. Upstream: apiserver/pkg/authentication/request/bearertoken/bearertoken.go.
 */
import { errors } from '../../../api/meta/status-error.ts';
import type { Authenticator } from './authenticator.ts';
import { type ServiceAccountTokens, TokenError, type TokenIdentity } from './service-account-tokens.ts';

const scheme = 'bearer ';

export function bearerTokens(tokens: ServiceAccountTokens, audiences: readonly string[]): Authenticator {
  return {
    authenticate({ headers }) {
      const token = bearerToken(headers['authorization']);
      if (token === undefined) return undefined;
      return identifyOrRefuse(tokens, token, audiences).user;
    },
  };
}

function bearerToken(header: string | readonly string[] | undefined): string | undefined {
  const value = (typeof header === 'string' ? header : header?.[0])?.trim();
  if (!value || value.slice(0, scheme.length).toLowerCase() !== scheme) return undefined;
  return value.slice(scheme.length).trim() || undefined;
}

function identifyOrRefuse(tokens: ServiceAccountTokens, token: string, audiences: readonly string[]): TokenIdentity {
  try {
    const identity = tokens.identify(token, audiences);
    if (identity) return identity;
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
  }
  throw errors.unauthorized();
}
