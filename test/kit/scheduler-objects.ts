/** Nodes, pods and node tables for the tests of the scheduler. */

import assert from 'node:assert/strict';
import type { PodSpec, Taint } from '../../src/api/generated/core-v1.ts';
import type { Node, Pod } from '../../src/api/generated/kinds.ts';
import type { LabelMap } from '../../src/api/meta/selectors.ts';
import { own } from '../../src/api/meta/words.ts';
import { seededRandom } from '../../src/client/clock.ts';
import { describeDiagnosis } from '../../src/control-plane/scheduler/diagnosis.ts';
import type { ClusterEvent, SchedulerPlugin } from '../../src/control-plane/scheduler/framework.ts';
import { NodeTable } from '../../src/control-plane/scheduler/node-table.ts';
import { Nominator } from '../../src/control-plane/scheduler/nominator.ts';
import { defaultPlugins } from '../../src/control-plane/scheduler/plugins/index.ts';
import type { BindableVolumes } from '../../src/control-plane/scheduler/plugins/volume-binding.ts';
import { PodFacts } from '../../src/control-plane/scheduler/pod-facts.ts';
import { NodeSelector } from '../../src/control-plane/scheduler/select-node.ts';

export const hostname = 'kubernetes.io/hostname';
export const zone = 'topology.kubernetes.io/zone';

export interface TestNode {
  readonly labels?: LabelMap | undefined;
  readonly taints?: readonly Taint[] | undefined;
  readonly unschedulable?: boolean | undefined;
  readonly allocatable?: { readonly [name: string]: string } | undefined;
  readonly images?: { readonly [name: string]: number } | undefined;
}

export function testNode(name: string, { labels, taints, unschedulable, allocatable, images = {} }: TestNode = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, labels: { [hostname]: name, ...labels } },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: {
      allocatable: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi', pods: '110', ...allocatable },
      images: Object.entries(images).map(([image, sizeBytes]) => ({ names: [image], sizeBytes })),
    },
  } as unknown as Node;
}

export interface TestPod extends Partial<Omit<PodSpec, 'containers'>> {
  readonly namespace?: string | undefined;
  readonly labels?: LabelMap | undefined;
  /** of its one container */
  readonly requests?: { readonly [name: string]: string } | undefined;
  readonly containers?: PodSpec['containers'] | undefined;
  readonly status?: Pod['status'] | undefined;
  readonly deletionTimestamp?: string | undefined;
}

export function testPod(name: string, given: TestPod = {}): Pod {
  const { namespace = 'default', labels = {}, requests, containers, status = {}, deletionTimestamp, ...spec } = given;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: name, generation: 1, labels, ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
    spec: { containers: containers ?? [{ name: 'c', image: 'image', ...(requests && { resources: { requests } }) }], ...spec },
    status,
  } as unknown as Pod;
}

export const testFacts = (name: string, given: TestPod = {}): PodFacts => new PodFacts(testPod(name, given));

export interface TestCluster {
  readonly nodes: { readonly [name: string]: TestNode };
  /** by node, then by name */
  readonly pods?: { readonly [nodeName: string]: { readonly [name: string]: TestPod } };
  readonly namespaces?: { readonly [name: string]: LabelMap };
}

export function testTable({ nodes, pods = {}, namespaces = {} }: TestCluster): NodeTable {
  const table = new NodeTable((namespace) => own(namespaces, namespace));
  for (const [name, node] of Object.entries(nodes)) table.setNode(testNode(name, node));
  for (const [nodeName, those] of Object.entries(pods)) {
    for (const [name, pod] of Object.entries(those)) table.addPod(nodeName, testFacts(name, { nodeName, ...pod }));
  }
  return table;
}

export const noVolumes: BindableVolumes = {
  claim: () => undefined,
  volume: () => undefined,
  volumesOfClass: () => [],
  storageClass: () => undefined,
  reserve: () => assert.fail(),
};

export interface TestSelectorOptions {
  readonly plugins?: readonly SchedulerPlugin[];
  readonly nominator?: Nominator;
}

export function testSelector(table: NodeTable, options: TestSelectorOptions = {}): NodeSelector {
  const { plugins = defaultPlugins({ defaultSelector: () => undefined, volumes: noVolumes }), nominator = new Nominator() } = options;
  return new NodeSelector({ plugins, table, nominator, random: seededRandom(1) });
}

/** Node → total score, for the nodes that do. */
export function scoresOf(selector: NodeSelector, pod: PodFacts): { readonly [nodeName: string]: number } {
  const { nodes, totals } = selector.evaluate(pod);
  return Object.fromEntries(nodes.map((node, i) => [node.name, totals[i] ?? 0] as const).sort());
}

/** The name of the node, or why there is none. */
export function verdictOf(selector: NodeSelector, pod: PodFacts): string {
  const selection = selector.select(pod);
  return selection.node ? selection.node.name : describeDiagnosis(selection.diagnosis);
}

/** What one plugin alone says: node → `ok`, or its reasons. */
export function verdictsOf(plugin: SchedulerPlugin, cluster: TestCluster, pod: PodFacts): { readonly [nodeName: string]: string } {
  const verdicts = testSelector(testTable(cluster), { plugins: [plugin] }).explain(pod);
  return Object.fromEntries([...verdicts].map(([{ name }, rejection]) => [name, rejection ? rejection.reasons.join(', ') : 'ok']));
}

/** What one plugin alone scores. */
export const pluginScores = (plugin: SchedulerPlugin, cluster: TestCluster, pod: PodFacts): { readonly [nodeName: string]: number } =>
  scoresOf(testSelector(testTable(cluster), { plugins: [plugin] }), pod);

/** Whether an event may help a pod that the plugin has rejected. */
export function isHelped(plugin: SchedulerPlugin, pod: PodFacts, event: ClusterEvent): boolean {
  const hint = plugin.unblockedBy?.[event.type] as ((pod: PodFacts, event: ClusterEvent) => boolean) | undefined;
  return hint?.(pod, event) ?? false;
}
