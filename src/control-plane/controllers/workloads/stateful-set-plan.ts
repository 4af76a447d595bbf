/**
 * The next step of a StatefulSet. Pure. Ordered sets take one step at a time: up from the lowest ordinal, each only when
 * those below are available; down and through an update from the highest. Parallel ones do not wait, except in updates.
 * Upstream: pkg/controller/statefulset/stateful_set_control.go.
 */
import type { StatefulSetStatus } from '../../../api/generated/apps-v1.ts';
import type { Pod, StatefulSet } from '../../../api/generated/kinds.ts';
import { isPodAvailable, isPodReady, isPodTerminal } from '../../../api/predicates/pod-state.ts';
import { revisionHashLabel } from './revision-history.ts';
import { ordinalOf, startOf } from './stateful-identity.ts';

export interface StatefulView {
  readonly set: StatefulSet;
  /** those that the set controls */
  readonly pods: readonly Pod[];
  /** names of the revisions that is rolled out from, and to */
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly nowMs: number;
}

export interface StatefulPlan {
  readonly create: readonly { readonly ordinal: number; readonly revision: 'current' | 'update' }[];
  readonly remove: readonly Pod[];
  readonly status: StatefulSetStatus;
}

const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
const revisionNameOf = ({ metadata }: Pod): string | undefined => metadata.labels?.[revisionHashLabel];

export const isCondemned = (set: StatefulSet, ordinal: number): boolean =>
  ordinal < startOf(set) || ordinal >= startOf(set) + (set.spec.replicas ?? 1);

export function planStatefulSet(view: StatefulView): StatefulPlan {
  const { create, remove, updating } = view.set.metadata.deletionTimestamp ? noSteps : new Steps(view).plan();
  return { create, remove, status: nextStatus(view, updating) };
}

const noSteps = { create: [], remove: [], updating: 0 };

class Steps {
  readonly #view: StatefulView;
  readonly #isOrdered: boolean;
  readonly #create: StatefulPlan['create'][number][] = [];
  readonly #remove: Pod[] = [];
  /** by index, from the first ordinal on */
  readonly #slots: readonly (Pod | undefined)[];
  /** highest ordinal first */
  readonly #condemned: readonly Pod[];

  constructor(view: StatefulView) {
    this.#view = view;
    const { set, pods } = view;
    this.#isOrdered = set.spec.podManagementPolicy !== 'Parallel';
    const ordinal = (pod: Pod): number => ordinalOf(pod, set.metadata.name) ?? -1;
    const byOrdinal = new Map(pods.map((pod) => [ordinal(pod), pod]));
    this.#slots = Array.from({ length: set.spec.replicas ?? 1 }, (_, i) => byOrdinal.get(startOf(set) + i));
    this.#condemned = pods.filter((pod) => isCondemned(set, ordinal(pod))).sort((a, b) => ordinal(b) - ordinal(a));
  }

  /** `updating`: pods of the current revision that this step takes away. */
  plan(): { create: StatefulPlan['create']; remove: readonly Pod[]; updating: number } {
    const before = (): number => this.#remove.length;
    let updating = 0;
    if (this.#fill() && this.#shrink() && this.#view.set.spec.updateStrategy?.type !== 'OnDelete') {
      const kept = before();
      this.#update();
      updating = before() - kept;
    }
    return { create: this.#create, remove: this.#remove, updating };
  }

  #isUnavailable(pod: Pod | undefined): boolean {
    return !pod || isTerminating(pod) || !isPodAvailable(pod, this.#view.set.spec.minReadySeconds ?? 0, this.#view.nowMs);
  }

  /** Whether the step after it may be taken: always in parallel. */
  #fill(): boolean {
    for (const [i, pod] of this.#slots.entries()) {
      if (!pod) this.#create.push({ ordinal: startOf(this.#view.set) + i, revision: this.#revisionFor(i) });
      else if (isPodTerminal(pod)) {
        if (!isTerminating(pod)) this.#remove.push(pod);
      } else if (!this.#isUnavailable(pod)) continue;
      if (this.#isOrdered) return false;
    }
    return true;
  }

  /** Until an update is through, ordinals below the partition, and those not yet reached, come back as they were. */
  #revisionFor(index: number): 'current' | 'update' {
    const { updateStrategy } = this.#view.set.spec;
    if (updateStrategy?.type === 'OnDelete') return 'update';
    const { rollingUpdate } = updateStrategy ?? {};
    const bound = rollingUpdate ? (rollingUpdate.partition ?? 0) : (this.#view.set.status?.currentReplicas ?? 0);
    return index < bound ? 'current' : 'update';
  }

  #shrink(): boolean {
    if (!this.#isOrdered) {
      this.#remove.push(...this.#condemned.filter((pod) => !isTerminating(pod)));
      return true;
    }
    const firstUnavailable = [...this.#slots, ...this.#condemned.toReversed()].find((pod) => this.#isUnavailable(pod));
    const [next] = this.#condemned;
    if (!next) return true;
    if (!isTerminating(next) && (!this.#isUnavailable(next) || next === firstUnavailable)) this.#remove.push(next);
    return false;
  }

  #update(): void {
    const partition = this.#view.set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
    for (let i = this.#slots.length - 1; i >= partition; i--) {
      const pod = this.#slots[i];
      if (pod && revisionNameOf(pod) !== this.#view.updateRevision && !isTerminating(pod)) {
        this.#remove.push(pod);
        return;
      }
      if (this.#isUnavailable(pod)) return;
    }
  }
}

function nextStatus({ set, pods, currentRevision, updateRevision, nowMs }: StatefulView, updating: number): StatefulSetStatus {
  const { minReadySeconds = 0, replicas: wanted = 1, updateStrategy } = set.spec;
  const count = (test: (pod: Pod) => boolean): number => pods.filter(test).length;
  const isReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod);
  const replicas = pods.length;
  const readyReplicas = count(isReady);
  const availableReplicas = count((pod) => isReady(pod) && isPodAvailable(pod, minReadySeconds, nowMs));
  const updatedReplicas = count((pod) => !isTerminating(pod) && revisionNameOf(pod) === updateRevision);
  const remaining = count((pod) => !isTerminating(pod) && revisionNameOf(pod) === currentRevision) - updating;
  const isThrough = updateStrategy?.type !== 'OnDelete' && [updatedReplicas, readyReplicas, replicas].every((each) => each === wanted);
  const currentReplicas = isThrough ? updatedReplicas : remaining;
  return {
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    replicas,
    // Counts of 0 are left out, as the API has it.
    ...(readyReplicas && { readyReplicas }),
    ...(currentReplicas && { currentReplicas }),
    ...(updatedReplicas && { updatedReplicas }),
    currentRevision: isThrough ? updateRevision : currentRevision,
    updateRevision,
    collisionCount: set.status?.collisionCount ?? 0,
    availableReplicas,
    ...(set.status?.conditions && { conditions: set.status.conditions }),
  };
}
