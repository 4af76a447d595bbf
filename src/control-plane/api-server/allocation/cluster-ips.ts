/**
 * Hands out the addresses of Services. What is taken is read from the stored Services, and from writes on their way:
 * there is no bitmap object that could disagree with them, and a start has nothing to repair.
 *
 * Guarantees: no two stored Services have one address; a failed write gives its address back; a requested address is
 * taken when it is free and in a range.
 * What it does not do: keep IPAddress objects.
 * Upstream: pkg/registry/core/service/storage/alloc.go, pkg/registry/core/service/ipallocator.
 */
import { Service, ServiceCIDR } from '../../../api/generated/kinds.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, fieldErrors } from '../../../api/meta/status-error.ts';
import type { Random } from '../../../client/clock.ts';
import type { Allocator } from '../endpoint.ts';
import type { ObjectReader } from '../reader.ts';
import type { AdmissionRequest } from '../request.ts';
import { type AddressRange, type IPFamily, parseRange } from './address-range.ts';
import { NumberPool, ownerOf } from './number-pool.ts';
import { isHeadless } from './service-fields.ts';

interface RangePool {
  readonly range: AddressRange;
  readonly pool: NumberPool;
}

export class ClusterIPs implements Allocator, Disposable {
  readonly #reader: ObjectReader;
  readonly #random: Random;
  readonly #configured: readonly string[];
  readonly #following: Disposable;
  #pools: readonly RangePool[] = [];
  #poolsRevision = -1;

  constructor(options: { readonly reader: ObjectReader; readonly random: Random; readonly cidrs: readonly string[] }) {
    this.#reader = options.reader;
    this.#random = options.random;
    this.#configured = options.cidrs;
    this.#following = options.reader.follow(Service, (service, old) => {
      for (const address of old ? addressesOf(old) : []) this.#each(address, (pool, index) => pool.removed(index));
      for (const address of service ? addressesOf(service) : []) this.#each(address, (pool, index) => pool.stored(index));
    });
  }

  /** The families that the cluster has, the default first. */
  families(): readonly IPFamily[] {
    return [...new Set(this.#current().map(({ range }) => range.family))];
  }

  handles(kind: { readonly group: string; readonly resource: string }): boolean {
    return kind.resource === Service.resource && kind.group === '';
  }

  allocate(request: AdmissionRequest): KubeObject {
    const service = request.object as Service;
    const { spec } = service;
    if (request.subresource || spec.type === 'ExternalName' || isHeadless(spec)) return service;
    const families = (spec.ipFamilies ?? []).filter((family) => family !== '');
    const own = new Set(request.oldObject ? addressesOf(request.oldObject as Service) : []);
    const given = spec.clusterIPs ?? [];
    if (given.length >= families.length && given.every((address) => own.has(address))) return service;
    const reserved: string[] = [];
    try {
      const clusterIPs = families.map((family, i) => {
        const asked = given[i];
        if (asked && own.has(asked)) return asked;
        const address = asked ? this.#claim(service, asked) : this.#pick(service, family);
        this.#each(address, (pool, index) => pool.reserve(index, ownerOf(service)));
        reserved.push(address);
        return address;
      });
      if (request.dryRun) this.#unreserve(service, reserved);
      return { ...service, spec: { ...spec, clusterIP: clusterIPs[0] ?? '', clusterIPs } } as Service;
    } catch (error) {
      this.#unreserve(service, reserved);
      throw error;
    }
  }

  release(object: KubeObject): void {
    this.#unreserve(object, addressesOf(object as Service));
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]();
  }

  #claim(service: Service, address: string): string {
    const inRange = this.#current().filter(({ range }) => range.indexOf(address) !== undefined);
    const taken = inRange.some(({ range, pool }) => pool.isTaken(range.indexOf(address) ?? -1));
    if (inRange.length > 0 && !taken) return address;
    const why = taken ? 'provided IP is already allocated' : 'the provided network does not match the current range';
    throw errors.invalid(Service, service.metadata.name, [
      fieldErrors.invalid('spec.clusterIPs', service.spec.clusterIPs, `failed to allocate IP ${address}: ${why}`),
    ]);
  }

  #pick(service: Service, family: IPFamily): string {
    for (const { range, pool } of this.#current()) {
      const index = range.family === family ? pool.pick() : undefined;
      if (index !== undefined) return range.addressAt(index);
    }
    throw errors.internal(`failed to allocate a serviceIP for Service ${JSON.stringify(service.metadata.name)}: range is full`);
  }

  #unreserve(service: KubeObject, addresses: readonly string[]): void {
    for (const address of addresses) this.#each(address, (pool, index) => pool.unreserve(index, ownerOf(service)));
  }

  #each(address: string, act: (pool: NumberPool, index: number) => void): void {
    for (const { range, pool } of this.#current()) {
      const index = range.indexOf(address);
      if (index !== undefined) act(pool, index);
    }
  }

  /** The configured ranges, and those of ServiceCIDR objects that are ready. */
  #current(): readonly RangePool[] {
    const revision = this.#reader.revision(ServiceCIDR);
    if (revision === this.#poolsRevision) return this.#pools;
    this.#poolsRevision = revision;
    const stored = [...this.#reader.list(ServiceCIDR)].filter(
      ({ metadata, status }) => !metadata.deletionTimestamp && isConditionTrue(status?.conditions, 'Ready'),
    );
    const cidrs = new Set([...this.#configured, ...stored.flatMap(({ spec }) => spec?.cidrs ?? [])]);
    const known = new Map(this.#pools.map((each) => [each.range.cidr, each]));
    this.#pools = [...cidrs].map((cidr) => known.get(cidr) ?? this.#newPool(cidr));
    return this.#pools;
  }

  #newPool(cidr: string): RangePool {
    const range = parseRange(cidr);
    const pool = new NumberPool({ size: range.size, staticSize: range.staticSize, random: this.#random });
    // A range that comes later finds Services that have its addresses already.
    if (this.#pools.length > 0) {
      for (const service of this.#reader.list(Service)) {
        for (const address of addressesOf(service)) {
          const index = range.indexOf(address);
          if (index !== undefined) pool.stored(index);
        }
      }
    }
    return { range, pool };
  }
}

function addressesOf({ spec }: Service): readonly string[] {
  if (spec.type === 'ExternalName') return [];
  return (spec.clusterIPs ?? []).filter((address) => address && address !== 'None');
}
