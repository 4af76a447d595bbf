/**
 * ServiceCIDRs: each is ready as soon as it is known, and one that is deleted stays until no Service has an address of
 * it that no other ServiceCIDR gives out as well.
 *
 * Guarantees: the finalizer goes only after the server itself has been asked (the caches may lag), and not before the
 * allocators have had time to learn that the CIDR is to go. What blocks it is told in the condition Ready.
 * Upstream: pkg/controller/servicecidrs/servicecidrs_controller.go.
 */
import { IPAddress, ServiceCIDR } from '../../../api/generated/kinds.ts';
import type { Condition } from '../../../api/generated/meta-v1.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { gives, isManaged, overlap } from '../../../api/predicates/service-ranges.ts';
import { type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';

const finalizer = 'networking.k8s.io/service-cidr-finalizer';
/** From the deletion until the finalizer goes, at least: no allocator takes from the CIDR any more. */
const deletionGraceMs = 10_000;

type Ready = Pick<Condition, 'status' | 'reason' | 'message'>;
const ready: Ready = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' };
const terminating: Ready = {
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

export const serviceCIDRController = defineController({
  name: 'service-cidr-controller',
  serviceAccount: 'service-cidrs-controller',
  watches: [
    watched(ServiceCIDR, (cidr, _old, { client }) => [keyOf(cidr), ...leavingKeys(client, (other) => overlaps(other, cidr))]),
    watched(IPAddress, (address, _old, { client }) =>
      isManaged(address) ? leavingKeys(client, (cidr) => gives(cidr, address.metadata.name)) : [],
    ),
  ],
  async reconcile(key, io) {
    const cidr = io.client.informer(ServiceCIDR).get(key);
    if (!cidr) return;
    if (cidr.metadata.deletionTimestamp === undefined) await keep(cidr, io);
    else return letGo(cidr, io);
  },
});

/** Those that are being deleted: only they wait for something. */
const leavingKeys = (client: ControllerIO['client'], concerned: (cidr: ServiceCIDR) => boolean): readonly ObjectKey[] =>
  client
    .informer(ServiceCIDR)
    .list()
    .filter((cidr) => cidr.metadata.deletionTimestamp !== undefined && concerned(cidr))
    .map((cidr) => keyOf(cidr));

async function keep(cidr: ServiceCIDR, io: ControllerIO): Promise<void> {
  const finalizers = cidr.metadata.finalizers ?? [];
  if (!finalizers.includes(finalizer)) await setFinalizers(cidr, [...finalizers, finalizer], io);
  try {
    await setReady(cidr, ready, io);
  } catch (error) {
    io.events.event(cidr, 'Warning', 'KubernetesServiceCIDRError', 'The ServiceCIDR Status can not be set to Ready=True');
    throw error;
  }
}

async function letGo(cidr: ServiceCIDR, io: ControllerIO): Promise<Outcome> {
  const { client, clock } = io;
  const finalizers = cidr.metadata.finalizers ?? [];
  if (!finalizers.includes(finalizer)) return;
  if (isHeld(cidr, client.informer(ServiceCIDR).list(), client.informer(IPAddress).list())) return setReady(cidr, terminating, io);
  const waitMs = Date.parse(cidr.metadata.deletionTimestamp ?? '') + deletionGraceMs - clock.now();
  if (waitMs > 0) return { requeueAfterMs: waitMs };
  const [cidrs, addresses] = [await client.list(ServiceCIDR), await client.list(IPAddress)];
  if (isHeld(cidr, cidrs.items, addresses.items)) return setReady(cidr, terminating, io);
  await setFinalizers(
    cidr,
    finalizers.filter((each) => each !== finalizer),
    io,
  );
}

/** Some address that a Service has is given out by this one alone. */
export function isHeld(cidr: ServiceCIDR, all: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const others = all.filter((other) => other.metadata.uid !== cidr.metadata.uid && overlaps(other, cidr));
  return addresses.some(
    (address) => isManaged(address) && gives(cidr, address.metadata.name) && !others.some((other) => gives(other, address.metadata.name)),
  );
}

const cidrsOf = ({ spec }: ServiceCIDR): readonly string[] => spec.cidrs ?? [];
const overlaps = (a: ServiceCIDR, b: ServiceCIDR): boolean => cidrsOf(a).some((one) => cidrsOf(b).some((other) => overlap(one, other)));

/** The resourceVersion goes along: nobody's change in between is lost. */
async function setFinalizers({ metadata }: ServiceCIDR, finalizers: readonly string[], { client }: ControllerIO): Promise<void> {
  const { name, resourceVersion } = metadata;
  const body = { metadata: { resourceVersion, finalizers: finalizers.length > 0 ? finalizers : null } };
  await client.patch(ServiceCIDR, { name }, { type: 'merge', body }).catch(ignoreNotFound);
}

async function setReady({ metadata: { name }, status }: ServiceCIDR, wanted: Ready, { client, clock }: ControllerIO): Promise<void> {
  const old = findCondition(status?.conditions, 'Ready');
  if (old && old.status === wanted.status && old.reason === wanted.reason && old.message === wanted.message) return;
  const lastTransitionTime = old?.status === wanted.status ? old.lastTransitionTime : formatTime(clock.now());
  const conditions = [{ type: 'Ready', ...wanted, lastTransitionTime }];
  await client
    .patch(ServiceCIDR, { name }, { type: 'strategic', body: { status: { conditions } } }, { subresource: 'status' })
    .catch(ignoreNotFound);
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
