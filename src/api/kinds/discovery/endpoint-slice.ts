/** EndpointSlice. Labels count as a new generation, too. Upstream: pkg/registry/discovery/endpointslice, pkg/apis/discovery/validation. */
import type { Endpoint, EndpointHints, EndpointPort, ForZone } from '../../generated/discovery-v1.ts';
import { EndpointSlice } from '../../generated/kinds.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkLabelValue, nameIsDnsSubdomain } from '../../meta/names.ts';
import { hostnameLabel, sliceManagedByLabel } from '../../meta/well-known.ts';
import { own } from '../../meta/words.ts';
import {
  all,
  each,
  fields,
  filled,
  format,
  immutable,
  itemsMax,
  knowing,
  oneOf,
  present,
  ratcheted,
  required,
  uniqueBy,
  untilWrong,
} from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { firstOf, nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { domainName } from '../domain-checks.ts';
import { checkCanonicalIP } from '../ip-checks.ts';
import { ipWarnings } from '../ip-warnings.ts';
import { listOf } from '../lists.ts';
import { change, mapSame, omit } from '../set-defaults.ts';
import { dnsLabel, endpointIP, ip, labels, qualifiedName, subdomainName } from '../shared-rules.ts';

const endpointsMax = 1000;
const addressesMax = 100;
const portsMax = 20_000;
const hintsMax = 8;
const topologyMax = 16;
const shownMax = 3;

const restOfPort = fields<EndpointPort>({ protocol: present(oneOf('SCTP', 'TCP', 'UDP')), appProtocol: qualifiedName });
const ports = itemsMax(
  portsMax,
  uniqueBy<EndpointPort>(({ name = '' }) => name, { at: 'name', rule: fields({ name: filled(dnsLabel) }), after: restOfPort }),
);

const addressOf = (type: 'IPv4' | 'IPv6', check: Rule<string>): Rule<string> =>
  untilWrong(check, (address, walk) => {
    const isOther = isIPv6Address(address) !== (type === 'IPv6');
    if (isOther) walk.outside(() => walk.invalid('', address, `must be an ${type} address`));
    endpointIP(address, walk, undefined);
  });
const addressRules: Readonly<Record<string, Rule<string>>> = {
  FQDN: domainName,
  IPv4: addressOf('IPv4', ip),
  IPv6: addressOf('IPv6', format(checkCanonicalIP)),
};

const hintList = (check: Rule<string>): Rule<readonly ForZone[]> =>
  uniqueBy(({ name }) => name, { at: 'name', after: fields<ForZone>({ name: check }) });
const hintLists = [
  ['forZones', hintList(format(checkLabelValue))],
  ['forNodes', hintList(subdomainName)],
] as const;
const hints: Rule<EndpointHints> = (given, walk) => {
  for (const [field, rule] of hintLists) {
    const list = listOf(given[field]);
    if (list.length > hintsMax) return walk.tooMany(field, list.length, hintsMax);
    walk.check(field, list, rule);
  }
};

/** In `about` is the type of its addresses. */
const endpoint = fields<Endpoint>({
  addresses: all<readonly string[]>(
    required(undefined, 'must contain at least 1 address'),
    itemsMax(addressesMax),
    each((address, walk) => own(addressRules, walk.about as string)?.(address, walk, undefined)),
  ),
  nodeName: subdomainName,
  deprecatedTopology: all<NonNullable<Endpoint['deprecatedTopology']>>((topology, walk) => {
    const count = Object.keys(topology).length;
    if (count > topologyMax) walk.tooMany('', count, topologyMax);
  }, labels),
  hostname: dnsLabel,
  hints,
});

const rules = knowing<EndpointSlice>(
  ({ addressType }) => addressType,
  all<EndpointSlice>(
    fields({
      addressType: required(oneOf('FQDN', 'IPv4', 'IPv6')),
      ports,
      endpoints: ratcheted(itemsMax(endpointsMax, each(endpoint))),
    }),
    fields({ addressType: immutable() }),
  ),
);

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
    rules,
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
