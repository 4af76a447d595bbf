/** Endpoints: the old list of a Service's addresses. Upstream: pkg/registry/core/endpoint, pkg/apis/core/validation. */
import type { EndpointAddress, EndpointSubset } from '../../generated/core-v1.ts';
import { Endpoints } from '../../generated/kinds.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkPortNumber, checkQualifiedName, nameIsDnsSubdomain } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { firstOf, nameAndAge } from '../cells.ts';
import { addInvalid, checkDnsLabel, checkOneOf, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkEndpointIP, checkIP } from '../ip-checks.ts';
import { ipWarnings } from '../ip-warnings.ts';
import { listOf } from '../lists.ts';

const shownMax = 3;

export const endpoints = defineKind(Endpoints, {
  storagePrefix: 'services/endpoints',
  allowCreateOnUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  hooks: {
    validate,
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

function validate(object: Endpoints, old?: Endpoints): readonly FieldError[] {
  const errors: Errors = [];
  listOf(object.subsets).forEach((subset, i) => {
    checkSubset(errors, `subsets[${i}]`, subset);
  });
  // what was valid once may stay
  return errors.length && old && equalSemantically(object.subsets, old.subsets) ? [] : errors;
}

function checkSubset(errors: Errors, path: string, subset: EndpointSubset): void {
  if (!subset.addresses?.length && !subset.notReadyAddresses?.length) {
    errors.push(fieldErrors.required(path, 'must specify `addresses` or `notReadyAddresses`'));
  }
  for (const field of ['addresses', 'notReadyAddresses'] as const) {
    listOf(subset[field]).forEach((address, i) => {
      checkAddress(errors, `${path}.${field}[${i}]`, address);
    });
  }
  const ports = listOf(subset.ports);
  ports.forEach((port, i) => {
    const at = `${path}.ports[${i}]`;
    if (port.name) checkDnsLabel(errors, `${at}.name`, port.name);
    else if (ports.length > 1) errors.push(fieldErrors.required(`${at}.name`));
    addInvalid(errors, `${at}.port`, port.port, checkPortNumber(port.port));
    checkOneOf(errors, `${at}.protocol`, port.protocol, { of: ['SCTP', 'TCP', 'UDP'] });
    if (port.appProtocol !== undefined) addInvalid(errors, `${at}.appProtocol`, port.appProtocol, checkQualifiedName(port.appProtocol));
  });
}

function checkAddress(errors: Errors, path: string, address: EndpointAddress): void {
  checkIP(errors, `${path}.ip`, address.ip);
  if (address.hostname) checkDnsLabel(errors, `${path}.hostname`, address.hostname);
  if (address.nodeName !== undefined) {
    addInvalid(errors, `${path}.nodeName`, address.nodeName, nameIsDnsSubdomain(address.nodeName, false));
  }
  checkEndpointIP(errors, `${path}.ip`, address.ip);
}
