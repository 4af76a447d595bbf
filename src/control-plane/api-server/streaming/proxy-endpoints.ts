/**
 * `pods/proxy`, `services/proxy` and `nodes/proxy`: HTTP to a pod, an endpoint of a service or a kubelet, through the
 * API server. A name may carry scheme and port: `https:web:8443`. Upstream: apimachinery/pkg/util/proxy,
 * pkg/registry/core/{pod,service,node}/strategy.go.
 */

import type { ServerResponse } from 'node:http';
import type { EndpointAddress } from '../../../api/generated/core-v1.ts';
import { Endpoints, Pod, Service } from '../../../api/generated/kinds.ts';
import { joinHostPort } from '../../../api/meta/addresses.ts';
import type { ObjectName } from '../../../api/meta/object.ts';
import { errors, messageOf } from '../../../api/meta/status-error.ts';
import type { Random } from '../../../client/clock.ts';
import type { ConnectEndpoint, ConnectTarget } from '../request/api-request.ts';
import type { Dialer, DialTarget } from './dialer.ts';
import { forward } from './http-forward.ts';
import { type KubeletAddress, type KubeletDirectory, kubeletOfNode, refuseSimulated } from './kubelet-address.ts';
import { readPage } from './read-page.ts';
import { tunnel } from './upgrade-tunnel.ts';

const parameters = { path: 'rest' } as const;
/** what a kubelet says of a node with all its pods; each has about 1 KiB */
const pageBytesMax = 8 * 1024 * 1024;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

interface ProxyName {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

/** `name`, `name:port`, `scheme:name:port`, `scheme:name:`. */
export function parseProxyName(text: string, kind: 'pod' | 'service' | 'node'): ProxyName {
  const [scheme, name, port, rest] = text.includes(':', text.indexOf(':') + 1) ? text.split(':') : ['', ...text.split(':')];
  if (!name || rest !== undefined || (scheme !== '' && scheme !== 'http' && scheme !== 'https')) {
    throw errors.badRequest(`invalid ${kind} request ${JSON.stringify(text)}`);
  }
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port: port ?? '' };
}

/** Of pods and nodes ports have no names. */
function portNumber(port: string): number {
  if (!/^\d{1,9}$/.test(port)) throw errors.badRequest(`invalid port ${JSON.stringify(port)}`);
  return Number(port);
}

export interface ProxyEndpointOptions extends KubeletDirectory {
  readonly dialer: Dialer;
  readonly random: Random;
}

