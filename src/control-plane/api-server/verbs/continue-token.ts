/**
 * The continue token of paged lists: a revision, the last key seen, and when the list began; opaque to clients.
 * Upstream: apiserver/pkg/storage/continue.go; there a token is good until the store is compacted, every five minutes.
 */

import { errors } from '../../../api/meta/status-error.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import type { Revision } from '../../store/storage.ts';

const tokenVersion = 'meta.k8s.io/v1';

/** A list that takes longer than this is no longer consistent, even where the store still has its revision. */
export const continueMsMax = 5 * 60_000;

/** Upstream's tokens name the first possible key after the last one seen. */
const keyEnd = '\u0000';

export interface ContinueToken {
  readonly revision: Revision;
  /** the rest of the last key after the resource's prefix */
  readonly after: string;
  /** when the first page was given; absent where only the store's history sets a limit */
  readonly sinceMs?: number | undefined;
}

export function encodeContinue({ revision, after, sinceMs }: ContinueToken): string {
  const token = { v: tokenVersion, rv: revision, start: after + keyEnd, since: sinceMs };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** `revision` -1 means: whatever is there now (a list that lost its revision goes on inconsistently). */
export function decodeContinue(token: string): ContinueToken {
  const decoded = parseToken(token);
  if (typeof decoded !== 'object' || decoded === null) throw errors.badRequest(notAnObject);
  const { v = '', rv, start, since } = decoded as { v?: unknown; rv?: unknown; start?: unknown; since?: unknown };
  if (v !== tokenVersion)
    throw errors.badRequest(
      `invalid continue token: continue key is not valid: server does not recognize this encoded version ${String(v)}`,
    );
  if (!Number.isSafeInteger(rv) || rv === 0)
    throw errors.badRequest(
      'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    );
  if (typeof start !== 'string' || start === '')
    throw errors.badRequest('invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  if (start.split('/').some((part) => part === '.' || part === '..'))
    throw errors.badRequest(`invalid continue token: continue key is not valid: ${start}`);
  return {
    revision: rv as Revision,
    after: start.replace(/^\//, '').replaceAll(keyEnd, ''),
    sinceMs: typeof since === 'number' ? since : undefined,
  };
}

const notAnObject = 'invalid continue token: continue key is not valid: not a JSON object';

function parseToken(token: string): unknown {
  try {
    return parseJSON(Buffer.from(token, 'base64url').toString());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw errors.badRequest(notAnObject);
  }
}
