/**
 * Reaches the kubelets of simulated nodes: each gets its HTTPS API, on a free port of the loopback address, when it is
 * first asked for. So `kubectl logs` works there, and nodes that nobody asks cost nothing.
 */
import type { Client } from '../client/client.ts';
import type { Clock } from '../client/clock.ts';
import type { Log } from '../client/log.ts';
import type { SimulatedKubelets } from '../control-plane/api-server/streaming/kubelet-address.ts';
import type { ClusterPKI } from '../control-plane/pki/cluster-pki.ts';
import type { Kubelet } from '../node/kubelet/kubelet.ts';
import type { ContainerRuntime } from '../node/runtime/container-runtime.ts';

export interface HollowKubelet {
  readonly kubelet: Kubelet;
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly log: Log;
}

const host = '127.0.0.1';

export class HollowKubelets implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #kubelets = new Map<string, HollowKubelet>();
  readonly #addresses = new Map<string, ReturnType<SimulatedKubelets>>();
  readonly #servers = new AsyncDisposableStack();
  readonly #pki: ClusterPKI;

  constructor({ clock, pki }: { readonly clock: Clock; readonly pki: ClusterPKI }) {
    this.#clock = clock;
    this.#pki = pki;
  }

  add(hollow: HollowKubelet): void {
    this.#kubelets.set(hollow.kubelet.nodeName, hollow);
  }

  readonly reach: SimulatedKubelets = (nodeName) => {
    const hollow = this.#kubelets.get(nodeName);
    if (!hollow) return undefined;
    let address = this.#addresses.get(nodeName);
    if (!address) {
      address = this.#serve(hollow);
      this.#addresses.set(nodeName, address);
      address.catch(() => this.#addresses.delete(nodeName));
    }
    return address;
  };

  async #serve({ kubelet, client, runtime, log }: HollowKubelet): Promise<{ host: string; port: number }> {
    const { KubeletServer } = await import('../node/kubelet/server/kubelet-server.ts');
    const pair = await this.#pki.certificate('hollow-kubelets', {
      commonName: 'system:node:hollow',
      organizations: ['system:nodes'],
      ipAddresses: [host],
      usages: ['server'],
    });
    const serving = { host, port: 0, cert: pair.certPem, key: pair.keyPem, clientCA: this.#pki.authority.certPem };
    const { nodeName } = kubelet;
    const pods = () => kubelet.pods();
    const server = new KubeletServer({ serving, client, runtime, clock: this.#clock, log, nodeName, dataDir: '/nonexistent', pods });
    this.#servers.use(server);
    return { host, port: await server.listen() };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#kubelets.clear();
    return this.#servers.disposeAsync();
  }
}
