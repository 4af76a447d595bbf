/**
 * Evictions: a delete that asks the pod's disruption budget first. What the budget does not allow now is answered with
 * 429 and the cause DisruptionBudget; the client comes again.
 * Upstream: pkg/registry/core/pod/storage/eviction.go.
 */
import type { Pod } from '../../../api/generated/core-v1.ts';
import { PodDisruptionBudget, Pod as PodKind } from '../../../api/generated/kinds.ts';
import type { DeleteOptions } from '../../../api/generated/meta-v1.ts';
import type { Eviction } from '../../../api/generated/policy-v1.ts';
import { withCondition } from '../../../api/meta/conditions.ts';
import type { KubeObject, ObjectName } from '../../../api/meta/object.ts';
import { labelMatcher, SelectorError } from '../../../api/meta/selectors.ts';
import { errors, isConflict, StatusError } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { isPodReady, isPodTerminal } from '../../../api/predicates/pod-state.ts';
import type { ServedKind } from '../cache/served-kinds.ts';
import type { CreateCall, CreateEndpoint } from '../request/api-request.ts';
import { changeObject } from '../write/commit-write.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { remove } from './delete.ts';

const retryAfterSeconds = 10;
/** Evictions of one budget that its controller has not confirmed yet. */
const disruptedPodsMax = 2000;
const tooManyMessage = "Cannot evict pod as it would violate the pod's disruption budget.";

export function evictionEndpoint(server: VerbContext): CreateEndpoint {
  return {
    group: '',
    resource: 'pods',
    subresource: 'eviction',
    async handle(call) {
      const eviction = call.body as unknown as Eviction;
      if (eviction.metadata?.name !== call.at.name) throw errors.badRequest('name in URL does not match name in Eviction object');
      await evict(server, call, eviction.deleteOptions ?? {});
      return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as KubeObject;
    },
  };
}

async function evict(server: VerbContext, call: CreateCall, options: DeleteOptions): Promise<void> {
  const pods = server.kinds.of(server.kinds.kind(PodKind));
  const { at, request } = call;
  const dryRun = request.dryRun || (options.dryRun?.length ?? 0) > 0;
  const pod = findPod(pods, at);
  const budget = ignoresBudget(pod) ? undefined : budgetOf(server, pod);
  let pinned = options;
  if (budget && isSafelyUnready(pod, budget)) pinned = pinnedTo(pod, options);
  else if (budget) await decrement(server, budget, call, dryRun);
  try {
    await deletePod(server, { call, pods, options: pinned, dryRun });
  } catch (error) {
    if (isConflict(error) && pinned !== options && budget) throw tooManyRequests(budget);
    throw error;
  }
}

function findPod(pods: ServedKind, at: ObjectName): Pod {
  const stored = pods.find(at.namespace, at.name);
  if (!stored) throw errors.notFound(pods.kind, at.name);
  return stored.object as Pod;
}

/** It disrupts nothing any more, or not yet. */
function ignoresBudget(pod: Pod): boolean {
  return isPodTerminal(pod) || pod.status?.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;
}

function budgetOf(server: VerbContext, pod: Pod): PodDisruptionBudget | undefined {
  const kind = server.kinds.kind(PodDisruptionBudget);
  const found = [...server.kinds.of(kind).cache.values(pod.metadata.namespace)]
    .map((stored) => stored.object as PodDisruptionBudget)
    .filter((budget) => selects(budget, pod));
  if (found.length <= 1) return found[0];
  const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
  throw new StatusError({ code: 500, reason: '', message });
}

function selects(budget: PodDisruptionBudget, pod: Pod): boolean {
  try {
    return labelMatcher(budget.spec?.selector).matches(pod.metadata.labels);
  } catch (error) {
    // A selector that is none selects nothing.
    if (error instanceof SelectorError) return false;
    throw error;
  }
}

/** A pod that is not ready may go while the budget is met without it. */
function isSafelyUnready(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isPodReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const desired = status?.desiredHealthy ?? 0;
  return desired > 0 && (status?.currentHealthy ?? 0) >= desired;
}

const pinnedTo = (pod: Pod, options: DeleteOptions): DeleteOptions => {
  const { resourceVersion } = pod.metadata;
  return { ...options, preconditions: { ...(resourceVersion && { resourceVersion }), ...options.preconditions } };
};

