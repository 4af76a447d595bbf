/**
 * The host name of a pod, its domain, and its /etc/hosts. Pure.
 * Upstream: pkg/kubelet/kubelet_pods.go (GeneratePodHostNameAndDomain, managedHostsFileContent), util/util.go
 * (GetNodenameForKernel).
 */
import type { HostAlias, Pod } from '../../../api/generated/core-v1.ts';

const hostnameLengthMax = 63;
const kernelNameLengthMax = 64;

export interface PodHostname {
  readonly hostname: string;
  /** '' without subdomain */
  readonly domain: string;
}

/** Throws when nothing is left of a name that is too long. */
export function podHostname(pod: Pod, clusterDomain: string): PodHostname {
  const { hostname, hostnameOverride, subdomain } = pod.spec;
  if (hostnameOverride !== undefined) return { hostname: truncate(pod, hostnameOverride), domain: '' };
  const domain = subdomain ? `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : '';
  return { hostname: truncate(pod, hostname || pod.metadata.name), domain };
}

function truncate(pod: Pod, hostname: string): string {
  if (hostname.length <= hostnameLengthMax) return hostname;
  const cut = hostname.slice(0, hostnameLengthMax).replace(/[-.]+$/, '');
  if (!cut) throw new Error(`hostname for pod "${pod.metadata.name}" was invalid: "${hostname}"`);
  return cut;
}

/** What the kernel is told: the short name, or with setHostnameAsFQDN the whole one, if it fits. */
export function kernelHostname(pod: Pod, { hostname, domain }: PodHostname): string {
  if (!pod.spec.setHostnameAsFQDN || !domain) return hostname;
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length > kernelNameLengthMax) {
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${kernelNameLengthMax} characters is the max, ${fqdn.length} characters requested)`,
    );
  }
  return fqdn;
}

/** The managed /etc/hosts of a pod with a network of its own. */
export function renderHostsFile(at: {
  readonly ips: readonly string[];
  readonly name: PodHostname;
  readonly aliases: readonly HostAlias[];
}): string {
  const { hostname, domain } = at.name;
  const own = at.ips.map((ip) => (domain ? `${ip}\t${hostname}.${domain}\t${hostname}` : `${ip}\t${hostname}`));
  return `${[
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...own,
  ].join('\n')}\n${renderAliases(at.aliases)}`;
}

/** The node's own file, for a hostNetwork pod. */
export function renderHostNetworkHostsFile(nodeFile: string, aliases: readonly HostAlias[]): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${renderAliases(aliases)}`;
}

function renderAliases(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
