/**
 * One round of a Deployment: which ReplicaSet to make, how each is to be sized, which old ones to forget. Pure.
 *
 * A round never takes more than maxUnavailable from the replicas asked for, nor adds more than maxSurge: it goes by
 * what ReplicaSets report as available, and by what it has itself asked of them. Growth and shrinking alternate in
 * rounds, each called for by the change that the one before made. When only the number of replicas changed in the
 * middle of a rollout, all active ReplicaSets grow or shrink in proportion.
 * Upstream: pkg/controller/deployment/{sync,rolling,recreate}.go.
 */
import type { Deployment, ReplicaSet } from '../../../api/generated/kinds.ts';
import { scaleIntOrPercent } from '../../../api/meta/intstr.ts';
import type { New } from '../../../api/meta/object.ts';
import { byCreation } from '../../../api/meta/order.ts';
import { own } from '../../../api/meta/words.ts';
import {
  type Annotations,
  byRevisionNumber,
  desiredReplicasOf,
  findNewest,
  makeReplicaSet,
  maxReplicasOf,
  newestAnnotations,
  nextRevision,
  revisionAnnotation,
  withReplicas,
} from './deployment-revision.ts';
import { isComplete } from './deployment-status.ts';

/** A ReplicaSet as the round leaves it. */
export interface PlannedSet {
  /** absent: to be made */
  readonly set?: ReplicaSet;
  replicas: number;
  annotations: Annotations;
}

export interface RolloutPlan {
  readonly create: New<ReplicaSet> | undefined;
  /** existing ones that change; `replicas` may be as before when only annotations do */
  readonly changes: readonly (PlannedSet & { readonly set: ReplicaSet })[];
  readonly deletions: readonly ReplicaSet[];
  /** all, as they are after the round */
  readonly sets: readonly PlannedSet[];
  readonly newest: PlannedSet | undefined;
  /** the Deployment's revision annotation */
  readonly revision: string | undefined;
  /** a rollout (and not a mere scaling) is going on: its progress is reported */
  readonly isRollout: boolean;
}

const intMax = 2 ** 31 - 1;

/** `oldPodsRunning`: whether pods of earlier revisions are still there (Recreate waits for their end). */
export function planRollout(deployment: Deployment, sets: readonly ReplicaSet[], oldPodsRunning: boolean): RolloutPlan {
  const round = new Round(deployment, sets);
  const isScaling = round.wasSizedForOther;
  const { paused, strategy } = deployment.spec;
  const isRollout = !deployment.metadata.deletionTimestamp && !paused && !isScaling;
  if (!deployment.metadata.deletionTimestamp) {
    if (!isRollout) {
      round.scale();
      if (paused) round.forgetOld();
    } else if (strategy?.type === 'Recreate') round.recreate(oldPodsRunning);
    else round.roll();
  }
  return round.plan(isRollout);
}

/** How many replicas more, and how many fewer, than asked for there may be. Both 0 would be a standstill. */
export function rolloutLimitsOf(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const { strategy, replicas = 1 } = deployment.spec;
  if (strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 };
  const surge = scaleIntOrPercent(strategy?.rollingUpdate?.maxSurge ?? 0, replicas, 'up');
  const unavailable = scaleIntOrPercent(strategy?.rollingUpdate?.maxUnavailable ?? 0, replicas, 'down');
  return { surge, unavailable: Math.min(surge === 0 && unavailable === 0 ? 1 : unavailable, replicas) };
}

const isActive = (planned: PlannedSet): boolean => planned.replicas > 0;
const availableOf = (planned: PlannedSet): number => planned.set?.status?.availableReplicas ?? 0;
const total = (sets: readonly PlannedSet[]): number => sets.reduce((sum, { replicas }) => sum + replicas, 0);
const byAge = (a: PlannedSet, b: PlannedSet): number => (a.set ? (b.set ? byCreation(a.set, b.set) : -1) : b.set ? 1 : 0);

