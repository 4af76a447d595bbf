/**
 * Hands out node ports, and health check ports of load balancers with local traffic. What is taken is read from the
 * stored Services, as with cluster IPs. Ports of one Service with the same number share a node port across protocols.
 * Upstream: pkg/registry/core/service/storage/alloc.go, pkg/registry/core/service/portallocator.
 */
import type { ServicePort } from '../../../api/generated/core-v1.ts';
import { Service } from '../../../api/generated/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, fieldErrors } from '../../../api/meta/status-error.ts';
import { hasHealthCheckPort, hasNodePorts } from '../../../api/predicates/services.ts';
import type { Random } from '../../../client/clock.ts';
import type { Allocator } from '../endpoint.ts';
import type { ObjectReader } from '../reader.ts';
import type { AdmissionRequest } from '../request.ts';
import { NumberPool, ownerOf } from './number-pool.ts';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

const band = { min: 16, max: 128, step: 32 };

export class NodePorts implements Allocator, Disposable {
  readonly #range: PortRange;
  readonly #pool: NumberPool;
  readonly #following: Disposable;

  constructor(options: { readonly reader: ObjectReader; readonly random: Random; readonly range: PortRange }) {
    this.#range = options.range;
    const size = options.range.to - options.range.from + 1;
    const staticSize = size <= band.min ? 0 : Math.min(Math.max(band.min, Math.floor(size / band.step)), band.max);
    this.#pool = new NumberPool({ size, staticSize, random: options.random });
    this.#following = options.reader.follow(Service, (service, old) => {
      for (const port of old ? portsOf(old) : []) this.#pool.removed(this.#index(port));
      for (const port of service ? portsOf(service) : []) this.#pool.stored(this.#index(port));
    });
  }

  handles(kind: { readonly group: string; readonly resource: string }): boolean {
    return kind.resource === Service.resource && kind.group === '';
  }

  allocate(request: AdmissionRequest): KubeObject {
    const service = request.object as Service;
    const needsPorts = hasNodePorts(service.spec);
    if (request.subresource || !needsPorts) return service;
    const reserved = new Set<number>();
    const own = new Set(request.oldObject ? portsOf(request.oldObject as Service) : []);
    try {
      const ports = this.#withNodePorts(service, { own, reserved, shares: !request.oldObject });
      const healthCheckNodePort = hasHealthCheckPort(service.spec) ? this.#healthCheckPort(service, own, reserved) : undefined;
      if (request.dryRun) this.#unreserve(service, reserved);
      if (reserved.size === 0 && ports.every((port, i) => port === service.spec.ports?.[i])) return service;
      return { ...service, spec: { ...service.spec, ports, ...(healthCheckNodePort && { healthCheckNodePort }) } } as Service;
    } catch (error) {
      this.#unreserve(service, reserved);
      throw error;
    }
  }

  release(object: KubeObject): void {
    this.#unreserve(object, portsOf(object as Service));
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]();
  }

  /** On create, ports of one number share a node port; on update each gets its own. */
  #withNodePorts(service: Service, held: { own: ReadonlySet<number>; reserved: Set<number>; shares: boolean }): readonly ServicePort[] {
    const { own, reserved, shares } = held;
    const ports = service.spec.ports ?? [];
    const allocates = service.spec.type === 'NodePort' || service.spec.allocateLoadBalancerNodePorts !== false;
    const byPort = new Map<number, number>();
    for (const [i, { port, nodePort }] of ports.entries()) {
      if (!nodePort) continue;
      if (!own.has(nodePort) && !reserved.has(nodePort)) this.#claim(service, { nodePort, path: `spec.ports[${i}].nodePort` }, reserved);
      if (shares && !byPort.has(port)) byPort.set(port, nodePort);
    }
    return ports.map((each) => {
      if (each.nodePort || !allocates) return each;
      const nodePort = byPort.get(each.port) ?? this.#pick(service, reserved);
      if (shares) byPort.set(each.port, nodePort);
      return { ...each, nodePort };
    });
  }

  #healthCheckPort(service: Service, own: ReadonlySet<number>, reserved: Set<number>): number {
    const asked = service.spec.healthCheckNodePort;
    if (!asked) return this.#pick(service, reserved);
    if (own.has(asked)) return asked;
    const problem = this.#problem(asked);
    if (problem) throw errors.internal(`failed to allocate requested HealthCheck NodePort ${asked}: ${problem}`);
    this.#reserve(service, asked, reserved);
    return asked;
  }

  #claim(service: Service, { nodePort, path }: { nodePort: number; path: string }, reserved: Set<number>): void {
    const problem = this.#problem(nodePort);
    if (problem) throw errors.invalid(Service, service.metadata.name, [fieldErrors.invalid(path, nodePort, problem)]);
    this.#reserve(service, nodePort, reserved);
  }

  #problem(port: number): string | undefined {
    const { from, to } = this.#range;
    if (port < from || port > to) return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
    return this.#pool.isTaken(this.#index(port)) ? 'provided port is already allocated' : undefined;
  }

  #pick(service: Service, reserved: Set<number>): number {
    const index = this.#pool.pick();
    if (index === undefined) throw errors.internal('failed to allocate a nodePort: range is full');
    const port = this.#range.from + index;
    this.#reserve(service, port, reserved);
    return port;
  }

  #reserve(service: Service, port: number, reserved: Set<number>): void {
    this.#pool.reserve(this.#index(port), ownerOf(service));
    reserved.add(port);
  }

  #unreserve(service: KubeObject, ports: Iterable<number>): void {
    for (const port of ports) this.#pool.unreserve(this.#index(port), ownerOf(service));
  }

  #index(port: number): number {
    return port - this.#range.from;
  }
}

/** Each once: two protocols may share one. */
function portsOf({ spec }: Service): number[] {
  const ports = (spec.ports ?? []).map((port) => port.nodePort);
  return [...new Set([...ports, hasHealthCheckPort(spec) ? spec.healthCheckNodePort : undefined])].filter((port) => !!port) as number[];
}
