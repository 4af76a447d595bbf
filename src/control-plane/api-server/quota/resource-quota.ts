/**
 * ResourceQuota: a namespace uses no more than its quotas allow. What a write adds is put into the quota's status in the
 * same commit, which expects the quota as it was checked; so two writes never share the last bit, whichever server they
 * come through. What writes add that are queued and not shown yet is counted on top, and the next one expects the last of
 * them: so the writes of a namespace share disk writes like all others. What is given back, quota-status.ts takes off.
 * What it does not do: count an object that another server stores before that server has seen the quota at all.
 * Upstream: apiserver/pkg/admission/plugin/resourcequota, pkg/quota/v1.
 */

import { Pod, ResourceQuota } from '../../../api/generated/kinds.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import { isKind, type KubeObject } from '../../../api/meta/object.ts';
import { addQuantities, compareQuantities, subtractQuantities } from '../../../api/meta/quantity.ts';
import type { StatusError } from '../../../api/meta/status-error.ts';
import { own, put } from '../../../api/meta/words.ts';
import type { ResourceList } from '../../../api/predicates/pod-resources.ts';
import type { Op, Revision } from '../../store/storage.ts';
import { refused } from '../admission/forbidden.ts';
import type { Allocation, AllocationRequest, Allocator } from '../write/allocator.ts';
import type { ObjectOps } from '../write/object-ops.ts';
import type { Account, QuotaLedger } from './ledger.ts';
import { computeUsage, isInScope, isTerminatingPod, quotaUsageOf } from './usage.ts';

/** If a quota names one of these, every container has to say it. It was a mistake once; no name is added. */
const mustBeSaid = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

export class ResourceQuotas implements Allocator {
  readonly #ledger: QuotaLedger;
  readonly #ops: ObjectOps;
  /** writes under way, in their order, by the quota's uid; only while there are any */
  readonly #underWay = new Map<string, readonly Charge[]>();

  constructor(ledger: QuotaLedger, ops: ObjectOps) {
    this.#ledger = ledger;
    this.#ops = ops;
  }

  handles(kind: Kind): boolean {
    return kind.namespaced && kind.resource !== 'events';
  }

  /** All writes that a namespace's quotas may count change those quotas. */
  turn(change: AllocationRequest): string | undefined {
    return isCounted(change) && this.#ledger.has(change.namespace ?? '') ? `quotas of ${change.namespace}` : undefined;
  }

