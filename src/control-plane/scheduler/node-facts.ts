/**
 * What the scheduler knows of one node: the object, and what the pods on it take. Sums live in the typed arrays of the
 * node table, at this node's index.
 */
import type { Node } from '../../api/generated/kinds.ts';
import { quantityMilliValue, quantityValue } from '../../api/meta/quantity.ts';
import type { HostPort, PodFacts } from './pod-facts.ts';

/** The columns of the table. */
export const column = { milliCPU: 0, memoryBytes: 1, ephemeralBytes: 2, pods: 3, nonZeroMilliCPU: 4, nonZeroMemoryBytes: 5 } as const;
export const columnCount = 6;

export class NodeFacts {
  readonly index: number;
  node: Node;
  /** of the table: `[index * columnCount + column]` */
  readonly table: { requested: Float64Array; allocatable: Float64Array };
  readonly pods = new Map<string, PodFacts>();
  /** those of `pods` with any pod affinity or anti-affinity */
  readonly podsWithAffinity = new Map<string, PodFacts>();
  readonly otherRequested = new Map<string, number>();
  otherAllocatable: ReadonlyMap<string, number> = new Map();
  /** image name → bytes */
  images: ReadonlyMap<string, number> = new Map();
  readonly usedPorts = new Map<string, number>();

  constructor(index: number, node: Node, table: NodeFacts['table']) {
    this.index = index;
    this.node = node;
    this.table = table;
  }

  get name(): string {
    return this.node.metadata.name;
  }
  label(key: string): string | undefined {
    return this.node.metadata.labels?.[key];
  }
  requested(of: number): number {
    return this.table.requested[this.index * columnCount + of] ?? 0;
  }
  allocatable(of: number): number {
    return this.table.allocatable[this.index * columnCount + of] ?? 0;
  }

  setNode(node: Node): void {
    this.node = node;
    const base = this.index * columnCount;
    const others = new Map<string, number>();
    this.table.allocatable.fill(0, base, base + columnCount);
    for (const [name, quantity] of Object.entries(node.status.allocatable ?? {})) {
      if (name === 'cpu') this.table.allocatable[base + column.milliCPU] = quantityMilliValue(quantity);
      else if (name === 'memory') this.table.allocatable[base + column.memoryBytes] = quantityValue(quantity);
      else if (name === 'ephemeral-storage') this.table.allocatable[base + column.ephemeralBytes] = quantityValue(quantity);
      else if (name === 'pods') this.table.allocatable[base + column.pods] = quantityValue(quantity);
      else others.set(name, quantityValue(quantity));
    }
    this.otherAllocatable = others;
    this.images = new Map(
      (node.status.images ?? []).flatMap((image) => (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0] as const)),
    );
  }

  addPod(pod: PodFacts): void {
    this.pods.set(pod.uid, pod);
    if (pod.hasAffinity) this.podsWithAffinity.set(pod.uid, pod);
    this.#account(pod, 1);
  }

  removePod(pod: PodFacts): void {
    this.pods.delete(pod.uid);
    this.podsWithAffinity.delete(pod.uid);
    this.#account(pod, -1);
  }

  #account(pod: PodFacts, sign: 1 | -1): void {
    const { requested } = this.table;
    const base = this.index * columnCount;
    const add = (of: number, value: number): void => {
      requested[base + of] = (requested[base + of] ?? 0) + sign * value;
    };
    add(column.milliCPU, pod.requests.milliCPU);
    add(column.memoryBytes, pod.requests.memoryBytes);
    add(column.ephemeralBytes, pod.requests.ephemeralBytes);
    add(column.pods, 1);
    add(column.nonZeroMilliCPU, pod.nonZero.milliCPU);
    add(column.nonZeroMemoryBytes, pod.nonZero.memoryBytes);
    for (const [name, value] of pod.requests.others) this.otherRequested.set(name, (this.otherRequested.get(name) ?? 0) + sign * value);
    for (const port of pod.hostPorts) {
      const key = portKey(port);
      const count = (this.usedPorts.get(key) ?? 0) + sign;
      if (count > 0) this.usedPorts.set(key, count);
      else this.usedPorts.delete(key);
    }
  }

  /** The wildcard address collides with every address. */
  portIsFree(port: HostPort): boolean {
    if (this.usedPorts.size === 0) return true;
    if (port.ip !== '0.0.0.0') return !this.usedPorts.has(portKey(port)) && !this.usedPorts.has(portKey({ ...port, ip: '0.0.0.0' }));
    const suffix = `/${port.protocol}/${port.port}`;
    for (const key of this.usedPorts.keys()) if (key.endsWith(suffix)) return false;
    return true;
  }
}

const portKey = ({ ip, protocol, port }: HostPort): string => `${ip}/${protocol}/${port}`;
