/**
 * Hands out the addresses of Services: each is an IPAddress object in the commit of its Service, named like the address,
 * so no two Services have one. An asked address is given when it is free and in a range.
 * Upstream: pkg/registry/core/service/storage/alloc.go, pkg/registry/core/service/ipallocator/ipallocator.go.
 */

import { IPAddress, Service, ServiceCIDR } from '../../../api/generated/kinds.ts';
import type { IPFamily } from '../../../api/meta/addresses.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { isKind } from '../../../api/meta/object.ts';
import { errors, fieldErrors } from '../../../api/meta/status-error.ts';
import { ipAddressOf, isManaged } from '../../../api/predicates/service-ranges.ts';
import { clusterIPsOf, isHeadless } from '../../../api/predicates/services.ts';
import type { Random } from '../../../client/clock.ts';
import type { Op } from '../../store/storage.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { type Allocation, type AllocationRequest, type Allocator, changeOf } from '../write/allocator.ts';
import type { ObjectOps } from '../write/object-ops.ts';
import { type AddressRange, parseRange } from './address-range.ts';
import { pickNumber } from './pick-number.ts';

export interface ClusterIPOptions {
  readonly reader: ObjectReader;
  readonly ops: ObjectOps;
  readonly random: Random;
  readonly cidrs: readonly string[];
}

export class ClusterIPs implements Allocator, Disposable {
  readonly #options: ClusterIPOptions;
  /** How many Services have an address, should somebody have deleted its IPAddress: two, in a store of an older version. */
  readonly #held = new Map<string, number>();
  readonly #following: Disposable;
  #ranges: readonly AddressRange[] = [];
  #rangesRevision = -1;

  constructor(options: ClusterIPOptions) {
    this.#options = options;
    this.#following = options.reader.follow(Service, (service, old) => {
      for (const address of old ? clusterIPsOf(old) : []) this.#count(address, -1);
      for (const address of service ? clusterIPsOf(service) : []) this.#count(address, 1);
    });
  }

  /** The families that the cluster has, the default first. */
  families(): readonly IPFamily[] {
    return [...new Set(this.#current().map(({ family }) => family))];
  }

  handles(kind: { readonly group: string; readonly resource: string }): boolean {
    return isKind(kind, Service);
  }

  allocate(change: AllocationRequest): Allocation | undefined {
    if (change.object && change.subresource === 'status') return undefined;
    const given = change.object as Service | undefined;
    const before = change.oldObject ? clusterIPsOf(change.oldObject as Service) : [];
    const object = given && this.#complete(given, before, change.lost);
    const ops = [...this.#change({ ...change, object })];
    return object === given && ops.length === 0 ? undefined : { object, ops };
  }

  *#change(change: AllocationRequest): Iterable<Op> {
    const { reader, ops } = this.#options;
    const { dropped, taken } = changeOf(change, (service) => clusterIPsOf(service as Service));
    for (const name of dropped) {
      const { namespace, name: of, resource } = reader.get(IPAddress, { name })?.spec?.parentRef ?? {};
      const isOurs = namespace === change.namespace && of === change.name && resource === Service.resource;
      const op = isOurs ? ops.remove(IPAddress, { name }) : undefined;
      if (op) yield op;
    }
    for (const address of taken) yield ops.create(IPAddress, ipAddressOf(address, change.object as Service));
  }

  *repair(): Iterable<Op> {
    const { reader, ops } = this.#options;
    const held = new Set<string>();
    for (const service of reader.list(Service)) {
      for (const address of clusterIPsOf(service)) {
        if (!held.has(address) && !reader.get(IPAddress, { name: address })) yield ops.create(IPAddress, ipAddressOf(address, service));
        held.add(address);
      }
    }
    for (const address of reader.list(IPAddress)) {
      const { metadata } = address;
      const op = !held.has(metadata.name) && isManaged(address) ? ops.remove(IPAddress, metadata) : undefined;
      if (op) yield op;
    }
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]();
  }

  #count(address: string, more: number): void {
    const count = (this.#held.get(address) ?? 0) + more;
    if (count > 0) this.#held.set(address, count);
    else this.#held.delete(address);
  }

  /** With an address of each of its families; the same when it has them, or none are for it. */
  #complete(service: Service, before: readonly string[], lost: readonly string[]): Service {
    const { spec } = service;
    if (spec.type === 'ExternalName' || isHeadless(spec)) return service;
    const families = (spec.ipFamilies ?? []).filter((family) => family !== '');
    const given = spec.clusterIPs ?? [];
    if (given.length >= families.length && given.every((address) => before.includes(address))) return service;
    const clusterIPs = families.map((family, i) => {
      const asked = given[i];
      if (asked && before.includes(asked)) return asked;
      return asked ? this.#claim(service, asked, lost) : this.#pick(service, family, lost);
    });
    return { ...service, spec: { ...spec, clusterIP: clusterIPs[0] ?? '', clusterIPs } } as Service;
  }

  #claim(service: Service, address: string, lost: readonly string[]): string {
    const inRange = this.#current().some((range) => range.indexOf(address) !== undefined);
    const taken = inRange && this.#isTaken(address, lost);
    if (inRange && !taken) return address;
    const why = taken ? 'provided IP is already allocated' : 'the provided network does not match the current range';
    throw errors.invalid(Service, service.metadata.name, [
      fieldErrors.invalid('spec.clusterIPs', service.spec.clusterIPs, `failed to allocate IP ${address}: ${why}`),
    ]);
  }

  #pick(service: Service, family: IPFamily, lost: readonly string[]): string {
    for (const range of this.#current()) {
      if (range.family !== family) continue;
      const index = pickNumber(range, this.#options.random, (number) => this.#isTaken(range.addressAt(number), lost));
      if (index !== undefined) return range.addressAt(index);
    }
    throw errors.internal(`failed to allocate a serviceIP for Service ${JSON.stringify(service.metadata.name)}: range is full`);
  }

  #isTaken(address: string, lost: readonly string[]): boolean {
    if (this.#held.has(address) || this.#options.reader.get(IPAddress, { name: address })) return true;
    return lost.some((key) => key.endsWith(`/${address}`));
  }

  /** The configured ranges, and those of ServiceCIDR objects that are ready, or of which nobody has said anything yet. */
  #current(): readonly AddressRange[] {
    const { reader, cidrs: configured } = this.#options;
    const revision = reader.revision(ServiceCIDR);
    if (revision === this.#rangesRevision) return this.#ranges;
    this.#rangesRevision = revision;
    const stored = [...reader.list(ServiceCIDR)].filter(
      ({ metadata, status }) => !metadata.deletionTimestamp && (findCondition(status?.conditions, 'Ready')?.status ?? 'True') === 'True',
    );
    const known = new Map(this.#ranges.map((range) => [range.cidr, range]));
    const cidrs = new Set([...configured, ...stored.flatMap(({ spec }) => spec?.cidrs ?? [])]);
    this.#ranges = [...cidrs].map((cidr) => known.get(cidr) ?? parseRange(cidr));
    return this.#ranges;
  }
}
