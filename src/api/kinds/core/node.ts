/**
 * Node: may bring its status along when it registers; pod CIDRs and the provider's ID are set once.
 * Upstream: pkg/registry/core/node, pkg/apis/core/validation/validation.go (ValidateNode, ValidateNodeUpdate).
 */

import type { NodeAddress, NodeSpec } from '../../generated/core-v1.ts';
import { Node } from '../../generated/kinds.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { equalJson } from '../../meta/deep-equal.ts';
import type { Cell } from '../../meta/kind.ts';
import { all, each, eachBy, eachEntry, fields } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { ageOf, type CellContext } from '../cells.ts';
import { repeats } from '../checks.ts';
import { defineKind, named } from '../define-kind.ts';
import { cidrWarnings } from '../ip-warnings.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { cidr } from '../shared-rules.ts';
import { checkResourceQuantity } from './pod-spec/resource-checks.ts';
import { taints } from './pod-spec/scheduling-checks.ts';

const roleLabelPrefix = 'node-role.kubernetes.io/';
const roleLabel = 'kubernetes.io/role';

export const node = defineKind(Node, {
  storagePrefix: 'minions',
  selectablePaths: { ...named, 'spec.unschedulable': 'false' },
  hooks: {
    default: defaultNode,
    prepareForCreate: (object) => ({ ...object, spec: omit(object.spec, 'configSource'), status: omit(object.status, 'config') }),
    prepareForUpdate: (object, old) => (old.spec.configSource ? object : { ...object, spec: omit(object.spec, 'configSource') }),
    rules: (object, walk, old) => (old ? changed : created)(object, walk, old),
    statusRules: (object, walk, old) => changed(object, walk, old),
    warnings: ({ spec }) => [
      ...(spec.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
      ...listOf(spec.podCIDRs).flatMap((cidr, i) => cidrWarnings(`spec.podCIDRs[${i}]`, cidr)),
    ],
    cells,
  },
});

function defaultNode(object: Node): Node {
  const spec = withBothCIDRFields(object.spec);
  const { capacity, allocatable } = object.status;
  const status = capacity && !allocatable ? { ...object.status, allocatable: capacity } : object.status;
  return spec === object.spec && status === object.status ? object : { ...object, spec, status };
}

/** `podCIDR` and the first of `podCIDRs` say the same; where they differ, the older field wins. */
function withBothCIDRFields(spec: NodeSpec): NodeSpec {
  const first = spec.podCIDRs?.[0];
  if (spec.podCIDR === first) return spec;
  return spec.podCIDR ? { ...spec, podCIDRs: [spec.podCIDR] } : { ...spec, podCIDR: first ?? '' };
}

const amounts = eachEntry<string>((name, quantity, walk) =>
  walk.check(name, quantity, (_, at) => checkResourceQuantity(name, quantity, at)),
);
const resources = fields<Node>({ status: fields({ capacity: amounts, allocatable: amounts }) });
const tainted = fields<Pick<NodeSpec, 'taints'>>({ taints });
/** Upstream tells them of the metadata, where they were once. */
const taintsOf: Rule<Node> = ({ spec }, walk) => walk.check('metadata', { taints: spec.taints ?? [] }, tainted);

const podCIDRs: Rule<readonly string[]> = (ranges, walk, old) => {
  each(cidr)(ranges, walk, old);
  const isDual = ranges.length === 2 && ranges.filter((range) => isIPv6Address(range.split('/')[0] ?? '')).length === 1;
  if (ranges.length > 1 && !isDual) walk.invalid('', ranges, 'may specify no more than one CIDR for each IP family');
};

const created = all<Node>(taintsOf, resources, fields({ spec: fields({ podCIDRs }) }));

const addresses = eachBy<NodeAddress>(() => {
  const isRepeated = repeats<string>();
  return (address, walk) => {
    if (isRepeated(JSON.stringify([address.type, address.address]))) walk.duplicate('', address);
  };
});
const changed = all<Node>(
  (object, walk, old) => {
    if (object.status !== old?.status) resources(object, walk, old);
  },
  fields({ status: fields({ addresses }) }),
  ({ spec }, walk, old) => {
    const before = old?.spec ?? {};
    const fromEmpty = (field: string): string => `node updates may not change ${field} except from "" to valid`;
    if (before.podCIDRs?.length && !equalJson(spec.podCIDRs, before.podCIDRs)) walk.forbidden('spec.podCIDRs', fromEmpty('podCIDR'));
    if (before.providerID && spec.providerID !== before.providerID) walk.forbidden('spec.providerID', fromEmpty('providerID'));
  },
  taintsOf,
  ({ spec }, walk, old) => {
    if (spec.externalID !== old?.spec.externalID) walk.forbidden('spec.externalID', 'may not be updated');
  },
);

function cells(object: Node, at: CellContext): readonly Cell[] {
  const { nodeInfo } = object.status;
  const kernel = nodeInfo?.kernelVersion || '<unknown>';
  return [
    object.metadata.name,
    statusOf(object),
    rolesOf(object) || '<none>',
    ageOf(object, at),
    nodeInfo?.kubeletVersion ?? '',
    addressOf(object, 'InternalIP'),
    addressOf(object, 'ExternalIP'),
    nodeInfo?.osImage || '<unknown>',
    nodeInfo?.architecture ? `${kernel} (${nodeInfo.architecture})` : kernel,
    nodeInfo?.containerRuntimeVersion || '<unknown>',
  ];
}

function statusOf(object: Node): string {
  const ready = object.status.conditions?.findLast((condition) => condition.type === 'Ready');
  const status = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return object.spec.unschedulable ? `${status},SchedulingDisabled` : status;
}

function rolesOf(object: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(object.metadata.labels ?? {})) {
    if (key.startsWith(roleLabelPrefix) && key.length > roleLabelPrefix.length) roles.add(key.slice(roleLabelPrefix.length));
    else if (key === roleLabel && value) roles.add(value);
  }
  return [...roles].toSorted().join(',');
}

const addressOf = (object: Node, type: string): string =>
  object.status.addresses?.find((address) => address.type === type)?.address ?? '<none>';
