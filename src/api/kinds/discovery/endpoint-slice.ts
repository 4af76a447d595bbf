/** EndpointSlice. Labels count as a new generation, too. Upstream: pkg/registry/discovery/endpointslice, pkg/apis/discovery/validation. */
import type { Endpoint, EndpointHints, EndpointPort } from '../../generated/discovery-v1.ts';
import { EndpointSlice } from '../../generated/kinds.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkLabelValue, checkQualifiedName, nameIsDnsSubdomain } from '../../meta/names.ts';
import { validateLabels } from '../../meta/selectors.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { hostnameLabel, sliceManagedByLabel } from '../../meta/well-known.ts';
import { firstOf, nameAndAge } from '../cells.ts';
import { addInvalid, checkDnsLabel, checkImmutable, checkOneOf, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkDomainName } from '../domain-checks.ts';
import { checkCanonicalIP, checkEndpointIP, checkIP } from '../ip-checks.ts';
import { ipWarnings } from '../ip-warnings.ts';
import { listOf } from '../lists.ts';
import { change, mapSame, omit } from '../set-defaults.ts';

const endpointsMax = 1000;
const addressesMax = 100;
const portsMax = 20_000;
const hintsMax = 8;
const topologyMax = 16;
const shownMax = 3;
const addressTypes = ['FQDN', 'IPv4', 'IPv6'];

export const endpointSlice = defineKind(EndpointSlice, {
  hasGeneration: true,
  hooks: {
    prepareForCreate: (object) => withoutTopology(object, new Set()),
    prepareForUpdate(given, old) {
      const { endpoints } = old;
      const changed = !equalSemantically(given.endpoints, endpoints);
      const object = changed ? withoutTopology(given, new Set(listOf(endpoints).map(topologyNode))) : given;
      const { metadata } = object;
      if (equalSemantically(metadata.labels, old.metadata.labels)) return object;
      return { ...object, metadata: { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } };
    },
    validate,
    warnings: warningsOf,
    cells: nameAndAge((object) => [
      object.addressType,
      firstOf(listOf(object.ports).map(portText), shownMax) || '<unset>',
      firstOf(
        listOf(object.endpoints).flatMap(({ addresses }) => addresses),
        shownMax,
      ) || '<unset>',
    ]),
  },
});

const portText = ({ port, name }: EndpointPort): string => (port === undefined ? (name ?? '*') : String(port));
const topologyNode = (endpoint: Endpoint): string | undefined => endpoint.deprecatedTopology?.[hostnameLabel];

/** The old topology can't be written; a node that it named before becomes nodeName. */
function withoutTopology(object: EndpointSlice, known: ReadonlySet<string | undefined>): EndpointSlice {
  return change(object, 'endpoints', (endpoints) =>
    mapSame(endpoints, (endpoint) => {
      const node = topologyNode(endpoint);
      const rest = omit(endpoint, 'deprecatedTopology');
      return node && known.has(node) && endpoint.nodeName === undefined && !nameIsDnsSubdomain(node, false).length
        ? { ...rest, nodeName: node }
        : rest;
    }),
  );
}

const managers = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