/** Takes one disruption from the budget; throws TooManyRequests when there is none. */
async function decrement(
  server: VerbContext,
  { metadata }: PodDisruptionBudget,
  { at, request }: CreateCall,
  dryRun: boolean,
): Promise<void> {
  await changeObject<PodDisruptionBudget>(server, {
    request,
    served: server.kinds.of(server.kinds.kind(PodDisruptionBudget)),
    namespace: metadata.namespace,
    name: metadata.name ?? '',
    subresource: 'status',
    dryRun,
    change(budget) {
      checkAllowed(budget);
      const { status } = budget;
      const disruptionsAllowed = (status?.disruptionsAllowed ?? 0) - 1;
      const disruptedPods = { ...status?.disruptedPods, [at.name]: formatTime(server.clock.now()) };
      return withAllowedCondition(
        { ...budget, status: { ...status, disruptionsAllowed, disruptedPods } } as PodDisruptionBudget,
        server.clock.now(),
      );
    },
  });
}

function checkAllowed(budget: PodDisruptionBudget): void {
  const { metadata, status } = budget;
  const allowed = status?.disruptionsAllowed ?? 0;
  const named = { group: 'policy', resource: 'poddisruptionbudget' };
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw tooManyRequests(budget);
  if (allowed < 0) throw errors.forbidden(named, metadata.name ?? '', 'pdb disruptions allowed is negative');
  if (Object.keys(status?.disruptedPods ?? {}).length > disruptedPodsMax) {
    const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
    throw errors.forbidden(named, metadata.name ?? '', why);
  }
  if (allowed > 0) return;
  throw errors.tooManyRequests(tooManyMessage, 0, [{ reason: 'DisruptionBudget', message: describeBudget(budget) }]);
}

function describeBudget({ metadata, status }: PodDisruptionBudget): string {
  const { name } = metadata;
  const condition = status?.conditions?.find((c) => c.type === 'DisruptionAllowed');
  const denied = condition?.status === 'False' && condition.message ? condition : undefined;
  if (denied?.reason === 'SyncFailed')
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${denied.message}`;
  const current = status?.currentHealthy ?? 0;
  const desired = status?.desiredHealthy ?? 0;
  if (current <= desired) return `The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`;
  if (denied) return `The disruption budget ${name} does not allow evicting pods currently (${denied.reason}): ${denied.message}`;
  return `The disruption budget ${name} does not allow evicting pods currently`;
}

function tooManyRequests({ metadata }: PodDisruptionBudget): StatusError {
  const message = `The disruption budget ${metadata.name} is still being processed by the server.`;
  return errors.tooManyRequests(tooManyMessage, retryAfterSeconds, [{ reason: 'DisruptionBudget', message }]);
}

/** The last disruption is gone: the condition says so until the budget's controller looks again. */
function withAllowedCondition(budget: PodDisruptionBudget, nowMs: number): PodDisruptionBudget {
  if (budget.status?.disruptionsAllowed !== 0) return budget;
  const conditions = budget.status.conditions ?? [];
  const old = conditions.find((c) => c.type === 'DisruptionAllowed');
  const observedGeneration = budget.status.observedGeneration;
  const made = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'InsufficientPods',
    message: '',
    lastTransitionTime: (old?.status === 'False' && old.lastTransitionTime) || formatTime(nowMs),
    ...(observedGeneration !== undefined && { observedGeneration }),
  };
  return { ...budget, status: { ...budget.status, conditions: [...conditions.filter((c) => c !== old), made] } };
}

async function deletePod(
  server: VerbContext,
  given: { readonly call: CreateCall; readonly pods: ServedKind; readonly options: DeleteOptions; readonly dryRun: boolean },
): Promise<void> {
  const { pods, dryRun } = given;
  const { at, request } = given.call;
  let options: DeleteOptions = dryRun ? { ...given.options, dryRun: ['All'] } : given.options;
  if (!dryRun) {
    const marked = await changeObject<Pod>(server, {
      request,
      served: pods,
      namespace: at.namespace,
      name: at.name,
      dryRun,
      change(pod) {
        checkPinned(pod, options);
        const conditions = withCondition(pod.status?.conditions, {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
          lastTransitionTime: formatTime(server.clock.now()),
        });
        return { ...pod, status: { ...pod.status, conditions } };
      },
    });
    // The condition is ours: the pod that the client meant has moved on by that.
    if (options.preconditions?.resourceVersion)
      options = { ...options, preconditions: { ...options.preconditions, resourceVersion: String(marked.revision) } };
  }
  if (!(await remove(server, request, { served: pods, name: at.name, options }))) throw errors.notFound(pods.kind, at.name);
}

function checkPinned(pod: Pod, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const named = { group: '', resource: 'Pod' };
  const { name = '' } = pod.metadata;
  if (uid && uid !== pod.metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${pod.metadata.uid ?? ''}). The object might have been deleted and then recreated`;
    throw errors.conflict(named, name, why);
  }
  if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${pod.metadata.resourceVersion ?? ''}). The object might have been modified`;
    throw errors.conflict(named, name, why);
  }
}
