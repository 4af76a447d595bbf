/** The zone's view of the cluster: informers of Services, EndpointSlices and Namespaces, indexed for the questions. */
import { EndpointSlice, Namespace, Service } from '../../api/generated/kinds.ts';
import { serviceNameLabel } from '../../api/meta/well-known.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { ZoneSource } from './cluster-zone.ts';

export function createInformerSource(client: Client, clock: Clock): ZoneSource & { readonly synced: Promise<void> } {
  const services = client.informer(Service);
  const slices = client.informer(EndpointSlice);
  const namespaces = client.informer(Namespace);
  const servicesByIP = services.index('clusterIP', (service) => (service.spec.clusterIPs ?? []).filter((ip) => ip !== 'None'));
  const slicesByService = slices.index('service', (slice) => {
    const name = slice.metadata.labels?.[serviceNameLabel];
    return name === undefined ? [] : [`${slice.metadata.namespace}/${name}`];
  });
  const slicesByIP = slices.index('address', (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses));
  let changedAtMs = clock.now();
  const noteChange = (): void => {
    changedAtMs = clock.now();
  };
  for (const informer of [services, slices]) informer.on({ added: noteChange, updated: noteChange, deleted: noteChange });
  return {
    synced: Promise.all([services.synced, slices.synced, namespaces.synced]).then(() => undefined),
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    hasNamespace: (namespace) => namespaces.get(namespace) !== undefined,
    slices: (namespace, service) => slicesByService(`${namespace}/${service}`),
    serviceByIP: (ip) => servicesByIP(ip)[0],
    slicesByIP: (ip) => slicesByIP(ip),
    changedAt: () => Math.floor(changedAtMs / 1000),
  };
}
