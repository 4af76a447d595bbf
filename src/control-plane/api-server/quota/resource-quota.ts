/**
 * ResourceQuota: a namespace uses no more than its quotas allow. Checked as the last step before an object is stored,
 * against what is stored and what other writes of the moment will use; so two requests never share the last bit.
 * Upstream: apiserver/pkg/admission/plugin/resourcequota, pkg/quota/v1.
 */

import { Pod } from '../../../api/generated/kinds.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { addQuantities, compareQuantities, subtractQuantities } from '../../../api/meta/quantity.ts';
import type { StatusError } from '../../../api/meta/status-error.ts';
import { own, put } from '../../../api/meta/words.ts';
import type { ResourceList } from '../../../api/predicates/pod-resources.ts';
import { refused } from '../admission/forbidden.ts';
import type { Allocator } from '../endpoint.ts';
import type { AdmissionRequest } from '../request.ts';
import { type Account, objectKey, type QuotaLedger } from './ledger.ts';
import { computeUsage, isInScope, isTerminatingPod, usageOf } from './usage.ts';

/** If a quota names one of these, every container has to say it. It was a mistake once; no name is added. */
const mustBeSaid = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

export class ResourceQuotas implements Allocator {
  readonly #ledger: QuotaLedger;

  constructor(ledger: QuotaLedger) {
    this.#ledger = ledger;
  }

  handles(kind: Kind): boolean {
    return kind.namespaced && kind.resource !== 'events';
  }

  allocate(request: AdmissionRequest): KubeObject {
    const { object, namespace } = request;
    if (!object) throw new Error('a quota is asked about nothing');
    if (!isCounted(request)) return object;
    const key = objectKey(object);
    const taken: Account[] = [];
    try {
      for (const account of this.#ledger.of(namespace ?? '')) {
        const delta = this.#check(request, object, account);
        if (!delta || request.dryRun) continue;
        this.#ledger.reserve(account, key, delta);
        taken.push(account);
      }
      return object;
    } catch (error) {
      if (taken.length > 0) this.#ledger.unreserve(object);
      throw error;
    }
  }

  release(object: KubeObject): void {
    this.#ledger.unreserve(object);
  }

  /** What the write adds to the quota; undefined when it is none of the quota's business. */
  #check(request: AdmissionRequest, object: KubeObject, account: Account): ResourceList | undefined {
    const { kind, oldObject: old } = request;
    const { spec, metadata } = account.quota;
    const hard = spec?.hard ?? {};
    if (!spec || !isInScope(spec, kind, object)) return undefined;
    const usage = usageOf(kind, object);
    const names = Object.keys(hard);
    if (kind.group === '' && kind.resource === Pod.resource) {
      const problem = unsaidProblem(object as Pod, names);
      if (problem) throw refusedByQuota(request, `failed quota: ${metadata.name}: ${problem}`);
    }
    const before = old && isInScope(spec, kind, old) ? usageOf(kind, old) : {};
    const delta: Record<string, string> = {};
    for (const name of names) {
      const more = subtractQuantities(own(usage, name) ?? '0', own(before, name) ?? '0');
      if (compareQuantities(more, '0') > 0) put(delta, name, more);
    }
    if (Object.keys(delta).length === 0) return undefined;
    this.#refuseExceeding(request, account, delta);
    return delta;
  }

  #refuseExceeding(request: AdmissionRequest, account: Account, delta: ResourceList): void {
    const { quota } = account;
    const hard = quota.spec?.hard ?? {};
    const used = Object.fromEntries(Object.keys(delta).map((name) => [name, usedOf(account, name)]));
    const exceeded = Object.keys(delta)
      .filter((name) => compareQuantities(addQuantities(own(used, name) ?? '0', own(delta, name) ?? '0'), own(hard, name) ?? '0') > 0)
      .sort();
    if (exceeded.length === 0) return;
    const list = (values: ResourceList): string => exceeded.map((name) => `${name}=${own(values, name) ?? '0'}`).join(',');
    throw refusedByQuota(
      request,
      `exceeded quota: ${quota.metadata.name}, requested: ${list(delta)}, used: ${list(used)}, limited: ${list(hard)}`,
    );
  }
}

function refusedByQuota(request: AdmissionRequest, why: string): StatusError {
  const error = refused(request, why);
  error.refusedBy = 'ResourceQuota';
  return error;
}

function usedOf({ used, pending }: Account, name: string): string {
  let sum = own(used, name) ?? '0';
  for (const each of pending.values()) sum = addQuantities(sum, own(each, name) ?? '0');
  return sum;
}

/** Which writes can change usage. */
function isCounted({ operation, kind, subresource, object, oldObject }: AdmissionRequest): boolean {
  if (operation === 'CREATE') return !subresource;
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
