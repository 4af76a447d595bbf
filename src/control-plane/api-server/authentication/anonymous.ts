/** The last authenticator: who showed nothing is anonymous, and may do what the roles give `system:unauthenticated`. */
import type { Authenticator } from './authenticator.ts';
import { anonymousUser } from './user.ts';

export const anonymous: Authenticator = { authenticate: () => anonymousUser };
