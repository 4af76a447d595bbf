/**
 * Keeps Services and IPAddress objects of one mind, while the cluster runs: a Service's address has its IPAddress, with
 * the allocator's labels and a reference to that Service, and an IPAddress of the allocator that no Service holds goes.
 * The server's own writes never part the two; this mends what people, backups and other servers on the store did.
 *
 * Guarantees: nothing is told or done before the server itself has been asked (the caches of kinds don't move together).
 * An address that two Services have stays with the one that the IPAddress names, else the older; the other is told.
 * What it does not do: touch an IPAddress of another manager that no Service holds.
 * Upstream: pkg/registry/core/service/ipallocator/controller/repairip.go, which runs in the API server.
 */
import { IPAddress, Service, ServiceCIDR } from '../../../api/generated/kinds.ts';
import { familyOf } from '../../../api/meta/addresses.ts';
import { type KindRef, type KubeObject, keyOf, type ObjectName } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { gives, ipAddressOf, isLabelled, isManaged } from '../../../api/predicates/service-ranges.ts';
import { clusterIPsOf } from '../../../api/predicates/services.ts';
import type { Client } from '../../../client/client.ts';
import { type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';

/** How long an API server may take over a Service whose IPAddress it has made already: its time limit for requests. */
const requestMs = 60_000;
/** How long it may take to take an IPAddress back whose Service was there already. */
const takeBackMs = 5000;

export interface AddressView {
  readonly address: string;
  readonly record: IPAddress | undefined;
  /** the Service that the record names, if there is one */
  readonly named: Service | undefined;
  readonly holders: readonly Service[];
  /** some ServiceCIDR gives it out */
  readonly inRange: boolean;
  readonly nowMs: number;
}

export type RepairStep =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'tell'; readonly about: KubeObject; readonly reason: string; readonly message: string }
  | { readonly do: 'create'; readonly address: string; readonly service: Service }
  | { readonly do: 'remove'; readonly record: IPAddress };

/** Keys are addresses. */
export const ipAddressRepair = defineController({
  name: 'ipallocator-repair-controller',
  watches: [
    watched(Service, (service, old) => [...clusterIPsOf(service), ...(old ? clusterIPsOf(old) : [])]),
    watched(IPAddress),
    watched(ServiceCIDR, (_cidr, old, { client }) => (old ? [] : client.informer(Service).list().flatMap(clusterIPsOf))),
  ],
  async reconcile(address, io) {
    const cached = viewCached(address, io);
    if (planRepair(cached).length === 0) return;
    return perform(planRepair(await viewAsked(cached, io)), io);
  },
});

function viewCached(address: string, { client, clock }: ControllerIO): AddressView {
  const record = client.informer(IPAddress).get(address);
  const services = client.informer(Service);
  const parent = record && parentOf(record);
  return {
    address,
    record,
    named: parent && services.get(keyOf({ metadata: parent })),
    holders: services.index('cluster-ip', clusterIPsOf)(address),
    inRange: isIn(client.informer(ServiceCIDR).list(), address),
    nowMs: clock.now(),
  };
}

/** The same as the server has it now. Holders that the cache does not know yet will come, with keys of their own. */
async function viewAsked(cached: AddressView, { client }: ControllerIO): Promise<AddressView> {
  const { address } = cached;
  const record = await ask(client, IPAddress, { name: address });
  const parent = record && parentOf(record);
  const named = parent && (await ask(client, Service, parent));
  const known = await Promise.all(
    cached.holders
      .filter((service) => !named || keyOf(service) !== keyOf(named))
      .map(({ metadata: { namespace, name } }) => ask(client, Service, { namespace, name })),
  );
  const holders = [named, ...known].filter((service) => service !== undefined && clusterIPsOf(service).includes(address)) as Service[];
  const inRange = cached.inRange || isIn((await client.list(ServiceCIDR)).items, address);
  return { ...cached, record, named, holders, inRange };
}

const isIn = (cidrs: readonly ServiceCIDR[], address: string): boolean => cidrs.some((cidr) => gives(cidr, address));

