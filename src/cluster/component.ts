/**
 * What a component of a cluster is: a function that resolves when it works, and puts on a stack what has to be stopped,
 * as it goes, so that a start can be given up at any time. It reaches the cluster by its API alone, and can't tell
 * whether that is served in this process or elsewhere.
 */
import type { Registry } from 'prom-client';
import type { Client } from '../client/client.ts';
import type { Clock, Random } from '../client/clock.ts';
import type { ServeComputed } from '../client/computed-resource.ts';
import type { Act, ActFilter, LostActs } from '../client/events/acts.ts';
import type { Log } from '../client/log.ts';
import type { ClientCredentials } from '../client/transport/credentials.ts';
import type { ClusterSigning } from '../control-plane/controllers/index.ts';
import type { Controls, ScalableNodes, SwitchableAddons } from './api-server/control-endpoints.ts';
import type { ComponentName } from './component-names.ts';
import type { Identity } from './identities.ts';
import type { NodeMarks } from './nodes/node-marks.ts';
import type { SimulatedKubelets } from './nodes/simulated-kubelets.ts';
import type { AddressPlan } from './settings/address-plan.ts';
import type { ClusterConfig } from './settings/config.ts';

export interface API {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** PEM: what its certificate is checked by; absent: the system's */
  readonly ca?: string | undefined;
  /** Elsewhere there is one identity only, the kubeconfig's own. */
  clientFor(identity: Identity): Client;
  /** What is done through it, from now on. */
  acts(filter?: ActFilter): AsyncIterable<Act | LostActs>;
  credentialsFor(identity: Identity): Promise<ClientCredentials>;
  /** what only an API server in this process has */
  readonly local?: {
    readonly port: number;
    readonly metrics: Registry;
    readonly simulatedKubelets: SimulatedKubelets;
    readonly controls: Controls;
    readonly signing: ClusterSigning;
    readonly serve: ServeComputed;
    servingPair(nodeName: string, address: string): Promise<KeyPair>;
  };
}

/** PEM texts */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Those of this process. */
export interface LocalNodes {
  readonly real: number;
  readonly simulated: number;
  readonly cniPluginDir: string;
  /** why there is no real one */
  readonly note?: string;
}

export interface ComponentContext {
  readonly cluster: string;
  readonly config: ClusterConfig;
  readonly addresses: AddressPlan;
  /** absent: nothing is kept */
  readonly dataDir?: string | undefined;
  /** where pods and other nodes reach this machine; absent: no real node */
  readonly nodeAddress?: string | undefined;
  readonly nodes: LocalNodes;
  readonly marks: NodeMarks;
  /** the simulated ones */
  readonly simulatedNodes: ScalableNodes & AsyncDisposable;
  readonly addons: SwitchableAddons & AsyncDisposable;
  readonly components: ReadonlySet<ComponentName>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** aborted when the start is given up */
  readonly giveUp: AbortSignal;
  /** aborted when the cluster stops */
  readonly signal: AbortSignal;
  readonly api: API;
}

/** What it gives is one line for people. */
export type StartComponent = (context: ComponentContext, stack: AsyncDisposableStack) => Promise<string | undefined>;
