/**
 * The environment variables that tell a container of services, Docker's link variables among them. Pure.
 * Upstream: pkg/kubelet/envvars/envvars.go, pkg/kubelet/kubelet_pods.go (getServiceEnvVarMap).
 */
import { isIPv6 } from 'node:net';
import type { Service } from '../../../api/generated/core-v1.ts';

const masterServices = new Set(['kubernetes']);

/** Services of the pod's namespace (with `links`), and the API server's own from `default`. */
export function serviceEnvironment(
  services: Iterable<Service>,
  at: { readonly namespace: string; readonly links: boolean },
): ReadonlyMap<string, string> {
  const byName = new Map<string, Service>();
  for (const service of services) {
    const { name, namespace } = service.metadata;
    const ip = service.spec.clusterIP;
    if (!ip || ip === 'None') continue;
    if (namespace === 'default' && masterServices.has(name)) {
      if (!byName.has(name)) byName.set(name, service);
    } else if (namespace === at.namespace && at.links) byName.set(name, service);
  }
  const env = new Map<string, string>();
  for (const service of byName.values()) addService(env, service);
  return env;
}

const variableName = (name: string): string => name.replaceAll('-', '_').toUpperCase();

function addService(env: Map<string, string>, { metadata, spec }: Service): void {
  const prefix = variableName(metadata.name);
  const ip = spec.clusterIP ?? '';
  const ports = spec.ports ?? [];
  env.set(`${prefix}_SERVICE_HOST`, ip);
  const [first] = ports;
  if (first) env.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const port of ports) if (port.name) env.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
  for (const port of ports) {
    const protocol = (port.protocol ?? 'TCP').toLowerCase();
    const url = `${protocol}://${isIPv6(ip) ? `[${ip}]` : ip}:${port.port}`;
    const portPrefix = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
    if (port === first) env.set(`${prefix}_PORT`, url);
    env.set(portPrefix, url);
    env.set(`${portPrefix}_PROTO`, protocol);
    env.set(`${portPrefix}_PORT`, String(port.port));
    env.set(`${portPrefix}_ADDR`, ip);
  }
}
