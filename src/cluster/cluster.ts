/** A running cluster, and what starting one takes. The work is in start-cluster.ts. */

import type { Client } from '../client/client.ts';
import type { Clock, Random } from '../client/clock.ts';
import type { Act, ActFilter, LostActs } from '../client/events/acts.ts';
import type { Access } from '../client/files/kubeconfig.ts';
import type { Log } from '../client/log.ts';
import type { AddonState } from './api-server/control-endpoints.ts';
import type { ComponentName } from './component-names.ts';
import type { ProcessFaults } from './machine/process-faults.ts';
import type { ClusterConfig } from './settings/config.ts';

export const phases = [
  'store',
  'certificates',
  'api-server',
  'bootstrap',
  'controllers',
  'scheduler',
  'nodes',
  'proxy',
  'add-ons',
  'ready',
] as const;
export type Phase = (typeof phases)[number];

export interface PhaseReport {
  readonly phase: Phase;
  /** whole */
  readonly durationMs: number;
  /** one line for people, when there is something to say */
  readonly note?: string | undefined;
}

export interface StartOptions extends ClusterConfig {
  /** default `default`; with an API server elsewhere, this machine's */
  readonly name?: string | undefined;
  /** everything is kept there; absent: nothing is kept, all is in memory */
  readonly dataDir?: string | undefined;
  /** which components this process runs; default: all */
  readonly components?: readonly ComponentName[] | undefined;
  /** where the API server is when it is not among them */
  readonly access?: Access | undefined;
  /** moved by hand: a `VirtualClock`. Certificates are good by it and in real time, wherever it stands */
  readonly clock?: Clock | undefined;
  /**
   * With `seededRandom(n)`, and a `VirtualClock`, all that happens in the cluster is the same every time, to the byte. So is
   * its authority, when the cluster is in memory and listens on loopback: whoever knows the seed has its key
   */
  readonly random?: Random | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
  /** of the process: shown as a metric */
  readonly faults?: ProcessFaults | undefined;
  /** how long until ready; default 120 s */
  readonly timeoutMs?: number | undefined;
  readonly onPhase?: ((report: PhaseReport) => void) | undefined;
}

export interface Cluster extends AsyncDisposable {
  readonly name: string;
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** of the cluster's administrator (system:masters); with an API server elsewhere, as all clients, of the user in `access` */
  readonly client: Client;
  /** the administrator's kubeconfig, YAML */
  readonly kubeconfig: string;
  /** of this process */
  readonly nodes: number;
  readonly simulated: number;
  /** Adds simulated nodes, or takes away the last ones and their pods. */
  setSimulated(count: number): Promise<void>;
  readonly addons: readonly AddonState[];
  /** Switches those off, and all others on. */
  disableAddons(names: readonly string[]): Promise<void>;
  /** The client of somebody else. */
  clientFor(user: { readonly name: string; readonly groups?: readonly string[] }): Client;
  /**
   * What everybody does, from now on, until the loop over it is left or the cluster stops. Here in the order in which it
   * takes effect; with an API server elsewhere, which must be timonier's, from the first turn of the loop on.
   */
  acts(filter?: ActFilter): AsyncIterable<Act | LostActs>;
  /** Takes the power from a simulated node: its containers are gone, and nobody is told. */
  killNode(nodeName: string): Promise<void>;
  /** Gives it back: the node starts again, with nothing on it. Does nothing while it runs. */
  startNode(nodeName: string): Promise<void>;
  /** Stops everything, pods included. What the data directory holds stays. */
  stop(): Promise<void>;
}
