/** NetworkPolicy. Upstream: pkg/apis/networking/v1/defaults.go, pkg/apis/networking/validation/validation.go. */
import { NetworkPolicy } from '../../generated/kinds.ts';
import type { IPBlock, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from '../../generated/networking-v1.ts';
import { checkPortNumber } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { formatSelector, nameAndAge } from '../cells.ts';
import { addInvalid, checkPort, checkSelector, checkSupported, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkCIDR, outsideOf } from '../ip-checks.ts';
import { listOf } from '../lists.ts';
import { change } from '../set-defaults.ts';

const policyTypes = ['Ingress', 'Egress'];

export const networkPolicy = defineKind(NetworkPolicy, {
  hasGeneration: true,
  hooks: {
    default: (object) => change(object, 'spec', defaultSpec),
    validate,
    cells: nameAndAge(({ spec }) => [formatSelector(spec.podSelector)]),
  },
});

/** A policy is about ingress, and about egress if it has rules for it. */
function defaultSpec(spec: NetworkPolicySpec): NetworkPolicySpec {
  if (spec.policyTypes?.length) return spec;
  return { ...spec, policyTypes: spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'] };
}

function validate({ spec }: NetworkPolicy, old?: NetworkPolicy): readonly FieldError[] {
  const errors: Errors = [];
  const known = new Set(old ? cidrsOf(old.spec) : []);
  checkSelector(errors, 'spec.podSelector', spec.podSelector);
  listOf(spec.ingress).forEach(({ ports, from }, i) => {
    checkPorts(errors, `spec.ingress[${i}].ports`, listOf(ports));
    checkPeers(errors, `spec.ingress[${i}].from`, listOf(from), known);
  });
  listOf(spec.egress).forEach(({ ports, to }, i) => {
    checkPorts(errors, `spec.egress[${i}].ports`, listOf(ports));
    checkPeers(errors, `spec.egress[${i}].to`, listOf(to), known);
  });
  const types = listOf(spec.policyTypes);
  if (types.length > policyTypes.length) {
    errors.push(fieldErrors.invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
    return errors;
  }
  types.forEach((type, i) => {
    checkSupported(errors, `spec.policyTypes[${i}]`, type, policyTypes);
  });
  return errors;
}

/** What a policy said once may stay. */
function cidrsOf({ ingress, egress }: NetworkPolicySpec): readonly string[] {
  const peers = [...listOf(ingress).flatMap(({ from }) => listOf(from)), ...listOf(egress).flatMap(({ to }) => listOf(to))];
  return peers.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...listOf(ipBlock.except)] : []));
}

function checkPorts(errors: Errors, path: string, ports: readonly NetworkPolicyPort[]): void {
  ports.forEach(({ protocol, port, endPort }, i) => {
    const at = `${path}[${i}]`;
    const addEnd = (value: number, message: string): void => void errors.push(fieldErrors.invalid(`${at}.endPort`, value, message));
    checkSupported(errors, `${at}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']);
    if (port === undefined) {
      if (endPort !== undefined) addEnd(endPort, 'may not be specified when `port` is not specified');
      return;
    }
    if (typeof port === 'string' && endPort !== undefined) addEnd(endPort, 'may not be specified when `port` is non-numeric');
    checkPort(errors, `${at}.port`, port);
    if (typeof port === 'number' && endPort !== undefined) {
      if (endPort < port) addEnd(port, 'must be greater than or equal to `port`');
      addInvalid(errors, `${at}.endPort`, endPort, checkPortNumber(endPort));
    }
  });
}

function checkPeers(errors: Errors, path: string, peers: readonly NetworkPolicyPeer[], known: ReadonlySet<string>): void {
  peers.forEach(({ podSelector, namespaceSelector, ipBlock }, i) => {
    const at = `${path}[${i}]`;
    checkSelector(errors, `${at}.podSelector`, podSelector);
    checkSelector(errors, `${at}.namespaceSelector`, namespaceSelector);
    if (ipBlock) checkBlock(errors, `${at}.ipBlock`, ipBlock, known);
    const selects = podSelector !== undefined || namespaceSelector !== undefined;
    if (!selects && !ipBlock) errors.push(fieldErrors.required(at, 'must specify a peer'));
    if (selects && ipBlock) errors.push(fieldErrors.forbidden(at, 'may not specify both ipBlock and another peer'));
  });
}

function checkBlock(errors: Errors, path: string, { cidr, except }: IPBlock, known: ReadonlySet<string>): void {
  if (!cidr) return void errors.push(fieldErrors.required(`${path}.cidr`));
  checkCIDR(errors, `${path}.cidr`, cidr, known);
  const isOutside = outsideOf(cidr);
  listOf(except).forEach((inner, i) => {
    const at = `${path}.except[${i}]`;
    checkCIDR(errors, at, inner, known);
    if (isOutside(inner)) errors.push(fieldErrors.invalid(at, inner, 'must be a strict subset of `cidr`'));
  });
}
