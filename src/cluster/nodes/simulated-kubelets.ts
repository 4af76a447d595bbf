/**
 * Reaches the kubelets of simulated nodes: each gets its HTTPS API, on a free port of the loopback address, when it is
 * first asked for. So `kubectl logs` works there, and nodes that nobody asks cost nothing. What this process itself reads
 * of them (`read`) takes no way over the wire.
 */
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import type { KubeletsInProcess, PagesInProcess } from '../../control-plane/api-server/streaming/kubelet-address.ts';
import type { ClusterPKI } from '../../control-plane/pki/cluster-pki.ts';
import { FileGate } from '../../node/files/file-gate.ts';
import type { Kubelet } from '../../node/kubelet/kubelet.ts';
import { NodeStatistics } from '../../node/kubelet/server/node-statistics.ts';
import type { ContainerRuntime } from '../../node/runtime/container-runtime.ts';
import { nodeIdentity } from '../identities.ts';
import { kubernetesVersion } from '../version.ts';

export interface SimulatedKubelet {
  readonly kubelet: Kubelet;
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly log: Log;
}

interface HostPort {
  readonly host: string;
  readonly port: number;
}

const host = '127.0.0.1';
const noDataDir = '/nonexistent';

export class SimulatedKubelets {
  readonly #clock: Clock;
  readonly #pki: ClusterPKI;
  readonly #addresses = new Map<string, () => Promise<HostPort>>();
  readonly #statistics = new Map<string, NodeStatistics>();

  constructor({ clock, pki }: { readonly clock: Clock; readonly pki: ClusterPKI }) {
    this.#clock = clock;
    this.#pki = pki;
  }

  /** Disposing what comes back makes it unreachable. */
  add(simulated: SimulatedKubelet): AsyncDisposable {
    const { nodeName } = simulated.kubelet;
    const served = new AsyncDisposableStack();
    served.defer(() => {
      this.#addresses.delete(nodeName);
      this.#statistics.delete(nodeName);
    });
    this.#statistics.set(nodeName, new NodeStatistics({ ...simulated, nodeName, clock: this.#clock, dataDir: noDataDir }));
    let address: Promise<HostPort> | undefined;
    this.#addresses.set(nodeName, () => {
      address ??= this.#serve(simulated, served).catch((error: unknown) => {
        address = undefined;
        throw error;
      });
      return address;
    });
    return served;
  }

  readonly reach: KubeletsInProcess = (nodeName) => this.#addresses.get(nodeName)?.();

  readonly read: PagesInProcess = (nodeName, path) => {
    const statistics = path === '/stats/summary' ? this.#statistics.get(nodeName) : undefined;
    return statistics?.summary().then((summary) => JSON.stringify(summary));
  };

  async #serve({ kubelet, client, runtime, log }: SimulatedKubelet, stack: AsyncDisposableStack): Promise<HostPort> {
    const { KubeletServer } = await import('../../node/kubelet/server/kubelet-server.ts');
    const { nodeName } = kubelet;
    // Not kept: there may be thousands, and the next start has others.
    const pair = await this.#pki.authority.issue({
      commonName: nodeIdentity(nodeName).name,
      organizations: ['system:nodes'],
      ipAddresses: [host],
      usages: ['server'],
    });
    const serving = { host, port: 0, cert: pair.certPem, key: pair.keyPem, clientCA: this.#pki.authority.certPem };
    const server = stack.use(
      new KubeletServer({
        serving,
        client,
        runtime,
        clock: this.#clock,
        gate: new FileGate({ clock: this.#clock }),
        log,
        nodeName,
        version: kubernetesVersion,
        dataDir: noDataDir,
        kubelet,
        statistics: this.#statistics.get(nodeName),
      }),
    );
    return { host, port: await server.listen() };
  }
}
