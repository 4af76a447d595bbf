/**
 * Where the kubelet of a pod's node answers, and which container is meant. Wording is upstream's
 * (pkg/registry/core/pod/strategy.go, pkg/kubelet/client/kubelet_client.go), since clients show and match it.
 */
import { Node, Pod } from '../../../api/generated/kinds.ts';
import type { ObjectName } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { DialTarget } from './dialer.ts';

export interface KubeletAddress extends DialTarget {
  /** the port that its node names; a simulated kubelet listens on another one */
  readonly statedPort: number;
  readonly kubeletOf: string;
}

/**
 * Where the kubelet of a simulated node answers: the addresses of such nodes and their pods exist on paper only, and on
 * the real network somebody else may have them.
 */
export type KubeletsInProcess = (nodeName: string) => Promise<{ readonly host: string; readonly port: number }> | undefined;

/** What such a kubelet answers a GET of this path, without the way over the wire. Undefined: it has no such page, or is none of them. */
export type PagesInProcess = (nodeName: string, path: string) => Promise<string> | undefined;

export interface KubeletDirectory {
  readonly reader: ObjectReader;
  readonly kubeletsInProcess?: KubeletsInProcess;
  readonly pagesInProcess?: PagesInProcess;
}

const simulatedRuntime = 'simulated://';

/** The order in which kube-apiserver tries a node's addresses. */
const addressTypes = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'] as const;
const kubeletPortDefault = 10250;

export function readPod(reader: ObjectReader, at: ObjectName): Pod {
  const pod = reader.get(Pod, at);
  if (!pod) throw errors.notFound(Pod, at.name);
  return pod;
}

export async function kubeletOf(directory: KubeletDirectory, pod: Pod): Promise<KubeletAddress> {
  const { nodeName } = pod.spec;
  if (!nodeName) throw errors.badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return kubeletOfNode(directory, nodeName);
}

export async function kubeletOfNode({ reader, kubeletsInProcess }: KubeletDirectory, nodeName: string): Promise<KubeletAddress> {
  const node = reader.get(Node, { name: nodeName });
  if (!node) throw errors.notFound(Node, nodeName);
  const statedPort = node.status.daemonEndpoints?.kubeletEndpoint?.Port || kubeletPortDefault;
  const kubelet = { protocol: 'https', statedPort, kubeletOf: nodeName } as const;
  // What this process knows goes before what the object says.
  const inProcess = await kubeletsInProcess?.(nodeName);
  if (inProcess) return { ...inProcess, ...kubelet, isInProcess: true };
  if (isSimulated(node)) throw errors.serviceUnavailable(`node "${nodeName}" is simulated: its kubelet can't be reached from here`);
  const addresses = node.status.addresses ?? [];
  // A host name need not resolve where the server runs: an address is taken first when there is one.
  const found =
    addresses.find((a) => a.type === 'InternalIP') ?? addressTypes.map((type) => addresses.find((a) => a.type === type)).find((a) => a);
  if (!found) throw errors.unnamed(`no preferred addresses found; known addresses: [${addresses.map(describeAddress).join(' ')}]`);
  return { host: found.address, port: statedPort, ...kubelet };
}

const describeAddress = ({ type, address }: { readonly type: string; readonly address: string }): string => `{${type} ${address}}`;

const isSimulated = ({ status }: Node): boolean => status.nodeInfo?.containerRuntimeVersion.startsWith(simulatedRuntime) === true;

/** No container listens at the address of a simulated pod. */
export function refuseSimulated(reader: ObjectReader, nodeName: string | undefined, what: string): void {
  const node = nodeName === undefined ? undefined : reader.get(Node, { name: nodeName });
  if (node && isSimulated(node)) throw errors.serviceUnavailable(`${what} is on a simulated node: nothing listens there`);
}

/** The container that was asked for, else the only one, else the one that the pod's annotation names. */
export function chooseContainer(pod: Pod, asked: string | null): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const all = [...containers, ...initContainers, ...ephemeralContainers].map((c) => c.name);
  if (asked) {
    if (all.includes(asked)) return asked;
    throw errors.badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  const [only] = containers;
  if (containers.length === 1 && only) return only.name;
  const names = containers.map((c) => c.name).join(' ');
  const initNames = initContainers.length ? ` or one of the init containers: [${initContainers.map((c) => c.name).join(' ')}]` : '';
  throw errors.badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names}]${initNames}`);
}