class Round {
  readonly #deployment: Deployment;
  readonly #wanted: number;
  readonly #surge: number;
  readonly #unavailable: number;
  readonly #old: readonly PlannedSet[];
  readonly #revision: bigint;
  #newest: PlannedSet | undefined;
  #deletions: readonly ReplicaSet[] = [];

  constructor(deployment: Deployment, sets: readonly ReplicaSet[]) {
    this.#deployment = deployment;
    this.#wanted = deployment.spec.replicas ?? 1;
    const { surge, unavailable } = rolloutLimitsOf(deployment);
    this.#surge = surge;
    this.#unavailable = unavailable;
    const newest = findNewest(deployment, sets);
    const old = sets.filter((set) => set !== newest);
    this.#old = old.map(planned).sort(byAge);
    this.#revision = nextRevision(old);
    if (newest) {
      this.#newest = planned(newest);
      this.#newest.annotations = newestAnnotations(deployment, newest.metadata.annotations, this.#revision);
    }
  }

  get #all(): readonly PlannedSet[] {
    return this.#newest ? [...this.#old, this.#newest] : this.#old;
  }

  /** An active set was last sized for another number of replicas: the Deployment was scaled. */
  get wasSizedForOther(): boolean {
    return this.#all.some((each) => {
      const desired = desiredReplicasOf(each.annotations);
      return isActive(each) && desired !== undefined && desired !== this.#wanted;
    });
  }

  plan(isRollout: boolean): RolloutPlan {
    const newest = this.#newest;
    const create = newest && !newest.set ? makeReplicaSet(this.#deployment, newest.replicas, newest.annotations) : undefined;
    const changes = this.#all.filter(
      (each): each is PlannedSet & { set: ReplicaSet } => each.set !== undefined && this.#changes(each, each.set),
    );
    const revision = newest?.annotations[revisionAnnotation];
    return { create, changes, deletions: this.#deletions, sets: this.#all, newest, revision, isRollout };
  }

  #changes(each: PlannedSet, set: ReplicaSet): boolean {
    if (each.replicas !== (set.spec.replicas ?? 1)) return true;
    if (each === this.#newest && (set.spec.minReadySeconds ?? 0) !== (this.#deployment.spec.minReadySeconds ?? 0)) return true;
    const before = set.metadata.annotations ?? {};
    return Object.entries(each.annotations).some(([name, value]) => own(before, name) !== value);
  }

  roll(): void {
    const newest = this.#ensureNewest();
    if (newest.replicas !== this.#wanted) {
      const before = newest.replicas;
      this.#size(newest, newest.replicas > this.#wanted ? this.#wanted : this.#grown(newest));
      if (newest.replicas !== before) return;
    }
    if (this.#shrinkOld(newest)) return;
    if (isComplete(this.#deployment, this.#deployment.status)) this.forgetOld();
  }

  recreate(oldPodsRunning: boolean): void {
    const active = this.#old.filter(isActive);
    for (const each of active) this.#size(each, 0);
    if (active.length > 0) return;
    const oldReplicas = this.#old.reduce((sum, { set }) => sum + (set?.status?.replicas ?? 0), 0);
    if (oldReplicas > 0 || oldPodsRunning) return;
    this.#size(this.#ensureNewest(), this.#wanted);
    if (isComplete(this.#deployment, this.#deployment.status)) this.forgetOld();
  }

  /** Sizes what is there for another number of replicas, without going on with a rollout. */
  scale(): void {
    const active = this.#all.filter(isActive);
    const only = active.length > 1 ? undefined : (active[0] ?? this.#newest ?? this.#old.at(-1));
    if (only) {
      this.#size(only, this.#wanted);
      return;
    }
    if (this.#newest && this.#isSaturated(this.#newest)) {
      for (const each of this.#old.filter(isActive)) this.#size(each, 0);
    } else if (this.#deployment.spec.strategy?.type !== 'Recreate') this.#scaleInProportion(active);
  }

  /** Old sets beyond the history limit go, the lowest revisions first; never one that still has pods. */
  forgetOld(): void {
    const limit = this.#deployment.spec.revisionHistoryLimit;
    if (limit === undefined || limit === intMax) return;
    const candidates = this.#old.flatMap(({ set }) => (set && !set.metadata.deletionTimestamp ? [set] : []));
    const oldest = candidates.sort(byRevisionNumber).slice(0, Math.max(0, candidates.length - limit));
    this.#deletions = oldest.filter(
      ({ metadata, spec, status }) =>
        !status?.replicas && spec.replicas === 0 && (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0),
    );
  }

  #ensureNewest(): PlannedSet {
    if (!this.#newest) {
      const annotations = newestAnnotations(this.#deployment, undefined, this.#revision);
      this.#newest = { replicas: 0, annotations };
      this.#size(this.#newest, this.#deployment.spec.strategy?.type === 'Recreate' ? this.#wanted : this.#grown(this.#newest), true);
    }
    return this.#newest;
  }

  /** How large the newest may be without exceeding the surge. */
  #grown(newest: PlannedSet): number {
    const room = this.#wanted + this.#surge - total(this.#all);
    return newest.replicas + Math.max(0, Math.min(room, this.#wanted - newest.replicas));
  }

  #size(each: PlannedSet, replicas: number, evenIfSame = false): void {
    if (each.replicas === replicas && !evenIfSame) return;
    each.replicas = replicas;
    each.annotations = withReplicas(each.annotations, this.#wanted, this.#wanted + this.#surge);
  }

  /** Takes from the old sets what minimum availability allows: first what is not available anyway. */
  #shrinkOld(newest: PlannedSet): boolean {
    const active = this.#old.filter(isActive);
    const minAvailable = this.#wanted - this.#unavailable;
    let room = total(this.#all) - minAvailable - (newest.replicas - availableOf(newest));
    if (active.length === 0 || room <= 0) return false;
    let taken = 0;
    const take = (each: PlannedSet, count: number): void => {
      if (count <= 0) return;
      this.#size(each, each.replicas - count);
      room -= count;
      taken += count;
    };
    for (const each of active) take(each, Math.min(room, each.replicas - availableOf(each)));
    const spare = active.reduce((sum, each) => sum + availableOf(each), availableOf(newest)) - minAvailable;
    let left = spare;
    for (const each of active) {
      const count = Math.max(0, Math.min(each.replicas, left));
      take(each, count);
      left -= count;
    }
    return taken > 0;
  }

  #isSaturated({ replicas, annotations, set }: PlannedSet): boolean {
    return replicas === this.#wanted && desiredReplicasOf(annotations) === this.#wanted && set?.status?.availableReplicas === this.#wanted;
  }

  #scaleInProportion(active: readonly PlannedSet[]): void {
    const allowed = this.#wanted > 0 ? this.#wanted + this.#surge : 0;
    const toAdd = allowed - total(active);
    // The largest first; among equals the newest grow and the oldest shrink first.
    const sorted = active.toSorted((a, b) => b.replicas - a.replicas || (toAdd > 0 ? byAge(b, a) : byAge(a, b)));
    let added = 0;
    const sizes = sorted.map((each) => {
      const fraction = this.#fractionOf(each);
      const share = toAdd > 0 ? Math.min(fraction, toAdd - added) : toAdd < 0 ? Math.max(fraction, toAdd - added) : 0;
      added += share;
      return each.replicas + share;
    });
    sorted.forEach((each, i) => {
      const leftover = i === 0 ? toAdd - added : 0;
      this.#size(each, Math.max(0, (sizes[i] ?? 0) + leftover), true);
    });
  }

  /** By how much a set should change so that its share of the whole stays. */
  #fractionOf({ replicas, annotations }: PlannedSet): number {
    if (this.#wanted === 0) return -replicas;
    const before = maxReplicasOf(annotations) || (this.#deployment.status?.replicas ?? 0);
    if (before === 0) return 0;
    return Math.round((replicas * (this.#wanted + this.#surge)) / before) - replicas;
  }
}

const planned = (set: ReplicaSet): PlannedSet => ({ set, replicas: set.spec.replicas ?? 1, annotations: set.metadata.annotations ?? {} });
