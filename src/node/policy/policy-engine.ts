/**
 * NetworkPolicies enforced on one node: follows policies, pods and namespaces, and keeps one nftables table of its own equal to
 * what they say (ruleset.ts, nft/kept-table.ts).
 *
 * Guarantees: a pod's containers start when the rules for its addresses are in place (`admit`), and these hold until its sandbox
 * is gone (`release`), also when the API forgot it before; when the process is away, the
 * rules stay as they are, and traffic is judged by them.
 *
 * What it leaves to others: pods on the node's network and the node's own packets are not judged, as upstream documents; what
 * comes from another node has the address that masquerading gave it.
 */
import { EndpointSlice, Namespace, NetworkPolicy, Pod } from '../../api/generated/kinds.ts';
import { canonicalIP, type IPFamily } from '../../api/meta/addresses.ts';
import { equalJson } from '../../api/meta/deep-equal.ts';
import { keyOf } from '../../api/meta/object.ts';
import { serviceNameLabel } from '../../api/meta/well-known.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { Informer } from '../../client/informers/informer.ts';
import type { Log } from '../../client/log.ts';
import { KeptTable, type NftTools } from '../nft/kept-table.ts';
import type { Ruleset } from '../nft/ruleset.ts';
import type { TableWatch } from '../nft/table-watch.ts';
import { type PolicyPod, policyPod } from './policy-pod.ts';
import { type LabelledPod, type PolicySide, policyElementsMax, sidesOf } from './policy-rules.ts';
import { type NodeServer, PolicyPlanner, policyTable } from './ruleset.ts';

export interface PolicyEngineOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** the table's name: one per cluster and node */
  readonly table: string;
  readonly tools: NftTools;
  readonly watch?: TableWatch | undefined;
  /** of pods' addresses; default: IPv4 */
  readonly families?: readonly IPFamily[];
}

/** Where no pod serves the cluster's DNS, policies allow what does as if it were one: so the same ones hold here and elsewhere. */
const dnsSlices = { namespace: 'kube-system', labelSelector: `${serviceNameLabel}=kube-dns` };
const dnsPodLabels = { 'k8s-app': 'kube-dns' };
const dnsPort = 53;

/** So many pods that are gone are remembered: the API may tell of them yet. */
const goneMax = 1000;

export class PolicyEngine implements AsyncDisposable {
  readonly #nodeName: string;
  readonly #log: Log;
  readonly #table: KeptTable;
  readonly #namespaces: Informer<Namespace>;
  readonly #subscriptions: Disposable[] = [];
  readonly #policies = new Map<string, readonly PolicySide[]>();
  /** by uid */
  readonly #pods = new Map<string, PolicyPod>();
  /** addresses that the kubelet told, which the API may not know yet, by uid */
  readonly #told = new Map<string, readonly string[]>();
  readonly #gone = new Set<string>();
  #sides: readonly PolicySide[] = [];
  #servers: readonly NodeServer[] = [];