export function proxyEndpoints({ dialer, random, ...directory }: ProxyEndpointOptions): ConnectEndpoint[] {
  const { reader } = directory;

  const toPod = async (connect: ConnectTarget): Promise<void> => {
    const { scheme: protocol, name, port } = parseProxyName(connect.at.name, 'pod');
    const pod = reader.get(Pod, { ...connect.at, name });
    if (!pod) throw errors.notFound(Pod, name);
    const firstPort = pod.spec.containers.flatMap((c) => c.ports ?? [])[0]?.containerPort;
    const number = port === '' ? firstPort || (protocol === 'https' ? 443 : 80) : portNumber(port);
    if (!pod.status.podIP) throw errors.badRequest('address not allowed');
    refuseSimulated(reader, pod.spec.nodeName, `pod "${name}"`);
    await pass(connect, { protocol, host: pod.status.podIP, port: number });
  };

  const toService = async (connect: ConnectTarget): Promise<void> => {
    const { scheme: protocol, name, port } = parseProxyName(connect.at.name, 'service');
    const portName = /^[-+]?\d+$/.test(port) ? servicePortName(connect.at, name, Number(port)) : port;
    const endpoints = reader.get(Endpoints, { ...connect.at, name });
    if (!endpoints) throw errors.notFound(Service, name);
    const backends = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
      const target = ports.find((p) => (p.name ?? '') === portName);
      if (!target) return [];
      return addresses.flatMap((address) => {
        const pod = podAt(address, connect.at);
        return pod ? [{ pod, host: address.ip, port: target.port }] : [];
      });
    });
    const chosen = backends[Math.floor(random.next() * backends.length)];
    if (!chosen) throw errors.serviceUnavailable(`no endpoints available for service ${JSON.stringify(connect.at.name)}`);
    const { pod, ...address } = chosen;
    refuseSimulated(reader, pod.spec.nodeName, `the endpoint of service "${name}"`);
    await pass(connect, { protocol, ...address });
  };

  const servicePortName = (at: ObjectName, name: string, number: number): string => {
    const service = reader.get(Service, { ...at, name });
    if (!service) throw errors.notFound(Service, name);
    const found = (service.spec.ports ?? []).find((p) => p.port === number);
    if (!found) throw errors.serviceUnavailable(`no service port ${number} found for service ${JSON.stringify(name)}`);
    return found.name ?? '';
  };

  /** Whoever may write endpoints says where they are: only addresses that pods of the same namespace have are believed. */
  const podAt = ({ ip, targetRef }: EndpointAddress, { namespace = '' }: ObjectName): Pod | undefined => {
    if (targetRef?.kind !== 'Pod' || targetRef.namespace !== namespace || !targetRef.name) return undefined;
    const pod = reader.get(Pod, { namespace, name: targetRef.name });
    return pod?.status.podIPs?.some((each) => each.ip === ip) ? pod : undefined;
  };

  const toNode = async (connect: ConnectTarget): Promise<void> => {
    const asked = parseProxyName(connect.at.name, 'node');
    const target = nodeTarget(asked, await kubeletOfNode(directory, asked.name));
    if (!target.kubeletOf) refuseSimulated(reader, asked.name, `port ${asked.port}`);
    await pass(connect, target);
  };

  const readNode = async ({ name }: ObjectName, path: string, signal: AbortSignal): Promise<string> => {
    const inProcess = directory.pagesInProcess?.(name, path);
    if (inProcess) return await inProcess;
    const target = { ...(await kubeletOfNode(directory, name)), path };
    const page = await readPage(dialer, target, { headers: {}, signal, bytesMax: pageBytesMax }).catch((error: unknown) => {
      throw errors.serviceUnavailable(`error trying to reach service: ${messageOf(error)}`);
    });
    if (page.code === 200) return page.body.toString();
    throw errors.serviceUnavailable(`the kubelet of node "${name}" answered ${path} with ${page.code}`);
  };

  const pass = async (connect: ConnectTarget, backend: DialTarget): Promise<void> => {
    const path = pathOf(connect);
    if (connect.upgrade) return tunnel(connect, dialer, { ...backend, path, passHeaders: true });
    if (isRootWithoutSlash(connect)) return redirectToRoot(connect);
    const prefix = (connect.request.url ?? '').split('/', connect.at.namespace ? podRootDepth : nodeRootDepth).join('/');
    return forward(connect, dialer, { ...backend, path, site: { prefix, host: joinHostPort(backend.host, backend.port) } });
  };

  return [
    { resource: 'pods', subresource: 'proxy', methods, parameters, handle: toPod },
    { resource: 'services', subresource: 'proxy', methods, parameters, handle: toService },
    { resource: 'nodes', subresource: 'proxy', methods, parameters, handle: toNode, read: readNode },
  ];
}

/** The kubelet, by its port or by none; else any port of the node, which does not see the server's certificate. */
export function nodeTarget({ scheme, port }: ProxyName, { statedPort, ...kubelet }: KubeletAddress): DialTarget {
  if (port === '' || portNumber(port) === statedPort) return kubelet;
  return { protocol: scheme, host: kubelet.host, port: portNumber(port) };
}

/** How many parts split by `/` lead to the proxied server's root: `/api/v1/namespaces/NS/pods/NAME/proxy`. */
const podRootDepth = 8;
const nodeRootDepth = 6;

/** A browser would take relative links of such a page for siblings of `proxy`. */
function isRootWithoutSlash({ rest, request: { method, url } }: ConnectTarget): boolean {
  return rest === '' && (method === 'GET' || method === 'HEAD') && !splitURL(url ?? '')[0].endsWith('/');
}

function redirectToRoot({ request, response, began }: ConnectTarget): void {
  const [path, query] = splitURL(request.url ?? '');
  (response as ServerResponse).writeHead(301, { Location: `${path}/${query}` }).end();
  began(301);
}

/** Path, and query with its question mark. */
function splitURL(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
}

const pathOf = ({ rest, query, request }: ConnectTarget): string => backendPath({ rest, query, url: request.url ?? '' });

/** What the backend is asked for: encoded anew, with the slash at its end, if there was one. */
export function backendPath({ rest, query, url }: { rest: string; query: URLSearchParams; url: string }): string {
  const isFolder = rest !== '' && splitURL(url)[0].endsWith('/');
  const path = encodeURI(rest || '/').replace(/[?#]/g, encodeURIComponent);
  return `${path}${isFolder ? '/' : ''}${query.size ? `?${query}` : ''}`;
}
