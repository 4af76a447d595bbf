/**
 * Requests as debug lines: who asked for what, what came of it, and in how many milliseconds. A watch is told with its
 * end over HTTP, and with its beginning in process. Nothing is made while nobody wants these lines (`Log.isDebug`).
 */
import { isStatusError } from '../../api/meta/status-error.ts';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { pathOf } from '../../client/request-path.ts';
import type { Answer, ResourceRequest } from './resource-request.ts';

interface Told {
  readonly user: string | undefined;
  readonly verb: string;
  readonly path: string;
  readonly code: number;
  readonly ms: number;
}

export function tellRequest(log: Log, { user, verb, path, code, ms }: Told): void {
  log.debug({ user, code, ms: Math.round(ms) }, `${verb} ${path}`);
}

/** One of a component in this process. */
export async function tellCall(log: Log, clock: Clock, request: ResourceRequest, answer: Promise<Answer>): Promise<Answer> {
  const startMs = clock.monotonic();
  const tell = (code: number): void => {
    const { user, verb, kind, namespace, name, subresource } = request;
    const path = pathOf(kind, { ...(namespace && { namespace }), ...(name && { name }) }, subresource);
    tellRequest(log, { user: user.name, verb, path, code, ms: clock.monotonic() - startMs });
  };
  try {
    const given = await answer;
    tell(request.verb === 'create' ? 201 : 200);
    return given;
  } catch (error) {
    tell(isStatusError(error) ? error.code : 500);
    throw error;
  }
}