  allocate(change: AllocationRequest): Allocation | undefined {
    const { object, namespace = '' } = change;
    if (!object || !this.#ledger.has(namespace) || !isCounted(change)) return undefined;
    const ops: Op[] = [];
    const deltas = new Map<string, ResourceList>();
    for (const counted of this.#ledger.of(namespace)) {
      const { uid = '', resourceVersion } = counted.quota.metadata;
      const charges = (this.#underWay.get(uid) ?? []).filter(({ revision }) => revision > Number(resourceVersion));
      const account = { ...counted, used: charges.reduce((used, { delta }) => sum(used, delta), counted.used) };
      const delta = this.#check(change, object, account);
      if (!delta) continue;
      ops.push(this.#ops.replace(ResourceQuota, charged(account, delta), charges.at(-1)?.revision));
      deltas.set(uid, delta);
    }
    if (ops.length === 0) return undefined;
    return { ops, queued: (revision) => this.#charge(revision, deltas) };
  }

  /** Until it is shown, or has failed. */
  #charge(revision: Revision, deltas: ReadonlyMap<string, ResourceList>): Disposable {
    for (const [uid, delta] of deltas) this.#underWay.set(uid, [...(this.#underWay.get(uid) ?? []), { revision, delta }]);
    return {
      [Symbol.dispose]: () => {
        for (const [uid, delta] of deltas) {
          const left = (this.#underWay.get(uid) ?? []).filter((charge) => charge.delta !== delta);
          if (left.length > 0) this.#underWay.set(uid, left);
          else this.#underWay.delete(uid);
        }
      },
    };
  }

  /** What the write adds to the quota; undefined when it is none of the quota's business. */
  #check(change: AllocationRequest, object: KubeObject, account: Account): ResourceList | undefined {
    const { kind, oldObject: old } = change;
    const { spec, metadata } = account.quota;
    const hard = spec?.hard ?? {};
    if (!spec || !isInScope(spec, kind, object)) return undefined;
    const usage = quotaUsageOf(kind, object);
    const names = Object.keys(hard);
    if (isKind(kind, Pod)) {
      const problem = unsaidProblem(object as Pod, names);
      if (problem) throw refusedByQuota(change, `failed quota: ${metadata.name}: ${problem}`);
    }
    const before = old && isInScope(spec, kind, old) ? quotaUsageOf(kind, old) : {};
    const delta: Record<string, string> = {};
    for (const name of names) {
      const more = subtractQuantities(own(usage, name) ?? '0', own(before, name) ?? '0');
      if (compareQuantities(more, '0') > 0) put(delta, name, more);
    }
    if (Object.keys(delta).length === 0) return undefined;
    refuseExceeding(change, account, delta);
    return delta;
  }
}

/** What a write that is not shown yet adds to a quota. */
interface Charge {
  readonly revision: Revision;
  readonly delta: ResourceList;
}

/** The quota with what the write adds, on top of what is used now. */
function charged({ quota, used }: Account, delta: ResourceList): ResourceQuota {
  return { ...quota, status: { hard: quota.spec?.hard ?? {}, used: sum(used, delta) } };
}

function sum(used: ResourceList, delta: ResourceList): ResourceList {
  const all: Record<string, string> = { ...used };
  for (const [name, more] of Object.entries(delta)) put(all, name, addQuantities(own(all, name) ?? '0', more));
  return all;
}

function refuseExceeding(change: AllocationRequest, { quota, used }: Account, delta: ResourceList): void {
  const hard = quota.spec?.hard ?? {};
  const exceeded = Object.keys(delta)
    .filter((name) => compareQuantities(addQuantities(own(used, name) ?? '0', own(delta, name) ?? '0'), own(hard, name) ?? '0') > 0)
    .sort();
  if (exceeded.length === 0) return;
  const list = (values: ResourceList): string => exceeded.map((name) => `${name}=${own(values, name) ?? '0'}`).join(',');
  throw refusedByQuota(
    change,
    `exceeded quota: ${quota.metadata.name}, requested: ${list(delta)}, used: ${list(used)}, limited: ${list(hard)}`,
  );
}

function refusedByQuota(change: AllocationRequest, why: string): StatusError {
  const error = refused(change, why);
  error.refusedBy = 'ResourceQuota';
  return error;
}

/** Which writes can use more. */
function isCounted({ kind, subresource, object, oldObject }: AllocationRequest): boolean {
  if (!object) return false;
  if (!oldObject) return !subresource;
  if (kind.group !== '') return false;
  if (kind.resource === 'services') return !subresource;
  if (kind.resource === 'persistentvolumeclaims') return !subresource || subresource === 'status';
  if (kind.resource !== Pod.resource) return false;
  return subresource === 'resize' || (!subresource && isTerminatingPod(object as Pod) !== isTerminatingPod(oldObject as Pod));
}

function unsaidProblem({ spec }: Pod, names: readonly string[]): string | undefined {
  if (Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits }).length > 0) return undefined;
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const problems = mustBeSaid
    .filter((name) => names.includes(name))
    .sort()
    .flatMap((name) => {
      const silent = containers.filter(
        ({ resources }) => own(computeUsage(resources?.requests ?? {}, resources?.limits ?? {}), name) === undefined,
      );
      return silent.length > 0 ? [`${name} for: ${[...new Set(silent.map((each) => each.name))].sort().join(',')}`] : [];
    });
  return problems.length > 0 ? `must specify ${problems.join('; ')}` : undefined;
}
