/** What becomes of a request beside where it goes: of one Ingress, or of a rule of whatever else routes are made from. */
import type { BlockList } from 'node:net';

/** How an endpoint is spoken to: HTTP/1.1 or HTTP/2, in plain or by TLS, whose certificate nobody here could check. */
export type BackendProtocol = 'http' | 'https' | 'h2c' | 'h2';
export const isSecure = (protocol: BackendProtocol): boolean => protocol === 'https' || protocol === 'h2';

export interface RoutePolicy {
  /** the path that is sent on; `$1` is what the route's pattern captured */
  readonly rewrite?: string | undefined;
  /** who comes without TLS is sent to the same place with it */
  readonly redirectsToTLS: boolean;
  /** absent: any size */
  readonly bodyBytesMax?: number | undefined;
  readonly connectMs: number;
  /** between two pieces of an answer, the first one too */
  readonly readMs: number;
  /** between two pieces of a request, and until an answer's client takes more */
  readonly sendMs: number;
  /** absent: what the Service's port says (`appProtocol`) */
  readonly protocol?: BackendProtocol | undefined;
  readonly affinity?: AffinityCookie | undefined;
  readonly cors?: CORS | undefined;
  /** who may ask; absent: everybody */
  readonly allowed?: BlockList | undefined;
  readonly denied?: BlockList | undefined;
}

export interface AffinityCookie {
  readonly name: string;
  /** what stands behind its value: `; Path=/` */
  readonly attributes: string;
}

export interface CORS {
  /** `*`, or origins, of which one may begin with a wildcard: https://*.example.com */
  readonly origins: readonly string[];
  readonly methods: string;
  readonly headers: string;
  readonly exposed?: string | undefined;
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
}

/** As ingress-nginx has it; a body may be of any size. */
export const defaultPolicy: RoutePolicy = { redirectsToTLS: false, connectMs: 5000, readMs: 60_000, sendMs: 60_000 };
