/**
 * The one door through which the server opens connections on somebody's behalf: to pods, endpoints, nodes and kubelets,
 * whose addresses were written by whoever may write such objects.
 *
 * Guarantees: no connection leads to this machine itself or to a link-local neighbour, such as a cloud's metadata, but to
 * an address that an administrator wrote; what is checked is the very address that is connected to, so a name that
 * resolves otherwise a moment later gains nothing.
 * The server's certificate is shown to kubelets only, and nothing is said before the peer has proved to be that node's:
 * its certificate is the cluster's, in the name of the node and for its address. Webhooks and aggregated servers prove
 * what their configuration asks for. A connection is used again only for requests to the same place with the same proof.
 * Names are resolved by DNS alone, without the machine's hosts file: that would take a thread for as long as a slow
 * name server likes.
 * Upstream: pkg/registry/core/{pod,node}/strategy.go, pkg/kubelet/client/kubelet_client.go; wording as Go has it.
 */

import { Resolver } from 'node:dns/promises';
import type { ClientRequestArgs } from 'node:http';
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, type PeerCertificate, connect as tlsConnect } from 'node:tls';
import { isProxyable, joinHostPort } from '../../../api/meta/addresses.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import { Agent } from '../../../client/transport/node-http.ts';

/** What a server that is no kubelet has to prove, and how this one shows itself there. */
export interface ServerProof {
  /** the name or address that its certificate is for */
  readonly name: string;
  /** PEM; absent: the authorities that everybody believes */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** an administrator wrote that nothing is to be proved */
  readonly isBelieved?: boolean | undefined;
}

/** How the server shows itself to kubelets, and whom it trusts. */
export interface KubeletCredentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface DialTarget {
  readonly protocol: 'http' | 'https';
  /** an address, or a name */
  readonly host: string;
  readonly port: number;
  /** that this node's kubelet has to answer */
  readonly kubeletOf?: string;
  /** the kubelet is believed without proof, because the client asked for it */
  readonly skipVerify?: boolean;
  /** the address is the server's own knowledge: a kubelet in this process */
  readonly isInProcess?: boolean;
  /** of webhooks and aggregated servers */
  readonly proof?: ServerProof | undefined;
  /** the address is an administrator's word, and may be this machine: the URL of a webhook */
  readonly isTrustedAddress?: boolean | undefined;
}

/** What lies behind the door. */
export interface DialNetwork {
  resolve(name: string): Promise<readonly string[]>;
  connect(address: string, port: number): Socket;
  /** of a connection, and then of its handshake; default: ten seconds */
  readonly timeoutMs?: number;
}

const timeoutMsDefault = 10_000;
const resolveTimeoutMs = 3000;
const resolveTriesMax = 2;
const portMax = 65_535;
/** Connections that wait for a request: how long, and how many to one place. */
const idleMs = 30_000;
const idleMax = 4;

export class Dialer implements Disposable {
  readonly #kubelet: KubeletCredentials;
  readonly #network: DialNetwork;
  readonly #agent: KeepingAgent;

  constructor(kubelet: KubeletCredentials, network: DialNetwork = realNetwork) {
    this.#kubelet = kubelet;
    this.#network = network;
    this.#agent = new KeepingAgent(this);
  }

