/**
 * Impersonation: with the Impersonate-* headers a user asks to be treated as another, and has to be allowed to
 * `impersonate` each of the name, uid, groups and extra values. The chain calls this after authentication.
 * What it does not do: constrained impersonation (the impersonate:user-info verbs).
 * Upstream: apiserver/pkg/endpoints/filters/impersonation/impersonation.go.
 */

import { errors } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import type { Authorize } from '../authorization/decide.ts';
import { forbiddenError } from '../authorization/forbidden.ts';
import type { RequestAttributes, UserInfo } from '../request/request.ts';
import { anonymousUser, groups as knownGroups, parseServiceAccountUsername, serviceAccountGroups } from '../request/user.ts';
import type { AuthenticationRequest } from './authenticator.ts';

type Headers = AuthenticationRequest['headers'];

interface Wanted {
  readonly user: string | undefined;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const extraPrefix = 'impersonate-extra-';
const authenticationGroup = { group: 'authentication.k8s.io', version: 'v1' };
const coreGroup = { group: '', version: 'v1' };

/** The user to go on as: the given one when no such header is there. Throws Forbidden or BadRequest. */
export function impersonate(user: UserInfo, headers: Headers, authorize: Authorize): UserInfo | Promise<UserInfo> {
  const asks = ['impersonate-user', 'impersonate-group', 'impersonate-uid'].some((name) => valuesOf(own(headers, name)).some(Boolean));
  if (!asks && !Object.keys(headers).some((name) => name.startsWith(extraPrefix))) return user;
  return becomeOther(user, parseWanted(headers), authorize);
}

async function becomeOther(user: UserInfo, wanted: Wanted, authorize: Authorize): Promise<UserInfo> {
  if (wanted.user === undefined) throw errors.badRequest(`requested [${describeWanted(wanted)}] without impersonating a user`);
  for (const resource of impersonatedResources(wanted, wanted.user)) {
    const attributes: RequestAttributes = { user, verb: 'impersonate', path: '', resource };
    const { verdict, reason } = await authorize(attributes);
    if (verdict !== 'allow') throw forbiddenError(attributes, reason);
  }
  return {
    name: wanted.user,
    uid: wanted.uid,
    groups: completeGroups(wanted.user, wanted.groups),
    extra: Object.keys(wanted.extra).length > 0 ? wanted.extra : undefined,
  };
}

function impersonatedResources(wanted: Wanted, username: string): NonNullable<RequestAttributes['resource']>[] {
  const account = parseServiceAccountUsername(username);
  const subject = account ? { resource: 'serviceaccounts', ...account } : { resource: 'users', name: username };
  return [
    { ...coreGroup, ...subject },
    ...wanted.groups.map((name) => ({ ...coreGroup, resource: 'groups', name })),
    ...Object.entries(wanted.extra).flatMap(([subresource, values]) =>
      values.map((name) => ({ ...authenticationGroup, resource: 'userextras', subresource, name })),
    ),
    ...(wanted.uid === undefined ? [] : [{ ...authenticationGroup, resource: 'uids', name: wanted.uid }]),
  ];
}

/** Groups that were not named are those that the name implies. */
function completeGroups(username: string, named: readonly string[]): readonly string[] {
  const account = parseServiceAccountUsername(username);
  const groups = named.length === 0 && account ? serviceAccountGroups(account.namespace) : named;
  if (username === anonymousUser.name) {
    return groups.includes(knownGroups.unauthenticated) ? groups : [...groups, knownGroups.unauthenticated];
  }
  const decided = groups.includes(knownGroups.authenticated) || groups.includes(knownGroups.unauthenticated);
  return decided ? groups : [...groups, knownGroups.authenticated];
}

const valuesOf = (header: Headers[string]): readonly string[] =>
  header === undefined ? [] : typeof header === 'string' ? [header] : header;
function parseWanted(headers: Headers): Wanted {
  const extra = Object.entries(headers)
    .filter(([name]) => name.startsWith(extraPrefix))
    .map(([name, value]): [string, readonly string[]] => [decodeKey(name.slice(extraPrefix.length)), valuesOf(value)]);
  return {
    user: valuesOf(headers['impersonate-user'])[0] || undefined,
    uid: valuesOf(headers['impersonate-uid'])[0] || undefined,
    groups: valuesOf(headers['impersonate-group']),
    extra: Object.fromEntries(extra),
  };
}

/** Keys may be percent-encoded; what is not is taken as it is. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** As Go prints a list of ObjectReference. */
function describeWanted({ groups, extra, uid }: Wanted): string {
  return [
    ...groups.map((name) => `{Group  ${name}    }`),
    ...Object.entries(extra).flatMap(([key, values]) => values.map((value) => `{UserExtra  ${value}  authentication.k8s.io/v1  ${key}}`)),
    ...(uid === undefined ? [] : [`{UID  ${uid}  authentication.k8s.io/v1  }`]),
  ].join(' ');
}
