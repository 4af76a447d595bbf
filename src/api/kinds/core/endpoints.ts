/** Endpoints: the old list of a Service's addresses. Upstream: pkg/registry/core/endpoint, pkg/apis/core/validation. */
import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../generated/core-v1.ts';
import { Endpoints } from '../../generated/kinds.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { all, each, eachBy, fields, filled, oneOf, ratcheted, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { firstOf, nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { ipWarnings } from '../ip-warnings.ts';
import { listOf } from '../lists.ts';
import { dnsLabel, endpointIP, ip, portNumber, qualifiedName, subdomainName } from '../shared-rules.ts';

const shownMax = 3;

const address = all<EndpointAddress>(fields({ ip, hostname: filled(dnsLabel), nodeName: subdomainName }), fields({ ip: endpointIP }));
const port = fields<EndpointPort>({ port: portNumber, protocol: required(oneOf('SCTP', 'TCP', 'UDP')), appProtocol: qualifiedName });
const onlyPort = all<EndpointPort>(fields({ name: filled(dnsLabel) }), port);
const onePort = all<EndpointPort>(fields({ name: required(dnsLabel) }), port);

const subset: Rule<EndpointSubset> = all<EndpointSubset>(
  ({ addresses, notReadyAddresses }, walk) => {
    if (!addresses?.length && !notReadyAddresses?.length) walk.required('', 'must specify `addresses` or `notReadyAddresses`');
  },
  fields({ addresses: each(address), notReadyAddresses: each(address), ports: eachBy((ports) => (ports.length > 1 ? onePort : onlyPort)) }),
);

export const endpoints = defineKind(Endpoints, {
  storagePrefix: 'services/endpoints',
  allowCreateOnUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  hooks: {
    rules: fields({ subsets: ratcheted(each(subset)) }),
    warnings: ({ subsets }) =>
      listOf(subsets).flatMap(({ addresses, notReadyAddresses }, i) => [
        ...listOf(addresses).flatMap(({ ip }, j) => ipWarnings(`subsets[${i}].addresses[${j}].ip`, ip)),
        ...listOf(notReadyAddresses).flatMap(({ ip }, j) => ipWarnings(`subsets[${i}].notReadyAddresses[${j}].ip`, ip)),
      ]),
    cells: nameAndAge((object) => [firstOf(addressesOf(object), shownMax) || '<none>']),
  },
});

function addressesOf(object: Endpoints): readonly string[] {
  return listOf(object.subsets).flatMap(({ addresses, ports }) => {
    const ips = listOf(addresses).map(({ ip }) => ip);
    if (!ports?.length) return ips;
    return ports.flatMap(({ port }) => ips.map((ip) => (isIPv6Address(ip) ? `[${ip}]:${port}` : `${ip}:${port}`)));
  });
}
