/**
 * Where the kubelet of a pod's node answers, and which container is meant. Wording is upstream's
 * (pkg/registry/core/pod/strategy.go, pkg/kubelet/client/kubelet_client.go), since clients show and match it.
 */
import { Node, Pod } from '../../../api/generated/kinds.ts';
import type { ObjectName } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { ObjectReader } from '../reader.ts';

export interface KubeletAddress {
  readonly host: string;
  readonly port: number;
  readonly nodeName: string;
}

/** The order in which kube-apiserver tries a node's addresses. */
const addressTypes = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'] as const;
const kubeletPortDefault = 10250;

export function readPod(reader: ObjectReader, at: ObjectName): Pod {
  const pod = reader.get(Pod, at);
  if (!pod) throw errors.notFound(Pod, at.name);
  return pod;
}

export function kubeletOf(reader: ObjectReader, pod: Pod): KubeletAddress {
  const { nodeName } = pod.spec;
  if (!nodeName) throw errors.badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return kubeletOfNode(reader, nodeName);
}

export function kubeletOfNode(reader: ObjectReader, nodeName: string): KubeletAddress {
  const node = reader.get(Node, { name: nodeName });
  if (!node) throw errors.notFound(Node, nodeName);
  const addresses = node.status.addresses ?? [];
  // A host name need not resolve where the server runs: an address is taken first when there is one.
  const found =
    addresses.find((a) => a.type === 'InternalIP') ?? addressTypes.map((type) => addresses.find((a) => a.type === type)).find((a) => a);
  if (!found) throw errors.internal(`no preferred addresses found; known addresses: []`);
  return { host: found.address, port: node.status.daemonEndpoints?.kubeletEndpoint?.Port || kubeletPortDefault, nodeName };
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
