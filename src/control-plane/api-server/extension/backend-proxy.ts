/**
 * Hands requests for a group-version of another server on to it, with the word of this one who asks: plain requests,
 * watches and upgrades alike. What the backend answers goes back as it is, but for redirects. One that is not available is not tried, so a
 * dead one holds up nobody.
 * Upstream: kube-aggregator/pkg/apiserver/handler_proxy.go.
 */
import type { IncomingMessage } from 'node:http';
import { APIService } from '../../../api/generated/kinds.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import { remoteHeaders } from '../authentication/request-header.ts';
import type { Answer } from '../request/answer.ts';
import type { ApiRequest, BackendTarget } from '../request/api-request.ts';
import { textPage } from '../request/non-resource-endpoint.ts';
import { serviceUnavailable } from '../request/refusals.ts';
import { ask, passOn } from '../streaming/http-forward.ts';
import { tunnel } from '../streaming/upgrade-tunnel.ts';
import { type BackendTools, backendTarget } from './backend.ts';

const switchingProtocols = 101;
const badGateway = 502;
const unavailable: Answer = textPage(503, serviceUnavailable);
/** Whoever followed it would show himself to wherever the backend likes. */
const redirected: Answer = {
  type: 'page',
  code: badGateway,
  page: { status: badGateway, headers: {}, body: 'the backend attempted to redirect this request, which is not permitted' },
};
const isRedirect = ({ statusCode = 0, headers }: IncomingMessage): boolean =>
  statusCode >= 300 && statusCode <= 399 && headers.location !== undefined;

export function backendProxy(tools: BackendTools): (request: ApiRequest<BackendTarget>) => Promise<Answer> {
  return async ({ target, user }) => {
    const { group, version } = target.backend;
    const service = tools.reader.get(APIService, { name: `${version}.${group}` });
    if (!service || !isConditionTrue(service.status.conditions, 'Available')) return unavailable;
    const place = await backendTarget(service, tools).catch(() => undefined);
    if (!place) return unavailable;
    const to = { ...place, path: target.request.url ?? target.path, headers: remoteHeaders(user) };
    if (target.upgrade)
      return { type: 'connection', code: switchingProtocols, run: () => tunnel(target, tools.dialer, { ...to, passHeaders: true }) };
    try {
      const answer = await ask(target, tools.dialer, to);
      if (isRedirect(answer)) {
        answer.destroy();
        return redirected;
      }
      return { type: 'connection', code: answer.statusCode ?? 0, run: () => passOn(target, answer, {}) };
    } catch (error) {
      if (!isStatusError(error)) throw error;
      return textPage(error.code, error.message);
    }
  };
}
