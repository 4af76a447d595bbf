/** Members of system:masters may do everything, whatever the roles say: nobody locks the last administrator out. */
import { groups } from '../request/user.ts';
import type { Authorizer, Decision } from './authorizer.ts';

const allow: Decision = { verdict: 'allow', reason: '' };
const noOpinion: Decision = { verdict: 'no-opinion', reason: '' };

export const privilegedGroup: Authorizer = {
  authorize: ({ user }) => (user.groups.includes(groups.masters) ? allow : noOpinion),
};
