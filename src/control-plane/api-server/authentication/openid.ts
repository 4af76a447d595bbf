/**
 * OpenID discovery, so that others can verify service account tokens: the issuer's configuration and its public keys.
 * Upstream: pkg/serviceaccount/openidmetadata.go, pkg/routes/openidmetadata.go.
 */
import type { NonResourceEndpoint } from '../request/non-resource-endpoint.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

const keysPath = '/openid/v1/jwks';
const cacheSeconds = 3600;

/** `address`: host and port under which the server is reached. */
export function openIDEndpoints(tokens: ServiceAccountTokens, address: () => string): readonly NonResourceEndpoint[] {
  const keys = [...tokens.keys.verifying.values()];
  const answer = (type: string, body: unknown) => ({
    status: 200,
    headers: { 'content-type': type, 'cache-control': `public, max-age=${cacheSeconds}` },
    body: JSON.stringify(body),
  });
  return [
    {
      paths: ['/.well-known/openid-configuration'],
      handle: () =>
        answer('application/json', {
          issuer: tokens.issuer,
          jwks_uri: `https://${address()}${keysPath}`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [...new Set(keys.map((key) => key.algorithm))].sort(),
        }),
    },
    {
      paths: [keysPath],
      handle: () =>
        answer('application/jwk-set+json', {
          keys: keys.map(({ id, algorithm, key }) => ({ use: 'sig', ...key.export({ format: 'jwk' }), kid: id, alg: algorithm })),
        }),
    },
  ];
}