async function ask<T extends KubeObject>(client: Client, kind: KindRef<T>, at: ObjectName): Promise<T | undefined> {
  try {
    return await client.get(kind, at);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Where the Service is that the record names; undefined: it names something else. */
function parentOf({ spec }: IPAddress): ObjectName | undefined {
  const { group = '', resource, namespace, name = '' } = spec.parentRef ?? {};
  return group === '' && resource === Service.resource ? { name, ...(namespace && { namespace }) } : undefined;
}

/** Pure. In the order in which it is to be done; empty: all is well. */
export function planRepair(view: AddressView): readonly RepairStep[] {
  const { record, holders, inRange } = view;
  if (holders.length === 0) return record && isManaged(record) ? planLeaked(view, record) : [];
  if (!inRange) return holders.map((service) => tellOutOfRange(view, service));
  const owner = ownerOf(view);
  const others = holders.filter((service) => service !== owner);
  return [...(owner ? planHeld(view, owner) : []), ...others.map((service) => tellTaken(view, service))];
}

/** The Service that the record names, if it holds the address; else the oldest that does. */
function ownerOf({ holders, named }: AddressView): Service | undefined {
  const byAge = holders.toSorted((a, b) => createdMs(a) - createdMs(b) || (keyOf(a) < keyOf(b) ? -1 : 1));
  return byAge.find((service) => named && keyOf(service) === keyOf(named)) ?? byAge[0];
}

function planHeld({ address, record, named }: AddressView, owner: Service): readonly RepairStep[] {
  const create: RepairStep = { do: 'create', address, service: owner };
  const family = familyOf(address);
  if (!record) {
    return [notAllocated(owner, `Cluster IP [${family}]: ${address} is not allocated; repairing`), create];
  }
  const again: readonly RepairStep[] = [{ do: 'remove', record }, create];
  if (named && keyOf(named) === keyOf(owner)) return isLabelled(record) ? [] : again;
  if (named) return [wrongReference(record, named), ...again];
  return [
    notAllocated(owner, `the ClusterIP [${family}]: ${address} for Service ${keyOf(owner)} has a wrong reference; repairing`),
    ...again,
  ];
}

/** A record of the allocator's that no Service holds. */
function planLeaked({ named, nowMs }: AddressView, record: IPAddress): readonly RepairStep[] {
  const remove: RepairStep = { do: 'remove', record };
  const { name } = record.metadata;
  const parent = parentOf(record);
  if (!parent) {
    const found = describeParent(record);
    return [leaked(record, `IPAddress ${name} appears to have been modified, not referencing a Service ${found}: cleaning up`), remove];
  }
  const ageMs = nowMs - createdMs(record);
  // One that gets addresses again when it stops being an ExternalName.
  const mayCome = !named || named.spec.type === 'ExternalName';
  const graceMs = mayCome ? requestMs : takeBackMs;
  if (ageMs < graceMs && (mayCome || createdMs(record) > createdMs(named))) return [{ do: 'wait', ms: graceMs - ageMs }];
  if (named) return [wrongReference(record, named), remove];
  const message = `IPAddress: ${name} for Service ${parent.namespace ?? ''}/${parent.name} appears to have leaked: cleaning up`;
  return [leaked(record, message), remove];
}

const notAllocated = (about: Service, message: string): RepairStep => ({ do: 'tell', about, reason: 'ClusterIPNotAllocated', message });
const leaked = (about: IPAddress, message: string): RepairStep => ({ do: 'tell', about, reason: 'IPAddressNotAllocated', message });

const wrongReference = (about: IPAddress, named: Service): RepairStep => ({
  do: 'tell',
  about,
  reason: 'IPAddressWrongReference',
  message: `IPAddress: ${about.metadata.name} for Service ${keyOf(named)} has a wrong reference; cleaning up`,
});

const tellOutOfRange = ({ address }: AddressView, about: Service): RepairStep => ({
  do: 'tell',
  about,
  reason: 'ClusterIPOutOfRange',
  message: `Cluster IP [${familyOf(address)}]: ${address} is not within any configured Service CIDR; please recreate service`,
});

const tellTaken = ({ address }: AddressView, about: Service): RepairStep => ({
  do: 'tell',
  about,
  reason: 'ClusterIPAlreadyAllocated',
  message: `Cluster IP [${familyOf(address)}]:${address} was assigned to multiple services; please recreate service`,
});

const createdMs = ({ metadata }: KubeObject): number => Date.parse(metadata.creationTimestamp ?? '');

/** As Go prints it, since messages are matched on. */
function describeParent({ spec: { parentRef } }: IPAddress): string {
  if (!parentRef) return 'nil';
  const { group = '', resource = '', namespace = '', name = '' } = parentRef;
  return `&ParentReference{Group:${group},Resource:${resource},Namespace:${namespace},Name:${name},}`;
}

async function perform(steps: readonly RepairStep[], { client, events }: ControllerIO): Promise<Outcome> {
  let waitMs = 0;
  for (const step of steps) {
    if (step.do === 'wait') waitMs = step.ms;
    else if (step.do === 'tell') events.event(step.about, 'Warning', step.reason, step.message);
    else if (step.do === 'create') await client.create(IPAddress, ipAddressOf(step.address, step.service));
    else await remove(step.record, client);
  }
  if (waitMs > 0) return { requeueAfterMs: waitMs };
}

/** As it was seen. */
async function remove({ metadata: { name, uid, resourceVersion } }: IPAddress, client: Client): Promise<void> {
  try {
    await client.delete(IPAddress, { name }, { preconditions: { uid, resourceVersion } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
