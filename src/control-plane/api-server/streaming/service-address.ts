/**
 * Where a Service answers, for what the server itself asks of it (webhooks, aggregated servers): one of its ready
 * endpoints, so that nothing depends on the machine's service proxy; of an ExternalName, that name.
 * Upstream: apiserver/pkg/util/proxy/proxy.go (ResolveEndpoint).
 */
import { EndpointSlice, Service } from '../../../api/generated/kinds.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { serviceNameLabel } from '../../../api/meta/well-known.ts';
import { own } from '../../../api/meta/words.ts';
import type { Random } from '../../../client/clock.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { refuseSimulated } from './kubelet-address.ts';

export interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface ServiceDirectory {
  readonly reader: ObjectReader;
  readonly random: Random;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Throws NotFound or ServiceUnavailable, in upstream's words. */
export function addressOfService({ reader, random }: ServiceDirectory, { namespace, name, port }: ServicePort): Address {
  const service = reader.get(Service, { namespace, name });
  if (!service) throw errors.notFound({ group: '', resource: 'service' }, name);
  const { type, externalName = '', ports = [] } = service.spec;
  if (type === 'ExternalName') return { host: externalName, port };
  const found = ports.find((each) => each.port === port);
  if (!found) throw errors.serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const addresses = readyAddresses(reader, { namespace, name, portName: found.name ?? '' });
  const chosen = addresses[Math.floor(random.next() * addresses.length)];
  if (!chosen) throw errors.serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  const { nodeName, ...address } = chosen;
  refuseSimulated(reader, nodeName, `the endpoint of service "${name}"`);
  return address;
}

interface ReadyAddress extends Address {
  readonly nodeName: string | undefined;
}

interface NamedPort {
  readonly namespace: string;
  readonly name: string;
  readonly portName: string;
}

/** Where a Service's endpoints are written down. */
export const slicesOf = (reader: ObjectReader, { namespace, name }: Omit<ServicePort, 'port'>): readonly EndpointSlice[] =>
  [...reader.list(EndpointSlice, namespace)].filter(({ metadata }) => own(metadata.labels, serviceNameLabel) === name);

function readyAddresses(reader: ObjectReader, { namespace, name, portName }: NamedPort): readonly ReadyAddress[] {
  const found: ReadyAddress[] = [];
  for (const slice of slicesOf(reader, { namespace, name })) {
    const port = slice.ports?.find((each) => (each.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const { conditions, addresses, nodeName } of slice.endpoints ?? []) {
      const [host] = addresses;
      if (host !== undefined && conditions?.ready !== false) found.push({ host, port, nodeName });
    }
  }
  return found;
}
