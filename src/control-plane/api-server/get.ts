/** Get, from the cache: never behind an acknowledged write. */
import { errors } from '../../api/meta/status-error.ts';
import type { ResourceAnswer } from './answer.ts';
import type { ResourceRequest } from './api-request.ts';
import type { Core } from './core.ts';
import { awaitRevision, parseRevision } from './revision-wait.ts';
import { getScale } from './scale.ts';
import { strategyOf } from './update-strategy.ts';

export async function get(core: Core, request: ResourceRequest): Promise<ResourceAnswer> {
  const { kind, namespace, name = '', subresource } = request.target;
  const asked = parseRevision(request.options.resourceVersion);
  if (asked) await awaitRevision(core, asked, request.signal);
  if (subresource === 'scale') return getScale(core, request);
  strategyOf(kind, subresource);
  const served = core.kinds.of(kind);
  const stored = served.find(namespace, name);
  if (!stored) throw errors.notFound(kind, name);
  return { type: 'object', code: 200, stored: served.asServed(stored) };
}
