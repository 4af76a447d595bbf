/**
 * Node: may bring its status along when it registers; pod CIDRs and the provider's ID are set once.
 * Upstream: pkg/registry/core/node, pkg/apis/core/validation/validation.go (ValidateNode, ValidateNodeUpdate).
 */

import type { NodeSpec } from '../../generated/core-v1.ts';
import { Node } from '../../generated/kinds.ts';
import { isIPv6Address } from '../../meta/addresses.ts';
import { equalJson } from '../../meta/deep-equal.ts';
import type { Cell } from '../../meta/kind.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { ageOf, type CellContext } from '../cells.ts';
import { type Errors, repeats } from '../checks.ts';
import { defineKind, named } from '../define-kind.ts';
import { checkCIDR } from '../ip-checks.ts';
import { cidrWarnings } from '../ip-warnings.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { checkResourceQuantity } from './pod-spec/resource-checks.ts';
import { checkTaints } from './pod-spec/scheduling-checks.ts';

const roleLabelPrefix = 'node-role.kubernetes.io/';
const roleLabel = 'kubernetes.io/role';

export const node = defineKind(Node, {
  storagePrefix: 'minions',
  selectablePaths: { ...named, 'spec.unschedulable': 'false' },
  hooks: {
    default: defaultNode,
    prepareForCreate: (object) => ({ ...object, spec: omit(object.spec, 'configSource'), status: omit(object.status, 'config') }),
    prepareForUpdate: (object, old) => (old.spec.configSource ? object : { ...object, spec: omit(object.spec, 'configSource') }),
    validate: (object, old) => (old ? validateUpdate(object, old) : validateCreate(object)),
    validateStatus: validateUpdate,
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

function validateCreate(object: Node): readonly FieldError[] {
  const errors: Errors = [];
  if (object.spec.taints) checkTaints(errors, 'metadata.taints', object.spec.taints);
  checkResources(errors, object);
  const ranges = listOf(object.spec.podCIDRs);
  ranges.forEach((range, i) => {
    checkCIDR(errors, `spec.podCIDRs[${i}]`, range);
  });
  const isDual = ranges.length === 2 && ranges.filter((range) => isIPv6Address(range.split('/')[0] ?? '')).length === 1;
  if (ranges.length > 1 && !isDual) {
    errors.push(fieldErrors.invalid('spec.podCIDRs', ranges, 'may specify no more than one CIDR for each IP family'));
  }
  return errors;
}

function checkResources(errors: Errors, { status }: Node): void {
  for (const field of ['capacity', 'allocatable'] as const) {
    for (const [name, quantity] of Object.entries(status[field] ?? {})) {
      checkResourceQuantity(errors, `status.${field}.${name}`, { name, quantity });
    }
  }
}

function validateUpdate(object: Node, old: Node): readonly FieldError[] {
  const errors: Errors = [];
  const fromEmpty = (field: string): string => `node updates may not change ${field} except from "" to valid`;
  if (object.status !== old.status) checkResources(errors, object);
  const addresses = listOf(object.status.addresses);
  const isRepeated = repeats<string>();
  addresses.forEach((address, i) => {
    if (isRepeated(JSON.stringify([address.type, address.address]))) {
      errors.push(fieldErrors.duplicate(`status.addresses[${i}]`, address));
    }
  });
  if (old.spec.podCIDRs?.length && !equalJson(object.spec.podCIDRs, old.spec.podCIDRs)) {
    errors.push(fieldErrors.forbidden('spec.podCIDRs', fromEmpty('podCIDR')));
  }
  if (old.spec.providerID && object.spec.providerID !== old.spec.providerID) {
    errors.push(fieldErrors.forbidden('spec.providerID', fromEmpty('providerID')));
  }
  if (object.spec.taints) checkTaints(errors, 'metadata.taints', object.spec.taints);
  if (object.spec.externalID !== old.spec.externalID) errors.push(fieldErrors.forbidden('spec.externalID', 'may not be updated'));
  return errors;
}

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
