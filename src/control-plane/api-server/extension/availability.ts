/**
 * Whether the server that answers for an APIService can be reached: its Service is there, listens on the port, has a
 * ready endpoint, and answers for the group-version. The plan is pure; the question is put five times at once, and one
 * answer is enough. Reasons and messages are upstream's.
 * Upstream: kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go.
 */
import { type APIService, type EndpointSlice, Service } from '../../../api/generated/kinds.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { slicesOf } from '../streaming/service-address.ts';
import { type BackendTools, getDocument } from './backend.ts';

export interface Availability {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const attempts = 5;
const httpsPort = 443;

/** What stands in the way of a question; undefined: nothing. */
export function planAvailability({ spec }: APIService, reader: ObjectReader): Availability | undefined {
  const { namespace = '', name = '', port = httpsPort } = spec.service ?? {};
  const missing = (reason: string, message: string): Availability => ({ status: 'False', reason, message });
  const named = `service/${name} in "${namespace}"`;
  const service = reader.get(Service, { namespace, name });
  if (!service) return missing('ServiceNotFound', `${named} is not present`);
  if (service.spec.type !== 'ClusterIP') return undefined;
  const found = (service.spec.ports ?? []).find((each) => each.port === port);
  if (!found) return missing('ServicePortError', `${named} is not listening on port ${port}`);
  const slices = slicesOf(reader, { namespace, name });
  if (slices.length === 0) return missing('EndpointsNotFound', `cannot find endpointslices for ${named}`);
  const portName = found.name ?? '';
  if (slices.some((slice) => hasReadyEndpoint(slice, portName))) return undefined;
  return missing('MissingEndpoints', `endpointslices for ${named} have no addresses with port name ${JSON.stringify(portName)}`);
}

const hasReadyEndpoint = ({ endpoints, ports }: EndpointSlice, portName: string): boolean =>
  (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false) &&
  (ports ?? []).some(({ name = '', port }) => name === portName && port !== undefined);

export const versionPath = ({ spec: { group = '', version = '' } }: APIService): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

export async function askAvailability(service: APIService, tools: BackendTools, signal: AbortSignal): Promise<Availability> {
  try {
    await Promise.any(Array.from({ length: attempts }, () => askOnce(service, tools, signal)));
    return { status: 'True', reason: 'Passed', message: 'all checks passed' };
  } catch (error) {
    const last: unknown = error instanceof AggregateError ? error.errors.at(-1) : error;
    return { status: 'False', reason: 'FailedDiscoveryCheck', message: messageOf(last) };
  }
}

async function askOnce(service: APIService, tools: BackendTools, signal: AbortSignal): Promise<void> {
  const path = versionPath(service);
  const { namespace = '', name = '', port = httpsPort } = service.spec.service ?? {};
  const url = `https://${name}.${namespace}.svc:${port}${path}`;
  const { code } = await getDocument(service, tools, { path, accept: 'application/json', signal }).catch((cause: Error) => {
    const why = signal.aborted ? 'context deadline exceeded' : cause.message;
    throw new Error(`failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${why}`, { cause });
  });
  if (code < 200 || code >= 300) throw new Error(`failing or missing response from ${url}: bad status from ${url}: ${code}`);
}
