/**
 * The last authenticator: who showed nothing is anonymous, and may do what the roles give `system:unauthenticated`. A
 * certificate that says nobody is not nothing: its owner is refused.
 */

import { anonymousUser } from '../request/user.ts';
import type { Authenticator } from './authenticator.ts';

export const anonymous: Authenticator = { authenticate: ({ certificate }) => (certificate ? undefined : anonymousUser) };
