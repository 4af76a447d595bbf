/** The continue token of paged lists: a revision and the last key seen, opaque to clients. Upstream: apiserver/pkg/storage/continue.go. */
import { errors } from '../../api/meta/status-error.ts';
import type { Revision } from '../store/storage.ts';

const tokenVersion = 'meta.k8s.io/v1';

/** Upstream's tokens name the first possible key after the last one seen. */
const keyEnd = '\u0000';

export interface ContinueToken {
  readonly revision: Revision;
  /** the rest of the last key after the resource's prefix */
  readonly after: string;
}

export function encodeContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: tokenVersion, rv: revision, start: after + keyEnd })).toString('base64url');
}

/** `revision` -1 means: whatever is there now (a list that lost its revision goes on inconsistently). */
export function decodeContinue(token: string): ContinueToken {
  let decoded: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    decoded = JSON.parse(Buffer.from(token, 'base64url').toString()) as typeof decoded;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw errors.badRequest('invalid continue token: continue key is not valid: not a JSON object');
  }
  const { v, rv, start } = decoded;
  if (v !== tokenVersion)
    throw errors.badRequest(
      `invalid continue token: continue key is not valid: server does not recognize this encoded version ${String(v)}`,
    );
  if (typeof rv !== 'number' || rv === 0)
    throw errors.badRequest(
      'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    );
  if (typeof start !== 'string' || start === '')
    throw errors.badRequest('invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  if (start.split('/').some((part) => part === '.' || part === '..'))
    throw errors.badRequest(`invalid continue token: continue key is not valid: ${start}`);
  return { revision: rv, after: start.replace(/^\//, '').replaceAll(keyEnd, '') };
}