  private constructor({ client, clock, log, nodeName, table: name, tools, watch, families = ['IPv4'] }: PolicyEngineOptions) {
    this.#nodeName = nodeName;
    this.#log = log;
    const [table, planner] = [policyTable(name, families), new PolicyPlanner(families)];
    const plan = (): Ruleset => planner.plan({ sides: this.#sides, pods: this.#pods.values(), servers: this.#servers });
    this.#table = new KeptTable({ table, tools, clock, log, plan, watch });
    this.#namespaces = client.informer(Namespace);
  }

  /** Resolves when the policies that there are hold, or nft refused them: then it is tried again, and no pod is admitted before. */
  static async start(options: PolicyEngineOptions): Promise<PolicyEngine> {
    const engine = new PolicyEngine(options);
    const { client } = options;
    const [policies, pods, slices] = [client.informer(NetworkPolicy), client.informer(Pod), client.informer(EndpointSlice, dnsSlices)];
    await Promise.all([engine.#namespaces.synced, policies.synced, pods.synced, slices.synced]);
    const ofPolicy = (policy: NetworkPolicy): void => engine.#setPolicy(keyOf(policy), sidesOf(policy));
    const ofPod = (pod: Pod): void => engine.#setPod(pod);
    const ofSlice = (): void => engine.#setServers(slices.list());
    const ofNamespace = ({ metadata }: Namespace): void => {
      pods.list(metadata.name).forEach(ofPod);
      if (metadata.name === dnsSlices.namespace) ofSlice();
    };
    engine.#subscriptions.push(
      policies.on({ added: ofPolicy, updated: ofPolicy, deleted: (policy) => engine.#setPolicy(keyOf(policy), undefined) }),
      pods.on({ added: ofPod, updated: ofPod, deleted: (pod) => engine.#podGone(pod.metadata.uid) }),
      engine.#namespaces.on({ added: ofNamespace, updated: ofNamespace }),
      slices.on({ added: ofSlice, updated: ofSlice, deleted: ofSlice }),
    );
    engine.#table.changed();
    await engine.#table.settled().catch(() => undefined);
    return engine;
  }

  /** What is in place now. */
  get ruleset(): Ruleset {
    return this.#table.ruleset;
  }

  /** The pod has got these addresses. Resolves when policies hold for them; rejects when nft refuses, and may be asked again. */
  async admit(pod: Pod, ips: readonly string[]): Promise<void> {
    const { uid } = pod.metadata;
    if (ips.length === 0 || this.#gone.has(uid)) return;
    this.#told.set(uid, ips);
    this.#setPod(pod);
    await this.#table.settled();
  }

  /** The pod's sandbox is gone, and its addresses are free. */
  release(uid: string): void {
    this.#gone.add(uid);
    const [oldest] = this.#gone;
    if (oldest !== undefined && this.#gone.size > goneMax) this.#gone.delete(oldest);
    this.#removePod(uid);
  }

  /** Stops following; the rules stay. `remove` takes them away. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#table[Symbol.asyncDispose]();
  }

  #setPolicy(key: string, sides: readonly PolicySide[] | undefined): void {
    if (sides) this.#policies.set(key, sides);
    else this.#policies.delete(key);
    const leftOut = sides?.reduce((sum, side) => sum + side.leftOut, 0);
    if (leftOut)
      this.#log.warn({ policy: key, rules: leftOut, max: policyElementsMax }, 'a NetworkPolicy is too large: rules of it allow nothing');
    this.#sides = [...this.#policies.keys()].sort().flatMap((each) => this.#policies.get(each) ?? []);
    this.#table.changed();
  }

  #setPod(pod: Pod): void {
    const { uid, namespace } = pod.metadata;
    const seen = policyPod(pod, { nodeName: this.#nodeName, namespace: this.#namespaces.get(namespace), ips: this.#told.get(uid) });
    if (!seen) {
      this.#removePod(uid);
      return;
    }
    const before = this.#pods.get(uid);
    if (before && equalJson(before, seen)) return;
    if (before && !equalJson(before.ips, seen.ips)) this.#pods.delete(uid); // the last that got an address has it
    this.#pods.set(uid, seen);
    this.#table.changed();
  }

  /** One of this node stays as it was last seen until its sandbox is gone: its containers may run on. */
  #podGone(uid: string): void {
    if (!this.#pods.get(uid)?.isLocal || this.#gone.has(uid)) this.#removePod(uid);
  }

  #removePod(uid: string): void {
    this.#told.delete(uid);
    if (this.#pods.delete(uid)) this.#table.changed();
  }

  #setServers(slices: readonly EndpointSlice[]): void {
    const { namespace } = dnsSlices;
    const pod = { namespace, namespaceLabels: this.#namespaces.get(namespace)?.metadata.labels ?? {}, labels: dnsPodLabels };
    const servers = slices.flatMap((slice) => serversOf(slice, pod));
    if (equalJson(this.#servers, servers)) return;
    this.#servers = servers;
    this.#table.changed();
  }
}

/** Of the endpoints that are no pods. */
function serversOf({ endpoints, ports }: EndpointSlice, pod: LabelledPod): NodeServer[] {
  const ips = (endpoints ?? []).filter(({ targetRef }) => targetRef === undefined).flatMap(({ addresses }) => addresses.map(canonicalIP));
  return ips.flatMap((ip) =>
    (ports ?? []).flatMap(({ name = '', port: nodePort, protocol = 'TCP' }) =>
      nodePort === undefined
        ? []
        : [{ pod, ip, nodePort, port: dnsPort, portName: name, protocol: protocol.toLowerCase() as NodeServer['protocol'] }],
    ),
  );
}