/** Not of what our own controllers write: they correct addresses. */
function warningsOf(object: EndpointSlice, old?: EndpointSlice): readonly string[] {
  if (managers.includes(object.metadata.labels?.[sliceManagedByLabel] ?? '')) return [];
  return [
    ...(!old && object.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
    ...listOf(object.endpoints).flatMap(({ addresses }, i) =>
      listOf(addresses).flatMap((address, j) => ipWarnings(`endpoints[${i}].addresses[${j}]`, address)),
    ),
  ];
}

function validate(object: EndpointSlice, old?: EndpointSlice): readonly FieldError[] {
  const errors: Errors = [];
  checkOneOf(errors, 'addressType', object.addressType, { of: addressTypes });
  checkPorts(errors, 'ports', listOf(object.ports));
  const found: Errors = [];
  checkEndpoints(found, 'endpoints', object);
  // what was valid once may stay
  if (found.length && !(old && equalSemantically(object.endpoints, old.endpoints))) errors.push(...found);
  if (old) checkImmutable(errors, 'addressType', object.addressType, old.addressType);
  return errors;
}

function checkPorts(errors: Errors, path: string, ports: readonly EndpointPort[]): void {
  if (ports.length > portsMax) return void errors.push(fieldErrors.tooMany(path, ports.length, portsMax));
  const names = new Set<string>();
  ports.forEach(({ name = '', protocol, appProtocol }, i) => {
    const at = `${path}[${i}]`;
    if (name) checkDnsLabel(errors, `${at}.name`, name);
    if (names.has(name)) errors.push(fieldErrors.duplicate(`${at}.name`, name));
    names.add(name);
    checkOneOf(errors, `${at}.protocol`, protocol, { of: ['SCTP', 'TCP', 'UDP'], emptyIsValue: true });
    if (appProtocol !== undefined) addInvalid(errors, `${at}.appProtocol`, appProtocol, checkQualifiedName(appProtocol));
  });
}

function checkEndpoints(errors: Errors, path: string, { endpoints: given, addressType }: EndpointSlice): void {
  const endpoints = listOf(given);
  if (endpoints.length > endpointsMax) return void errors.push(fieldErrors.tooMany(path, endpoints.length, endpointsMax));
  endpoints.forEach((endpoint, i) => {
    const at = `${path}[${i}]`;
    const addresses = listOf(endpoint.addresses);
    if (!addresses.length) errors.push(fieldErrors.required(`${at}.addresses`, 'must contain at least 1 address'));
    if (addresses.length > addressesMax) errors.push(fieldErrors.tooMany(`${at}.addresses`, addresses.length, addressesMax));
    addresses.forEach((address, j) => {
      checkAddress(errors, `${at}.addresses`, { address, at: `${at}.addresses[${j}]`, addressType });
    });
    const { nodeName, deprecatedTopology, hostname, hints } = endpoint;
    if (nodeName !== undefined) addInvalid(errors, `${at}.nodeName`, nodeName, nameIsDnsSubdomain(nodeName, false));
    if (deprecatedTopology) {
      const count = Object.keys(deprecatedTopology).length;
      if (count > topologyMax) errors.push(fieldErrors.tooMany(`${at}.deprecatedTopology`, count, topologyMax));
      errors.push(...validateLabels(deprecatedTopology, `${at}.deprecatedTopology`));
    }
    if (hostname !== undefined) checkDnsLabel(errors, `${at}.hostname`, hostname);
    if (hints) checkHints(errors, `${at}.hints`, hints);
  });
}

interface AddressCheck {
  readonly address: string;
  readonly at: string;
  readonly addressType: string;
}

function checkAddress(errors: Errors, path: string, { address, at, addressType }: AddressCheck): void {
  if (addressType === 'FQDN') checkDomainName(errors, at, address);
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return;
  const before = errors.length;
  if (addressType === 'IPv4') checkIP(errors, at, address);
  else checkCanonicalIP(errors, at, address);
  if (errors.length > before) return;
  if (isIPv6Address(address) !== (addressType === 'IPv6')) {
    errors.push(fieldErrors.invalid(path, address, `must be an ${addressType} address`));
  }
  checkEndpointIP(errors, at, address);
}

function checkHints(errors: Errors, path: string, { forZones, forNodes }: EndpointHints): void {
  const lists = [
    [`${path}.forZones`, listOf(forZones), checkLabelValue],
    [`${path}.forNodes`, listOf(forNodes), (name: string) => nameIsDnsSubdomain(name, false)],
  ] as const;
  for (const [at, hints, check] of lists) {
    if (hints.length > hintsMax) return void errors.push(fieldErrors.tooMany(at, hints.length, hintsMax));
    const names = new Set<string>();
    hints.forEach(({ name }, i) => {
      if (names.has(name)) errors.push(fieldErrors.duplicate(`${at}[${i}].name`, name));
      names.add(name);
      addInvalid(errors, `${at}[${i}].name`, name, check(name));
    });
  }
}
