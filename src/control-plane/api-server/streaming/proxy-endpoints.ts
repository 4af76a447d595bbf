/**
 * `pods/proxy`, `services/proxy` and `nodes/proxy`: HTTP to a pod, an endpoint of a service or a kubelet, through the
 * API server. A name may carry scheme and port: `https:web:8443`. Upstream: apimachinery/pkg/util/proxy,
 * pkg/registry/core/{pod,service,node}/strategy.go.
 */
import type { ServerResponse } from 'node:http';
import { Agent } from 'node:https';
import { connect as tcpConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { EndpointSlice, Pod, Service } from '../../../api/generated/kinds.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { Random } from '../../../client/clock.ts';
import type { ConnectEndpoint, ConnectRequest } from '../endpoint.ts';
import { type ForwardTarget, forward, type KubeletCredentials, kubeletAgent } from './http-forward.ts';
import { type KubeletAddress, type KubeletDirectory, kubeletOfNode, refuseSimulated } from './kubelet-address.ts';
import { tunnel } from './upgrade-tunnel.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

interface ProxyName {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

/** `name`, `name:port`, `scheme:name:port`, `scheme:name:`. */
export function parseProxyName(text: string, kind: 'pod' | 'service' | 'node'): ProxyName {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1) return { scheme: 'http', name: first, port: '' };
  if (parts.length === 2) return { scheme: 'http', name: first, port: second };
  if (parts.length === 3 && (first === '' || first === 'http' || first === 'https')) {
    return { scheme: first === 'https' ? 'https' : 'http', name: second, port: third };
  }
  throw errors.badRequest(`invalid ${kind} request "${text}"`);
}

export interface ProxyOptions extends KubeletDirectory {
  readonly kubelet: KubeletCredentials;
  readonly random: Random;
}

export function proxyEndpoints({ kubelet, random, ...directory }: ProxyOptions): ConnectEndpoint[] {
  const { reader } = directory;
  const agent = kubeletAgent(kubelet);

  const toPod = async (connect: ConnectRequest): Promise<void> => {
    const { scheme, name, port } = parseProxyName(connect.at.name, 'pod');
    const pod = reader.get(Pod, { ...connect.at, name });
    if (!pod) throw errors.notFound(Pod, name);
    const number = port === '' ? pod.spec.containers.flatMap((c) => c.ports ?? [])[0]?.containerPort : Number(port);
    if (!pod.status.podIP) throw errors.badRequest('address not allowed');
    refuseSimulated(reader, pod.spec.nodeName, `pod "${name}"`);
    await pass(connect, {
      protocol: scheme,
      host: pod.status.podIP,
      port: number || (scheme === 'https' ? 443 : 80),
      path: pathOf(connect),
    });
  };

  const toService = async (connect: ConnectRequest): Promise<void> => {
    const { scheme, name, port } = parseProxyName(connect.at.name, 'service');
    const service = reader.get(Service, { ...connect.at, name });
    if (!service) throw errors.notFound(Service, name);
    const wanted = (service.spec.ports ?? []).find((p) => port === '' || p.name === port || String(p.port) === port);
    if (!wanted) throw errors.serviceUnavailable(`no service port "${port}" found for service "${name}"`);
    const slices = [...reader.list(EndpointSlice, connect.at.namespace)].filter(
      (s) => s.metadata.labels?.['kubernetes.io/service-name'] === name,
    );
    const backends = slices.flatMap((slice) => {
      const target = (slice.ports ?? []).find((p) => (p.name ?? '') === (wanted.name ?? ''))?.port;
      if (target === undefined) return [];
      return (slice.endpoints ?? [])
        .filter((e) => e.conditions?.ready !== false)
        .flatMap((e) => e.addresses.map((host) => ({ host, port: target, nodeName: e.nodeName })));
    });
    const chosen = backends[Math.floor(random.next() * backends.length)];
    if (!chosen) throw errors.serviceUnavailable(`no endpoints available for service "${connect.at.name}"`);
    refuseSimulated(reader, chosen.nodeName, `the endpoint of service "${name}"`);
    await pass(connect, { protocol: scheme, host: chosen.host, port: chosen.port, path: pathOf(connect) });
  };

  const toNode = async (connect: ConnectRequest): Promise<void> => {
    const asked = parseProxyName(connect.at.name, 'node');
    const { isKubelet, ...target } = nodeTarget(asked, await kubeletOfNode(directory, asked.name));
    if (!isKubelet) refuseSimulated(reader, asked.name, `port ${asked.port}`);
    await pass(connect, { ...target, path: pathOf(connect), ...(isKubelet && { tls: agent }) });
  };

  return [
    { resource: 'pods', subresource: 'proxy', methods, handle: toPod },
    { resource: 'services', subresource: 'proxy', methods, handle: toService },
    { resource: 'nodes', subresource: 'proxy', methods, handle: toNode },
  ];
}

/** The kubelet, by its port or by none; else any port of the node, which must not see the kubelet's credentials. */
export function nodeTarget({ scheme, port }: ProxyName, kubelet: KubeletAddress) {
  const isKubelet = port === '' || Number(port) === kubelet.statedPort;
  return isKubelet
    ? { isKubelet, protocol: 'https' as const, host: kubelet.host, port: kubelet.port }
    : { isKubelet, protocol: scheme, host: kubelet.host, port: Number(port) };
}

async function pass(connect: ConnectRequest, target: ForwardTarget): Promise<void> {
  if (!connect.upgrade && isRootWithoutSlash(connect)) return redirectToRoot(connect);
  const { protocol, host, port, path } = target;
  const { at, request } = connect;
  const prefix = (request.url ?? '').split('/', at.namespace ? podRootDepth : nodeRootDepth).join('/');
  if (!connect.upgrade)
    return forward(connect, {
      ...(protocol === 'https' && { tls: anyCertificate }),
      ...target,
      passHeaders: true,
      site: { prefix, host: `${host}:${port}` },
    });
  return tunnel(connect, { host: `${host}:${port}`, path, passHeaders: true, connect: () => dial({ protocol, host, port }) });
}

/** How many parts split by `/` lead to the proxied server's root: `/api/v1/namespaces/NS/pods/NAME/proxy`. */
const podRootDepth = 8;
const nodeRootDepth = 6;

/** Pods and services have certificates that nobody here could check, as upstream has it. */
const anyCertificate = new Agent({ rejectUnauthorized: false });

const dial = ({ protocol, host, port }: Pick<ForwardTarget, 'protocol' | 'host' | 'port'>): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const [socket, ready] =
      protocol === 'https' ? [tlsConnect({ host, port, rejectUnauthorized: false }), 'secureConnect'] : [tcpConnect(port, host), 'connect'];
    socket.once('error', reject).once(ready, () => resolve(socket.off('error', reject)));
  });

/** A browser would take relative links of such a page for siblings of `proxy`. */
function isRootWithoutSlash({ rest, request: { method, url } }: ConnectRequest): boolean {
  return rest === '' && (method === 'GET' || method === 'HEAD') && !splitURL(url ?? '')[0].endsWith('/');
}

function redirectToRoot({ request, response }: ConnectRequest): void {
  const [path, query] = splitURL(request.url ?? '');
  (response as ServerResponse).writeHead(301, { Location: `${path}/${query}` }).end();
}

/** Path, and query with its question mark. */
function splitURL(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
}

const pathOf = ({ rest, query, request }: ConnectRequest): string => backendPath({ rest, query, url: request.url ?? '' });

/** What the backend is asked for: encoded anew, with the slash at its end, if there was one. */
export function backendPath({ rest, query, url }: { rest: string; query: URLSearchParams; url: string }): string {
  const isFolder = rest !== '' && splitURL(url)[0].endsWith('/');
  const path = encodeURI(rest || '/').replace(/[?#]/g, encodeURIComponent);
  return `${path}${isFolder ? '/' : ''}${query.size ? `?${query}` : ''}`;
}
