/** What a node's own process is told, over IPC, to run a node of the cluster against its API. */

import type { ClientCredentials } from '../../client/transport/credentials.ts';
import type { KeyPair } from '../component.ts';
import type { AddressPlan } from '../settings/address-plan.ts';

export interface NodeConfig {
  readonly cluster: string;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly dataDir: string;
  /** `https://172.31.250.1:6443` */
  readonly server: string;
  /** PEM */
  readonly ca: string;
  /** without those of a proxy it has none */
  readonly credentials: {
    readonly node: ClientCredentials;
    readonly network: ClientCredentials;
    readonly policy: ClientCredentials;
    readonly proxy?: ClientCredentials | undefined;
  };
  readonly serving: KeyPair;
  readonly addresses: AddressPlan;
  readonly clusterDomain: string;
  readonly podsMax: number;
  readonly cniPluginDir: string;
  readonly logLevel: 'debug' | 'info';
}

export type NodeRequest = { readonly type: 'start'; readonly config: NodeConfig } | { readonly type: 'stop' };
export type NodeReply = { readonly type: 'started' } | { readonly type: 'failed'; readonly message: string };
