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
  readonly otherRequested = new Map<string, number>();
  otherAllocatable: ReadonlyMap<string, number> = new Map();
  /** image name → bytes */
  images: ReadonlyMap<string, number> = new Map();
  readonly usedPorts = new UsedPorts();

  constructor(index: number, node: Node, table: NodeFacts['table']) {
    this.index = index;
    this.node = node;
    this.table = table;
  }

  get name(): string {
    return this.node.metadata.name;
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
    const { milliCPU, memoryBytes, ephemeralBytes, pods, others } = allocatableOf(node);
    this.table.allocatable.set([milliCPU, memoryBytes, ephemeralBytes, pods], base);
    this.otherAllocatable = others;
    this.images = new Map(
      (node.status?.images ?? []).flatMap((image) => (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0] as const)),
    );
  }

  addPod(pod: PodFacts): void {
    this.pods.set(pod.uid, pod);
    this.#account(pod, 1);
  }

  removePod(pod: PodFacts): void {
    this.pods.delete(pod.uid);
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
    for (const port of pod.hostPorts) this.usedPorts.count(port, sign);
  }
}

export interface Allocatable {
  readonly milliCPU: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  readonly pods: number;
  readonly others: ReadonlyMap<string, number>;
}

/** What a node has for pods. */
export function allocatableOf({ status }: Node): Allocatable {
  const { cpu = '0', memory = '0', 'ephemeral-storage': ephemeral = '0', pods = '0', ...others } = status?.allocatable ?? {};
  return {
    milliCPU: quantityMilliValue(cpu),
    memoryBytes: quantityValue(memory),
    ephemeralBytes: quantityValue(ephemeral),
    pods: quantityValue(pods),
    others: new Map(Object.entries(others).map(([name, quantity]) => [name, quantityValue(quantity)])),
  };
}

/** The wildcard address collides with every address. */
const wildcard = '0.0.0.0';

/** Host ports that are taken, and how often. */
export class UsedPorts {
  /** protocol/port → address → how often */
  readonly #taken = new Map<string, Map<string, number>>();

  count({ ip, protocol, port }: HostPort, by: 1 | -1): void {
    const key = `${protocol}/${port}`;
    const addresses = this.#taken.get(key) ?? new Map<string, number>();
    const count = (addresses.get(ip) ?? 0) + by;
    if (count > 0) addresses.set(ip, count);
    else addresses.delete(ip);
    if (addresses.size > 0) this.#taken.set(key, addresses);
    else this.#taken.delete(key);
  }

  isFree({ ip, protocol, port }: HostPort): boolean {
    if (this.#taken.size === 0) return true;
    const addresses = this.#taken.get(`${protocol}/${port}`);
    return !addresses || (ip !== wildcard && !addresses.has(wildcard) && !addresses.has(ip));
  }
}
