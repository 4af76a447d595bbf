/**
 * /metrics/resource, which metrics servers read, and a few figures of the kubelet itself, in Prometheus' text format.
 * Upstream: pkg/kubelet/metrics/collectors/resource_metrics.go, pkg/kubelet/metrics/metrics.go.
 */

import type { ProbeAnswers } from '../probes/probe-manager.ts';
import type { Terminations } from '../status/container-terminations.ts';
import type { CPUStats, MemoryStats, Summary } from './stats.ts';

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly atMs?: number;
}
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .filter((m) => m.samples.length > 0)
    .map((m) => `# HELP ${m.name} ${m.help}\n# TYPE ${m.name} ${m.type}\n${m.samples.map((s) => renderSample(m.name, s)).join('')}`)
    .join('');
}

function renderSample(name: string, { labels, value, atMs }: Sample): string {
  const inner = Object.entries(labels)
    .map(([key, text]) => `${key}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`)
    .join(',');
  return `${name}${inner ? `{${inner}}` : ''} ${value}${atMs === undefined ? '' : ` ${atMs}`}\n`;
}

/** Upstream: pkg/kubelet/prober/prober_manager.go. */
export const probeMetrics = (answers: readonly ProbeAnswers[]): readonly Metric[] => [
  {
    name: 'prober_probe_total',
    help: '[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.',
    type: 'counter',
    samples: answers.map(({ labels, count }) => ({ labels, value: count })),
  },
];

/** Of the kubelet's own health, when somebody asked for it. Upstream: component-base/metrics/prometheus/slis. */
export function healthMetrics(asked: number): readonly Metric[] {
  if (asked === 0) return [];
  const labels = { name: 'ping', type: 'healthz' };
  return [
    {
      name: 'kubernetes_healthcheck',
      help: '[STABLE] This metric records the result of a single healthcheck.',
      type: 'gauge',
      samples: [{ labels, value: 1 }],
    },
    {
      name: 'kubernetes_healthchecks_total',
      help: '[STABLE] This metric records the results of all healthcheck.',
      type: 'counter',
      samples: [{ labels: { ...labels, status: 'success' }, value: asked }],
    },
  ];
}

type Labels = Readonly<Record<string, string>>;

export function resourceMetrics({ node, pods }: Summary): readonly Metric[] {
  const containers = pods.flatMap(({ podRef, containers: list }) =>
    list.map((c) => ({ ...c, labels: { container: c.name, namespace: podRef.namespace, pod: podRef.name } })),
  );
  const podParts = pods.map((p) => ({ ...p, labels: { namespace: p.podRef.namespace, pod: p.podRef.name } }));
  const nodePart = [{ ...node, labels: {} }];
  return [
    cpuMetric('container_cpu_usage_seconds_total', 'the container', containers),
    memoryMetric('container_memory_working_set_bytes', 'the container', containers),
    {
      name: 'container_start_time_seconds',
      help: '[STABLE] Start time of the container since unix epoch in seconds',
      type: 'gauge',
      samples: containers.filter((c) => c.startTime !== '').map((c) => ({ labels: c.labels, value: Date.parse(c.startTime) / 1000 })),
    },
    cpuMetric('node_cpu_usage_seconds_total', 'the node', nodePart),
    memoryMetric('node_memory_working_set_bytes', 'the node', nodePart),
    cpuMetric('pod_cpu_usage_seconds_total', 'the pod', podParts),
    memoryMetric('pod_memory_working_set_bytes', 'the pod', podParts),
    {
      name: 'resource_scrape_error',
      help: '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise',
      type: 'gauge',
      samples: [{ labels: {}, value: 0 }],
    },
  ];
}

function cpuMetric(name: string, of: string, parts: readonly { readonly labels: Labels; readonly cpu?: CPUStats }[]): Metric {
  return {
    name,
    help: `[STABLE] Cumulative cpu time consumed by ${of} in core-seconds`,
    type: 'counter',
    samples: parts.flatMap(({ labels, cpu }) =>
      cpu?.usageCoreNanoSeconds === undefined ? [] : [{ labels, value: cpu.usageCoreNanoSeconds / 1e9, atMs: Date.parse(cpu.time) }],
    ),
  };
}

function memoryMetric(name: string, of: string, parts: readonly { readonly labels: Labels; readonly memory?: MemoryStats }[]): Metric {
  return {
    name,
    help: `[STABLE] Current working set of ${of} in bytes`,
    type: 'gauge',
    samples: parts.flatMap(({ labels, memory }) =>
      memory?.workingSetBytes === undefined ? [] : [{ labels, value: memory.workingSetBytes, atMs: Date.parse(memory.time) }],
    ),
  };
}

export function ownMetrics(figures: {
  readonly nodeName: string;
  readonly pods: number;
  readonly containers: number;
  readonly terminations: readonly Terminations[];
}): readonly Metric[] {
  return [
    {
      name: 'kubelet_node_name',
      help: "[ALPHA] The node's name. The count is always 1.",
      type: 'gauge',
      samples: [{ labels: { node: figures.nodeName }, value: 1 }],
    },
    {
      name: 'kubelet_running_pods',
      help: '[BETA] Number of pods that have a running pod sandbox',
      type: 'gauge',
      samples: [{ labels: {}, value: figures.pods }],
    },
    {
      name: 'kubelet_running_containers',
      help: '[BETA] Number of containers currently running',
      type: 'gauge',
      samples: [{ labels: { container_state: 'running' }, value: figures.containers }],
    },
    {
      name: 'kubelet_terminated_containers_total',
      help: '[ALPHA] Cumulative number of container terminations.',
      type: 'counter',
      samples: figures.terminations.map(({ labels, count }) => ({ labels, value: count })),
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory size in bytes.',
      type: 'gauge',
      samples: [{ labels: {}, value: process.memoryUsage.rss() }],
    },
  ];
}
