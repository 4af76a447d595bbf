/**
 * UDP flows that go where they no longer should: the kernel sends a flow's packets where the first one went, whatever
 * the rules say since. Pure: from what conntrack(8) lists and the service ports to the flows that must be forgotten.
 * TCP needs none of it: its connections end with their endpoints. Upstream: pkg/proxy/conntrack/cleanup.go.
 */
import type { ServicePort } from './service-ports.ts';

/** What `conntrack --delete` takes. */
export type Flow = readonly string[];

const flowPattern = /\bsrc=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) .*?\bsrc=(\S+) dst=\S+ sport=(\d+) /;

export function planStaleFlows(listing: string, ports: Iterable<ServicePort>): Flow[] {
  const services = new Map<string, Set<string>>();
  const nodePorts = new Map<string, Set<string>>();
  for (const port of ports) {
    if (port.protocol !== 'udp') continue;
    const endpoints = new Set([...port.clusterEndpoints, ...port.localEndpoints].map(({ ip, port }) => `${ip}:${port}`));
    for (const ip of [port.clusterIP, ...port.externalIPs]) services.set(`${ip}:${port.port}`, endpoints);
    if (port.nodePort) nodePorts.set(String(port.nodePort), endpoints);
  }
  return listing.split('\n').flatMap((line) => {
    const [, src = '', dst = '', sport = '', dport = '', answerer = '', answerPort = ''] = flowPattern.exec(line) ?? [];
    // To the same port of another machine: not led anywhere by us.
    const endpoints = services.get(`${dst}:${dport}`) ?? (answerer === dst ? undefined : nodePorts.get(dport));
    if (!endpoints || endpoints.has(`${answerer}:${answerPort}`)) return [];
    return [['--src', src, '--dst', dst, '--sport', sport, '--dport', dport]];
  });
}
