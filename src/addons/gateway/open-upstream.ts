/** Opens what speaks to an endpoint, by its protocol. */

import { joinHostPort } from '../../api/meta/addresses.ts';
import type { Endpoint } from './endpoints.ts';
import { HTTP1Upstream } from './http1-upstream.ts';
import { HTTP2Upstream } from './http2-upstream.ts';
import { type BackendProtocol, isSecure } from './route-policy.ts';
import type { Upstream } from './upstream.ts';

export function openUpstream({ address, port }: Endpoint, protocol: BackendProtocol, connectMs: number): Upstream {
  if (protocol === 'h2' || protocol === 'h2c') return new HTTP2Upstream({ address, port, isSecure: isSecure(protocol), connectMs });
  return new HTTP1Upstream({ origin: `${protocol}://${joinHostPort(address, port)}`, connectMs });
}
