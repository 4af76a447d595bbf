/**
 * Pod. A pod's spec is fixed when it is created, but for images, deadlines, added tolerations and removed gates
 * (pod-update.ts). Deletion is graceful for a pod that is on a node and not finished.
 * Upstream: pkg/registry/core/pod/strategy.go.
 */
import type { Affinity, PodAffinityTerm, PodCondition, PodStatus, TopologySpreadConstraint } from '../../generated/core-v1.ts';
import { Pod } from '../../generated/kinds.ts';
import type { LabelSelector } from '../../generated/meta-v1.ts';
import type { WriteContext } from '../../meta/kind.ts';
import { checkDns1123Label } from '../../meta/names.ts';
import { formatTime } from '../../meta/time.ts';
import { own } from '../../meta/words.ts';
import { isPodTerminal } from '../../predicates/pod-state.ts';
import { defineKind, placed } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change, mapSame } from '../set-defaults.ts';
import { podCells } from './pod-cells.ts';
import { defaultSpecOfPod } from './pod-spec/pod-defaults.ts';
import { podWarnings } from './pod-spec/pod-warnings.ts';
import { newPod } from './pod-spec/validate-pod.ts';
import { podStatus } from './pod-status.ts';
import { podUpdate } from './pod-update.ts';
import { ephemeralContainersView, resizeView } from './pod-views.ts';
import { computeQOS } from './qos.ts';

export const pod = defineKind(Pod, {
  hasGeneration: true,
  resetFields: { status: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'] },
  returnsDeletedObject: true,
  indexedField: 'spec.nodeName',
  selectablePaths: {
    ...placed,
    'spec.nodeName': '',
    'spec.restartPolicy': '',
    'spec.schedulerName': '',
    'spec.serviceAccountName': '',
    'spec.hostNetwork': 'false',
    'status.phase': '',
    'status.podIP': '',
    'status.nominatedNodeName': '',
  },
  selectableFields: {
    'spec.host': (p) => p.spec.nodeName ?? '',
    // Selectable by name, but upstream never says what it is.
    'status.podIPs': () => '',
  },
  hooks: {
    default: (p) => change(change(p, 'spec', defaultSpecOfPod), 'status', withBothIPFields),
    prepareForCreate,
    prepareForStatusUpdate,
    rules: (p, walk, old) => (old ? podUpdate(p, walk, old) : newPod(p, walk, undefined)),
    statusRules: podStatus,
    // updates of pods are many, and hardly written by people
    warnings: (p, old) => (old ? [] : warningsOf(p)),
    cells: podCells,
    gracePeriodSeconds,
    views: { ephemeralcontainers: ephemeralContainersView, resize: resizeView },
  },
});

/** `podIP` and the first of `podIPs` say the same; where they differ, the older field wins. */
function withBothIPFields(status: PodStatus): PodStatus {
  const first = status.podIPs?.[0]?.ip;
  if (status.podIP === first) return status;
  return status.podIP ? { ...status, podIPs: [{ ip: status.podIP }] } : { ...status, podIP: first ?? '' };
}

function prepareForCreate(p: Pod, by?: WriteContext): Pod {
  const gated: PodCondition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
    ...(by && { lastTransitionTime: formatTime(by.nowMs) }),
  };
  const spec = withLabelKeys(p);
  return {
    ...p,
    spec,
    status: { phase: 'Pending', qosClass: computeQOS(spec), ...(p.spec.schedulingGates?.length && { conditions: [gated] }) },
  };
}

/** The pod's own values of `matchLabelKeys` and `mismatchLabelKeys` become expressions of the selectors beside them. */
function withLabelKeys(p: Pod): Pod['spec'] {
  let { spec } = p;
  const labels = p.metadata.labels ?? {};
  if (spec.affinity) spec = change(spec, 'affinity', (affinity) => affinityWithKeys(affinity, labels));
  if (spec.topologySpreadConstraints) {
    spec = change(spec, 'topologySpreadConstraints', (list) => mapSame(list, (constraint) => selectorWithKeys(constraint, labels)));
  }
  return spec;
}

type Labels = Readonly<Record<string, string>>;

function affinityWithKeys(affinity: Affinity, labels: Labels): Affinity {
  let result = affinity;
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    result = change(result, field, (rules) =>
      change(
        change(rules, 'requiredDuringSchedulingIgnoredDuringExecution', (terms) =>
          mapSame(terms, (term) => selectorWithKeys(term, labels)),
        ),
        'preferredDuringSchedulingIgnoredDuringExecution',
        (terms) => mapSame(terms, (term) => change(term, 'podAffinityTerm', (inner) => selectorWithKeys(inner, labels))),
      ),
    );
  }
  return result;
}

function selectorWithKeys<T extends PodAffinityTerm | TopologySpreadConstraint>(term: T, labels: Labels): T {
  const mismatch = 'mismatchLabelKeys' in term ? term.mismatchLabelKeys : undefined;
  const { labelSelector, matchLabelKeys } = term;
  if (!labelSelector || !(matchLabelKeys?.length || mismatch?.length)) return term;
  const expressions = [...expressionsOf(listOf(matchLabelKeys), 'In', labels), ...expressionsOf(listOf(mismatch), 'NotIn', labels)];
  if (!expressions.length) return term;
  return { ...term, labelSelector: { ...labelSelector, matchExpressions: [...listOf(labelSelector.matchExpressions), ...expressions] } };
}

function expressionsOf(keys: readonly string[], operator: string, labels: Labels): NonNullable<LabelSelector['matchExpressions']> {
  return keys.filter((key) => Object.hasOwn(labels, key)).map((key) => ({ key, operator, values: [own(labels, key) ?? ''] }));
}

/** Owners and the class of service stay; observed generations that a client left out are kept. */
function prepareForStatusUpdate(p: Pod, old: Pod): Pod {
  /** by type, the first of them last */
  const kept = new Map<string, number[]>();
  for (const { type, observedGeneration } of listOf(old.status.conditions).toReversed()) {
    const generations = kept.get(type);
    if (generations) generations.push(observedGeneration ?? 0);
    else kept.set(type, [observedGeneration ?? 0]);
  }
  const status = change(p.status, 'conditions', (conditions) =>
    mapSame(conditions, (condition) => {
      const generation = kept.get(condition.type)?.pop();
      return condition.observedGeneration || !generation ? condition : { ...condition, observedGeneration: generation };
    }),
  );
  const qosClass = status.qosClass || old.status.qosClass;
  const observedGeneration = status.observedGeneration || old.status.observedGeneration;
  const { ownerReferences: _, ...rest } = p.metadata;
  const owners = old.metadata.ownerReferences;
  return {
    ...p,
    metadata: { ...rest, ...(owners && { ownerReferences: owners }) },
    status: { ...status, ...(qosClass && { qosClass }), ...(observedGeneration && { observedGeneration }) },
  };
}

function gracePeriodSeconds(p: Pod, requested: number | undefined): number | undefined {
  const seconds = requested ?? p.spec.terminationGracePeriodSeconds ?? 0;
  const atOnce = !p.spec.nodeName || isPodTerminal(p);
  return atOnce || seconds === 0 ? 0 : Math.max(seconds, 1);
}

function warningsOf(p: Pod): readonly string[] {
  const messages = checkDns1123Label(p.metadata.name ?? '');
  const advice = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
  return [
    ...(messages.length ? [`metadata.name: ${advice}: [${messages.join(' ')}]`] : []),
    ...podWarnings(p.spec, p.metadata.annotations),
  ];
}
