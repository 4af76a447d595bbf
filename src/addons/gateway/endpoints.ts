/**
 * Where the requests for a port of a Service go: pure. Ready endpoints; where none is, those that are going away and still
 * serve. An address that leads to this machine itself or a neighbour on the link is no endpoint, whoever wrote it: whether
 * one may be connected to is asked of `isAllowed`. Upstream: kube-proxy's "serving and terminating" fallback.
 */
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { own } from '../../api/meta/words.ts';
import type { BackendRef } from './compile-ingress.ts';
import type { BackendProtocol } from './route-policy.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface ResolvedBackend {
  readonly protocol: BackendProtocol;
  readonly endpoints: readonly Endpoint[];
  /** why nothing will answer, while it is so */
  readonly problem?: string | undefined;
}

const ofAppProtocol: Readonly<Record<string, BackendProtocol>> = {
  'kubernetes.io/h2c': 'h2c',
  grpc: 'h2c',
  https: 'https',
  'kubernetes.io/wss': 'https',
};

export interface BackendSource {
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
  readonly isAllowed: (address: string) => boolean;
}

export function resolveBackend(ref: BackendRef, { service, slices, isAllowed }: BackendSource): ResolvedBackend {
  const none = (problem: string): ResolvedBackend => ({ protocol: 'http', endpoints: [], problem });
  if (!service) return none(`there is no Service ${ref.service}`);
  if (service.spec.type === 'ExternalName') return none(`Service ${ref.service} is a name elsewhere: requests are not sent there`);
  const port = service.spec.ports?.find(({ name, port: number }) => ref.port === (typeof ref.port === 'number' ? number : name));
  if (!port) return none(`Service ${ref.service} has no port ${ref.port}`);
  const protocol = ref.protocol ?? own(ofAppProtocol, port.appProtocol?.toLowerCase() ?? '') ?? 'http';
  const family = slices.some(({ addressType }) => addressType === 'IPv4') ? 'IPv4' : 'IPv6';
  const found = slices
    .filter(({ addressType }) => addressType === family)
    .flatMap(({ endpoints, ports }) =>
      (ports ?? [])
        .filter(({ name = '' }) => name === (port.name ?? ''))
        .flatMap(({ port: number }) => (endpoints ?? []).map((endpoint) => ({ endpoint, number: number ?? port.port }))),
    )
    .filter(({ endpoint: { addresses } }) => isAllowed(addresses[0] ?? ''));
  const ready = found.filter(({ endpoint: { conditions } }) => conditions?.ready !== false);
  const leaving = found.filter(({ endpoint: { conditions } }) => conditions?.serving && conditions.terminating);
  const chosen = ready.length > 0 ? ready : leaving;
  const places = chosen.map(({ endpoint: { addresses }, number }): [string, Endpoint] => {
    const address = addresses[0] ?? '';
    return [`${address} ${number}`, { address, port: number }];
  });
  const endpoints = [...new Map(places).values()];
  return { protocol, endpoints, problem: endpoints.length > 0 ? undefined : `Service ${ref.service} has no ready endpoint` };
}
