/** NetworkPolicy. Upstream: pkg/apis/networking/v1/defaults.go, pkg/apis/networking/validation/validation.go. */
import { NetworkPolicy } from '../../generated/kinds.ts';
import type { IPBlock, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from '../../generated/networking-v1.ts';
import { all, each, fields, keeping, oneOf } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { formatSelector, nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { outsideOf } from '../ip-checks.ts';
import { listOf } from '../lists.ts';
import { change } from '../set-defaults.ts';
import { cidr, port, portNumber, selector } from '../shared-rules.ts';

const policyTypesMax = 2;

const knownProtocol = oneOf('TCP', 'UDP', 'SCTP');
const portRule: Rule<NetworkPolicyPort> = ({ protocol, port: first, endPort: last }, walk) => {
  walk.check('protocol', protocol, knownProtocol);
  if (first === undefined && last !== undefined) walk.invalid('endPort', last, 'may not be specified when `port` is not specified');
  if (typeof first === 'string' && last !== undefined) walk.invalid('endPort', last, 'may not be specified when `port` is non-numeric');
  walk.check('port', first, port);
  if (typeof first !== 'number' || last === undefined) return;
  if (last < first) walk.invalid('endPort', first, 'must be greater than or equal to `port`');
  walk.check('endPort', last, portNumber);
};

const blockRule: Rule<IPBlock> = ({ cidr: whole, except }, walk) => {
  if (!whole) return walk.required('cidr');
  walk.check('cidr', whole, cidr);
  const isOutside = outsideOf(whole);
  const isWithin: Rule<string> = (inner, place) => {
    if (isOutside(inner)) place.invalid('', inner, 'must be a strict subset of `cidr`');
  };
  walk.check('except', except, each(all(cidr, isWithin)));
};

const peerRule = all<NetworkPolicyPeer>(
  fields({ podSelector: selector, namespaceSelector: selector, ipBlock: blockRule }),
  ({ podSelector, namespaceSelector, ipBlock }, walk) => {
    const selects = podSelector !== undefined || namespaceSelector !== undefined;
    if (!selects && !ipBlock) walk.required('', 'must specify a peer');
    if (selects && ipBlock) walk.forbidden('', 'may not specify both ipBlock and another peer');
  },
);

const ports = each(portRule);
const peers = each(peerRule);
const knownTypes = each(oneOf('Ingress', 'Egress'));
const policyTypes: Rule<readonly string[]> = (types, walk) => {
  if (types.length > policyTypesMax) walk.invalid('', types, 'may not specify more than two policyTypes');
  else knownTypes(types, walk, undefined);
};

const specRule = fields<NetworkPolicySpec>({
  podSelector: selector,
  ingress: each(fields({ ports, from: peers })),
  egress: each(fields({ ports, to: peers })),
  policyTypes,
});

export const networkPolicy = defineKind(NetworkPolicy, {
  hasGeneration: true,
  hooks: {
    default: (object) => change(object, 'spec', defaultSpec),
    rules: keeping((old) => cidrsOf(old.spec), fields({ spec: specRule })),
    cells: nameAndAge(({ spec }) => [formatSelector(spec.podSelector)]),
  },
});

/** A policy is about ingress, and about egress if it has rules for it. */
function defaultSpec(spec: NetworkPolicySpec): NetworkPolicySpec {
  if (spec.policyTypes?.length) return spec;
  return { ...spec, policyTypes: spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'] };
}

/** What a policy said once may stay. */
function cidrsOf({ ingress, egress }: NetworkPolicySpec): readonly string[] {
  const all = [...listOf(ingress).flatMap(({ from }) => listOf(from)), ...listOf(egress).flatMap(({ to }) => listOf(to))];
  return all.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...listOf(ipBlock.except)] : []));
}