  /** A connection of one's own. */
  async connect(backend: DialTarget, signal?: AbortSignal): Promise<Socket> {
    const { protocol, host, port, isInProcess } = backend;
    if (port > portMax) throw new Error(`dial tcp: address ${port}: invalid port`);
    const [address] = isInProcess ? [host] : await addressesOf(backend, this.#network);
    if (address === undefined) throw errors.badRequest('no addresses for hostname');
    const plain = this.#network.connect(address, port);
    const how = { place: joinHostPort(address, port), timeoutMs: this.#network.timeoutMs ?? timeoutMsDefault, signal };
    await opened(plain, 'connect', how);
    if (protocol === 'http') return plain;
    const secure = tlsConnect({ socket: plain, ...tlsOptions(backend, this.#kubelet), ALPNProtocols: ['http/1.1'] });
    await opened(secure, 'secureConnect', how);
    return secure;
  }

  /** For a request: by a connection to the same kubelet that is free, or a new one. */
  async open(backend: DialTarget, signal: AbortSignal): Promise<RequestConnection> {
    const isKept = backend.proof !== undefined || (backend.kubeletOf !== undefined && !backend.skipVerify);
    if (isKept) return { agent: this.#agent, backend };
    const socket = await this.connect(backend, signal);
    return { createConnection: () => socket };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Options of a request. */
export type RequestConnection = { readonly createConnection: () => Socket } | { readonly agent: Agent; readonly backend: DialTarget };

/** Keeps connections by who has proved to be at their end. */
class KeepingAgent extends Agent {
  readonly #dialer: Dialer;

  constructor(dialer: Dialer) {
    super({ keepAlive: true, timeout: idleMs, maxFreeSockets: idleMax });
    this.#dialer = dialer;
  }

  override getName(options?: object): string {
    const { kubeletOf, host, port, proof } = backendOf(options);
    return JSON.stringify([kubeletOf, host, port, proof]);
  }

  /** Bounded by the dialer's own time; whoever asked may be gone by then. */
  override createConnection(options: ClientRequestArgs, created?: (error: Error | null, socket: Duplex) => void): undefined {
    const none = undefined as unknown as Duplex;
    this.#dialer.connect(backendOf(options)).then(
      (socket) => created?.(null, socket),
      (error: Error) => created?.(error, none),
    );
  }
}

const backendOf = (options: object | undefined): DialTarget => (options as { readonly backend: DialTarget }).backend;

const realNetwork: DialNetwork = {
  async resolve(name) {
    const resolver = new Resolver({ timeout: resolveTimeoutMs, tries: resolveTriesMax });
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  },
  connect: (address, port) => tcpConnect({ host: address, port }),
};

/** Of a name every address has to be allowed, as upstream asks. */
async function addressesOf({ host, isTrustedAddress }: DialTarget, network: DialNetwork): Promise<readonly string[]> {
  if (isTrustedAddress && host.toLowerCase() === 'localhost') return ['127.0.0.1'];
  const addresses = isIP(host) ? [host] : await network.resolve(host);
  if (addresses.length === 0) throw errors.badRequest(`lookup ${host}: no such host`);
  if (!isTrustedAddress && !addresses.every(isProxyable)) throw errors.badRequest('address not allowed');
  return addresses;
}

/** Pods and services have certificates that nobody here could check, as upstream has it. */
function tlsOptions({ host, kubeletOf, skipVerify, proof }: DialTarget, kubelet: KubeletCredentials) {
  if (proof) return proofOptions(proof);
  const named = isIP(host) ? {} : { servername: host };
  if (kubeletOf === undefined) return { ...named, rejectUnauthorized: false };
  if (skipVerify) return { ...named, ...kubelet, rejectUnauthorized: false };
  const nodeName = `system:node:${kubeletOf}`;
  return {
    ...named,
    ...kubelet,
    checkServerIdentity: (_: string, certificate: PeerCertificate): Error | undefined => {
      const { CN } = certificate.subject;
      if (CN !== nodeName) return new Error(`x509: certificate is of ${JSON.stringify(CN)}, not of ${JSON.stringify(nodeName)}`);
      return (
        checkServerIdentity(host, certificate) && new Error(`x509: certificate is valid for ${certifiedNames(certificate)}, not ${host}`)
      );
    },
  };
}

function proofOptions({ name, ca, cert, key, isBelieved }: ServerProof) {
  return {
    // who is named in the bundle himself needs no authority, as for Go's clients
    ...(ca !== undefined && { ca, allowPartialTrustChain: true }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
    ...(!isIP(name) && { servername: name }),
    rejectUnauthorized: !isBelieved,
    checkServerIdentity: (_: string, certificate: PeerCertificate): Error | undefined => {
      if (!certificate.subjectaltname) return new Error('x509: certificate relies on legacy Common Name field, use SANs instead');
      return (
        checkServerIdentity(name, certificate) && new Error(`x509: certificate is valid for ${certifiedNames(certificate)}, not ${name}`)
      );
    },
  };
}

const certifiedNames = ({ subjectaltname = '' }: PeerCertificate): string => subjectaltname.replace(/(DNS|IP Address):/g, '') || 'no names';

interface Opening {
  readonly place: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Resolves when it is; else it is destroyed. */
function opened(socket: Socket, event: 'connect' | 'secureConnect', { place, timeoutMs, signal }: Opening): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: Error): void => {
    socket.destroy();
    reject(error);
  };
  const onAbort = (): void => fail(new Error('the client went away'));
  const onError = (error: NodeJS.ErrnoException): void => fail(event === 'connect' ? dialError(error, place) : tlsError(error));
  const late = event === 'connect' ? `dial tcp ${place}: i/o timeout` : 'net/http: TLS handshake timeout';
  socket.setTimeout(timeoutMs, () => fail(new Error(late)));
  socket.once('error', onError).once(event, resolve);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return promise.finally(() => {
    socket.setTimeout(0).removeAllListeners('timeout');
    socket.off('error', onError).on('error', () => undefined); // whoever uses it hears of its end by 'close', if not by his own listener
    signal?.removeEventListener('abort', onAbort);
  });
}

const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'connect: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
};

const dialError = ({ code = '', message }: NodeJS.ErrnoException, place: string): Error =>
  new Error(`dial tcp ${place}: ${own(causes, code) ?? message}`);

const untrusted = new Set(['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_GET_ISSUER_CERT']);

function tlsError({ code = '', message }: NodeJS.ErrnoException): Error {
  if (message.startsWith('x509: ')) return new Error(`tls: failed to verify certificate: ${message}`);
  if (untrusted.has(code) || code.includes('SELF_SIGNED_CERT'))
    return new Error('tls: failed to verify certificate: x509: certificate signed by unknown authority');
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return new Error('tls: failed to verify certificate: x509: certificate has expired or is not yet valid');
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return new Error('tls: first record does not look like a TLS handshake');
  if (code === 'ECONNRESET') return new Error('EOF');
  return new Error(message);
}
