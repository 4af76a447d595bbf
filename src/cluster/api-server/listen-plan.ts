/**
 * Where the API server listens, which addresses its certificate names, how it is reached from this machine, and which
 * address it gives to the cluster's Service. Pure; the machine's addresses are passed in.
 *
 * An unspecified host (0.0.0.0, ::) is every address of the machine's interfaces that are up at the start, but for those
 * of the pod network. Upstream: --bind-address and --advertise-address.
 */
import { isIP, isIPv6 } from 'node:net';
import { isInCidr, parseCidr } from '../../node/network/cidr.ts';

export interface ListenInput {
  /** what was asked for: an address or a name */
  readonly host: string;
  /** where pods and other nodes reach it; absent: no real node needs it */
  readonly nodeAddress?: string | undefined;
  readonly apiServiceIP: string;
  readonly podCIDR: string;
  /** those of the machine, loopback too */
  readonly machineAddresses: readonly string[];
}

export interface ListenPlan {
  /** the first one chooses the port where none is given */
  readonly hosts: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly dnsNames: readonly string[];
  /** as a part of a URL, for who is on this machine */
  readonly urlHost: string;
  /** where other machines reach it; absent: nowhere */
  readonly advertised?: string | undefined;
}

const loopback = '127.0.0.1';
/** With `::` a socket takes connections to addresses of both families. */
const unspecified: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export function planListening({ host, nodeAddress, apiServiceIP, podCIDR, machineAddresses }: ListenInput): ListenPlan {
  const isEverywhere = unspecified.has(host);
  const pods = parseCidr(podCIDR);
  const everywhere = machineAddresses.filter((address) => (isIPv6(address) ? host === '::' : !isInCidr(pods, address)));
  const own = isEverywhere ? everywhere : [host].filter((each) => isIP(each) !== 0);
  const advertised = nodeAddress ?? own.find(isReachable);
  return {
    hosts: isEverywhere || nodeAddress === undefined ? [host] : unique([host, nodeAddress]),
    ipAddresses: unique([loopback, ...own, apiServiceIP, ...(nodeAddress === undefined ? [] : [nodeAddress])]),
    dnsNames: isEverywhere || isIP(host) !== 0 ? [] : [host],
    urlHost: isEverywhere ? loopback : isIPv6(host) ? `[${host}]` : host,
    advertised,
  };
}

/**
 * Where Ingresses are served: as the API is, and on loopback of both families, so that names of localhost work. Others are
 * told the node's address, and one that the host is.
 */
export function planIngress({ host, nodeAddress }: { readonly host: string; readonly nodeAddress: string }): {
  readonly hosts: readonly string[];
  readonly published: readonly string[];
} {
  if (unspecified.has(host)) return { hosts: [host], published: [nodeAddress] };
  const isOwn = isIP(host) !== 0 && isReachable(host);
  return { hosts: unique([loopback, '::1', host, nodeAddress]), published: unique([nodeAddress, ...(isOwn ? [host] : [])]) };
}

/** From other machines, without saying through which interface. */
const isReachable = (address: string): boolean => !/^(127\.|169\.254\.|::1$|fe80:)/i.test(address);

const unique = (values: readonly string[]): string[] => [...new Set(values)];
