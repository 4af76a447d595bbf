/**
 * NodeMetrics and PodMetrics: what nodes and pods use, computed by an add-on when they are read. Not among the built-in
 * kinds: they are served while the add-on runs.
 * Upstream: k8s.io/metrics, metrics-server's pkg/api.
 */

import { NodeMetrics, PodMetrics } from '../../generated/kinds.ts';
import type { ContainerMetrics } from '../../generated/metrics-v1beta1.ts';
import type { Cell, Column } from '../../meta/kind.ts';
import { sumQuantities } from '../../meta/quantity.ts';
import { defineKind } from '../define-kind.ts';

const resources = ['cpu', 'memory'] as const;
const columns: readonly Column[] = [
  { name: 'Name', type: 'string', format: 'name', priority: 0, description: 'Name of the resource' },
  ...resources.map((name) => ({ name, type: 'string', format: 'quantity', priority: 0 })),
  { name: 'Window', type: 'string', format: 'duration', priority: 0 },
];

const computed = { isComputed: true, isCollected: false, columns } as const;

const cells = ({ metadata, window }: NodeMetrics | PodMetrics, usages: readonly ContainerMetrics['usage'][]): readonly Cell[] => [
  metadata.name,
  ...resources.map((name) => sumQuantities(usages.map((usage) => usage[name] ?? '0'))),
  window,
];

export const nodeMetrics = defineKind(NodeMetrics, {
  ...computed,
  storagePrefix: 'metrics.k8s.io/nodes',
  hooks: { cells: (object) => cells(object, [object.usage]) },
});

export const podMetrics = defineKind(PodMetrics, {
  ...computed,
  storagePrefix: 'metrics.k8s.io/pods',
  hooks: {
    cells: (object) =>
      cells(
        object,
        object.containers.map(({ usage }) => usage),
      ),
  },
});
