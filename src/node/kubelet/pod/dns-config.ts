/**
 * The resolv.conf of a pod, as its DNS policy wants it. Pure; limits that cut something are told as warnings.
 * Upstream: pkg/kubelet/network/dns/dns.go.
 */
import type { Pod, PodDNSConfigOption } from '../../../api/generated/core-v1.ts';
import type { DNSConfig } from '../../runtime/cri-types.ts';
import { describePod } from './plan-pod.ts';

export interface ResolvConf {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const nameserversMax = 3;
const searchesMax = 32;
const searchCharsMax = 2048;
const searchLengthMax = 253;
const clusterOptions = ['ndots:5'];

export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let searches: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && words[0]) servers.push(words[0]);
    if (keyword === 'search') searches = words.filter((s) => s !== '.').map((s) => s.replace(/\.$/, ''));
    if (keyword === 'options') for (const option of words) options.set(option.split(':')[0] ?? '', option);
  }
  return { servers, searches, options: [...options.values()] };
}

export interface PodDNSInput {
  readonly pod: Pod;
  /** of the node */
  readonly host: ResolvConf;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
}
export interface PodDNS {
  readonly config: Required<DNSConfig>;
  /** events to record on the pod: reason and message */
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
}

export function podDNS(input: PodDNSInput): PodDNS {
  const { pod } = input;
  const warnings: { reason: string; message: string }[] = [];
  const base = baseConfig(input, warnings);
  const extra = pod.spec.dnsConfig;
  const merged = extra
    ? {
        servers: unique([...base.servers, ...(extra.nameservers ?? [])]),
        searches: unique([...base.searches, ...(extra.searches ?? [])]),
        options: mergeOptions(base.options, extra.options ?? []),
      }
    : base;
  return { config: fitLimits(merged, warnings), warnings };
}

function baseConfig({ pod, host, clusterDNS, clusterDomain }: PodDNSInput, warnings: { reason: string; message: string }[]): ResolvConf {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return { servers: [], searches: [], options: [] };
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork);
  if (!cluster) return host;
  if (clusterDNS.length === 0) {
    const message = `kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.`;
    warnings.push({ reason: 'MissingClusterDNS', message: `pod: "${describePod(pod)}". ${message}` });
    return host;
  }
  const own = clusterDomain ? [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain] : [];
  return { servers: clusterDNS, searches: unique([...own, ...host.searches]), options: clusterOptions };
}

const unique = (list: readonly string[]): readonly string[] => [...new Set(list)];

function mergeOptions(base: readonly string[], extra: readonly PodDNSConfigOption[]): readonly string[] {
  const options = new Map<string, string>();
  for (const option of base) {
    const colon = option.indexOf(':');
    options.set(colon < 0 ? option : option.slice(0, colon), colon < 0 ? '' : option.slice(colon + 1));
  }
  for (const { name = '', value } of extra) options.set(name, value ?? '');
  return [...options].map(([name, value]) => (value ? `${name}:${value}` : name));
}

function fitLimits(config: ResolvConf, warnings: { reason: string; message: string }[]): Required<DNSConfig> {
  const reason = 'DNSConfigForming';
  const servers = config.servers.slice(0, nameserversMax);
  if (servers.length < config.servers.length) {
    const message = `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`;
    warnings.push({ reason, message });
  }
  const searches = config.searches.slice(0, searchesMax).filter((s) => s.length <= searchLengthMax);
  while (searches.join(' ').length > searchCharsMax) searches.pop();
  if (searches.length < config.searches.length) {
    const message = `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`;
    warnings.push({ reason, message });
  }
  return { servers, searches, options: config.options };
}
