/** Who asks? Authenticators are tried in order: a user, undefined (not mine), or an Unauthorized StatusError (mine, and bad). */
import type { UserInfo } from '../request/request.ts';

export interface AuthenticationRequest {
  /** lower-case header names; of a repeated header all values, where somebody wants more than one */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** the client certificate in DER, when one was presented and verified: the same array for all requests of a connection */
  readonly certificate?: Uint8Array | 'unverified' | undefined;
}

export interface Authenticator {
  authenticate(credentials: AuthenticationRequest): UserInfo | undefined | Promise<UserInfo | undefined>;
}
