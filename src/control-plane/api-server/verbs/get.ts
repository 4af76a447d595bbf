/** Get, from the cache: without a resourceVersion never behind an acknowledged write, with one not older than that. */
import { strategyOf } from '../../../api/kinds/update-strategy.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { parseRevision } from '../cache/resource-version.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { getScale } from './scale.ts';

export async function get(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { kind, namespace, name = '', subresource } = request.target;
  const behind = server.cache.behind(parseRevision(request.options.resourceVersion), request.signal);
  if (behind) await behind;
  if (subresource === 'scale') return getScale(server, request);
  strategyOf(kind, subresource);
  const served = server.kinds.of(kind);
  const stored = served.find(namespace, name);
  if (!stored) throw errors.notFound(kind, name);
  const converting = served.converted([stored]);
  if (converting) await converting;
  return { type: 'object', code: 200, stored: served.asServed(stored) };
}
