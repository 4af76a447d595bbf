/** The allocators of Services, and what they need to run as the last mutating step of admission. */
import type { Random } from '../../../client/clock.ts';
import type { AdmissionPlugin } from '../admission/plugin.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { ObjectOps } from '../write/object-ops.ts';
import { parseRange } from './address-range.ts';
import type { Claims } from './claims.ts';
import { ClusterIPs } from './cluster-ips.ts';
import { NodePorts, type PortRange } from './node-ports.ts';
import { serviceFields } from './service-fields.ts';

export interface ServiceNetwork {
  readonly clusterIPs: ClusterIPs;
  readonly nodePorts: NodePorts;
  readonly fields: AdmissionPlugin;
}

const serviceCIDRsDefault: readonly string[] = ['10.96.0.0/16'];
const nodePortRangeDefault: PortRange = { from: 30000, to: 32767 };

export function serviceNetwork(options: {
  readonly reader: ObjectReader;
  readonly ops: ObjectOps;
  readonly claims: Claims;
  readonly random: Random;
  readonly cidrs?: readonly string[] | undefined;
  readonly ports?: PortRange | undefined;
}): ServiceNetwork {
  const { reader, ops, claims, random, cidrs = serviceCIDRsDefault, ports = nodePortRangeDefault } = options;
  const clusterIPs = new ClusterIPs({ reader, ops, random, cidrs });
  const nodePorts = new NodePorts({ reader, claims, random, range: ports });
  return { clusterIPs, nodePorts, fields: serviceFields(() => clusterIPs.families()) };
}

/** The address of the Service `kubernetes`: the first of the first range. */
export const kubernetesServiceIP = (cidrs: readonly string[] = serviceCIDRsDefault): string =>
  parseRange(cidrs[0] ?? serviceCIDRsDefault[0] ?? '').addressAt(0);
