/**
 * Hands out node ports, and health check ports of load balancers with local traffic. Each is a claim in the commit of its
 * Service (claims.ts). Ports of one Service with the same number share a node port across protocols.
 * Upstream: pkg/registry/core/service/storage/alloc.go, pkg/registry/core/service/portallocator.
 */

import type { ServicePort } from '../../../api/generated/core-v1.ts';
import { Service } from '../../../api/generated/kinds.ts';
import { isKind } from '../../../api/meta/object.ts';
import { errors, fieldErrors } from '../../../api/meta/status-error.ts';
import { hasHealthCheckPort, hasNodePorts } from '../../../api/predicates/services.ts';
import type { Random } from '../../../client/clock.ts';
import type { Op } from '../../store/storage.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { Allocation, AllocationRequest, Allocator } from '../write/allocator.ts';
import type { Claims } from './claims.ts';
import { type NumberRange, pickNumber } from './pick-number.ts';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

const band = { min: 16, max: 128, step: 32 };

export class NodePorts implements Allocator {
  readonly #range: PortRange;
  readonly #numbers: NumberRange;
  readonly #random: Random;
  readonly #claims: Claims;
  readonly #reader: ObjectReader;

  constructor(options: { readonly reader: ObjectReader; readonly claims: Claims; readonly random: Random; readonly range: PortRange }) {
    this.#range = options.range;
    this.#random = options.random;
    this.#claims = options.claims;
    this.#reader = options.reader;
    const size = options.range.to - options.range.from + 1;
    this.#numbers = { size, staticSize: size <= band.min ? 0 : Math.min(Math.max(band.min, Math.floor(size / band.step)), band.max) };
  }

  handles(kind: { readonly group: string; readonly resource: string }): boolean {
    return isKind(kind, Service);
  }

  allocate(change: AllocationRequest): Allocation | undefined {
    if (change.object && change.subresource === 'status') return undefined;
    const given = change.object as Service | undefined;
    const own = new Set(change.oldObject ? portsOf(change.oldObject as Service) : []);
    const service = given && hasNodePorts(given.spec) ? this.#complete(given, change, own) : given;
    const ops = [
      ...this.#claims.change('nodeports', { object: service, oldObject: change.oldObject }, (each) => portNames(each as Service)),
    ];
    return service === given && ops.length === 0 ? undefined : { object: service, ops };
  }

  repair(): Iterable<Op> {
    return this.#claims.repair('nodeports', this.#reader.list(Service), portNames);
  }

  /** With all the ports that it has to have; the same when it has them. */
  #complete(service: Service, change: AllocationRequest, own: ReadonlySet<number>): Service {
    const picking: Picking = { service, own, taken: new Set(), lost: change.lost };
    const ports = this.#withNodePorts(picking, !change.oldObject);
    const healthCheckNodePort = hasHealthCheckPort(service.spec) ? this.#healthCheckPort(picking) : undefined;
    if (picking.taken.size === 0 && ports.every((port, i) => port === service.spec.ports?.[i])) return service;
    return { ...service, spec: { ...service.spec, ports, ...(healthCheckNodePort && { healthCheckNodePort }) } } as Service;
  }

  /** On create, ports of one number share a node port; on update each gets its own. */
  #withNodePorts(picking: Picking, shares: boolean): readonly ServicePort[] {
    const { service, own, taken } = picking;
    const ports = service.spec.ports ?? [];
    const allocates = service.spec.type === 'NodePort' || service.spec.allocateLoadBalancerNodePorts !== false;
    const byPort = new Map<number, number>();
    for (const [i, { port, nodePort }] of ports.entries()) {
      if (!nodePort) continue;
      if (!own.has(nodePort) && !taken.has(nodePort)) {
        const problem = this.#problem(picking, nodePort);
        if (problem)
          throw errors.invalid(Service, service.metadata.name, [fieldErrors.invalid(`spec.ports[${i}].nodePort`, nodePort, problem)]);
        taken.add(nodePort);
      }
      if (shares && !byPort.has(port)) byPort.set(port, nodePort);
    }
    return ports.map((each) => {
      if (each.nodePort || !allocates) return each;
      const nodePort = byPort.get(each.port) ?? this.#pick(picking);
      if (shares) byPort.set(each.port, nodePort);
      return { ...each, nodePort };
    });
  }

  #healthCheckPort(picking: Picking): number {
    const asked = picking.service.spec.healthCheckNodePort;
    if (!asked) return this.#pick(picking);
    if (picking.own.has(asked)) return asked;
    const problem = this.#problem(picking, asked);
    if (problem) throw errors.internal(`failed to allocate requested HealthCheck NodePort ${asked}: ${problem}`);
    picking.taken.add(asked);
    return asked;
  }

  #problem(picking: Picking, port: number): string | undefined {
    const { from, to } = this.#range;
    if (port < from || port > to) return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
    return this.#isTaken(picking, port) ? 'provided port is already allocated' : undefined;
  }

  #pick(picking: Picking): number {
    const { from } = this.#range;
    const index = pickNumber(this.#numbers, this.#random, (number) => this.#isTaken(picking, from + number));
    if (index === undefined) throw errors.internal('failed to allocate a nodePort: range is full');
    picking.taken.add(from + index);
    return from + index;
  }

  #isTaken({ taken, lost }: Picking, port: number): boolean {
    return taken.has(port) || this.#claims.isTaken('nodeports', String(port), lost);
  }
}

interface Picking {
  readonly service: Service;
  /** what it had before */
  readonly own: ReadonlySet<number>;
  /** what it gets by this write */
  readonly taken: Set<number>;
  readonly lost: readonly string[];
}

/** Each once: two protocols may share one. */
function portsOf({ spec }: Service): number[] {
  const ports = (spec.ports ?? []).map((port) => port.nodePort);
  return [...new Set([...ports, hasHealthCheckPort(spec) ? spec.healthCheckNodePort : undefined])].filter((port) => !!port) as number[];
}

const portNames = (service: Service): string[] => portsOf(service).map(String);
