/**
 * Reaches the kubelets of simulated nodes: each gets its HTTPS API, on a free port of the loopback address, when it is
 * first asked for. So `kubectl logs` works there, and nodes that nobody asks cost nothing.
 */
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import type { KubeletsInProcess } from '../../control-plane/api-server/streaming/kubelet-address.ts';
import type { ClusterPKI } from '../../control-plane/pki/cluster-pki.ts';
import { FileGate } from '../../node/files/file-gate.ts';
import type { Kubelet } from '../../node/kubelet/kubelet.ts';
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

export class SimulatedKubelets {
  readonly #clock: Clock;
  readonly #pki: ClusterPKI;
  readonly #addresses = new Map<string, () => Promise<HostPort>>();

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
    });
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
        dataDir: '/nonexistent',
        kubelet,
      }),
    );
    return { host, port: await server.listen() };
  }
}
