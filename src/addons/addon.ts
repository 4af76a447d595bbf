/**
 * What an add-on is: what every cluster needs and Kubernetes itself leaves to others. It knows the API alone. What it may
 * do and the objects that it brings are data, which the cluster applies at each start, so that a newer release reaches an
 * old cluster; what it does, it does by a client that is allowed this and no more. It can be switched off and on while
 * the cluster runs.
 */
import type { PolicyRule } from '../api/generated/rbac-v1.ts';
import type { KindRef, KubeObject, New } from '../api/meta/object.ts';
import type { Client } from '../client/client.ts';
import type { Clock, Random } from '../client/clock.ts';
import type { ServeComputed } from '../client/computed-resource.ts';
import type { Log } from '../client/log.ts';

/** What an add-on is told of its cluster. */
export interface ClusterFacts {
  /** `cluster.local` */
  readonly domain: string;
  /** of this machine, as pods and nodes reach it; loopback where there are none */
  readonly address: string;
  /** which pods have in their resolv.conf */
  readonly dnsServiceIP: string;
  /** who answers for names outside the cluster; absent: the machine's own */
  readonly upstreamDNS?: readonly string[] | undefined;
  /** absent: no real node is here, so nothing would answer */
  readonly ingress?: IngressPorts | undefined;
}

/** Where requests for Ingresses come in. */
export interface IngressPorts {
  /** of this machine */
  readonly hosts: readonly string[];
  /** those of them that others are told */
  readonly published: readonly string[];
  /** 0 is any free one; absent: the usual one, or one that is free */
  readonly httpPort?: number | undefined;
  readonly httpsPort?: number | undefined;
}

/** Directories on nodes, for volumes. */
export interface VolumeDirectories {
  /** Its path on the node. There already: nothing happens. */
  make(nodeName: string, volume: string): Promise<string>;
  /** With all that is in it. Not there: nothing happens. */
  remove(nodeName: string, volume: string): Promise<void>;
}

export interface AddonContext {
  /** as the add-on's service account */
  readonly client: Client;
  readonly cluster: ClusterFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly volumes: VolumeDirectories;
  /** absent: the API server is in another process */
  readonly serve?: ServeComputed | undefined;
  /** Says in a few words what people should know of it at a start and later: where it listens. */
  tell(note: string): void;
}

/** To be applied: what it says is the add-on's, what others add stays. */
export interface AddonObject {
  readonly kind: KindRef;
  readonly object: New<KubeObject>;
  /** whether one that carries no label is an older release's; default: never. What is somebody else's is left to him */
  readonly isOlder?: ((object: KubeObject) => boolean) | undefined;
  /** Whether what is there, whoever brought it, is somebody else's by now and does as well: it stays, as it is; default: never. */
  readonly yieldsTo?: ((object: KubeObject) => boolean) | undefined;
}

export interface Addon {
  readonly name: string;
  /** one line for people */
  readonly about: string;
  /** in kube-system: who it is */
  readonly serviceAccount: string;
  /** what it may do, in all namespaces: the least that it needs */
  readonly rights: readonly PolicyRule[];
  /** it answers for a part of the API, so it runs where the API server does, and nowhere else */
  readonly needsServer?: boolean;
  objects(cluster: ClusterFacts): readonly AddonObject[];
  /** Resolves when it works. It puts on the stack what has to be stopped. */
  start(context: AddonContext, stack: AsyncDisposableStack): Promise<void>;
}

/** So that a list of them knows their names. */
export const defineAddon = <const Name extends string>(addon: Addon & { readonly name: Name }): Addon & { readonly name: Name } => addon;
export const addonNamespace = 'kube-system';
