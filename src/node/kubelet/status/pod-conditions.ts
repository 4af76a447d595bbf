/**
 * The conditions of a pod that the kubelet owns. Pure; lastTransitionTime is set when they are merged with the old ones
 * (`keepTransitionTimes`).
 * Upstream: pkg/kubelet/status/generate.go.
 */
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '../../../api/generated/core-v1.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { isTerminalPhase } from '../../../api/predicates/pod-state.ts';
import type { PodPhase } from './pod-phase.ts';

/** Conditions that others may not have: the kubelet replaces them all. */
const ownedTypes = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);
export const isOwnedByKubelet = (type: string): boolean => ownedTypes.has(type);

export interface ConditionsInput {
  readonly pod: Pod;
  readonly old: PodStatus;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  readonly phase: PodPhase;
  /** There is a sandbox, with its network. */
  readonly hasSandbox: boolean;
  /** all containers are about to start over */
  readonly restartingAll: boolean;
  readonly resize: readonly PodCondition[];
}

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>;
const yes: Verdict = { status: 'True' };
const no = (reason: string, message = ''): Verdict => ({ status: 'False', reason, ...(message && { message }) });

/** In upstream's order: first those of others, then the kubelet's own. */
export function podConditions(input: ConditionsInput): readonly PodCondition[] {
  const { pod, old } = input;
  const others = (pod.status.conditions ?? []).filter((c) => !isOwnedByKubelet(c.type));
  const disruption = old.conditions?.find((c) => c.type === 'DisruptionTarget');
  const kept = disruption ? [...others.filter((c) => c.type !== 'DisruptionTarget'), disruption] : others;
  const containersReady = judgeContainersReady(input);
  const own: [string, Verdict][] = [
    ['PodReadyToStartContainers', input.hasSandbox ? yes : { status: 'False' }],
    ['Initialized', judgeInitialized(input)],
    ['Ready', containersReady.status === 'True' ? judgeGates(pod, kept) : containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', yes],
  ];
  if (couldRestartAll(pod)) own.push(['AllContainersRestarting', judgeRestartingAll(input)]);
  const generation = pod.metadata.generation;
  return [
    ...kept,
    ...input.resize,
    ...own.map(([type, verdict]) => ({ type, ...(generation !== undefined && { observedGeneration: generation }), ...verdict })),
  ];
}

/** Keeps lastTransitionTime where the status stayed, as the API wants it; `now` where it changed. */
export function keepTransitionTimes(conditions: readonly PodCondition[], old: PodStatus, now: string): readonly PodCondition[] {
  return conditions.map((condition) => {
    if (!isOwnedByKubelet(condition.type) && condition.type !== 'DisruptionTarget') return condition;
    const before = old.conditions?.find((c) => c.type === condition.type);
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: since ?? now };
  });
}

const list = (names: readonly string[]): string => `[${names.join(' ')}]`;

export function terminalVerdict(phase: PodPhase): Verdict {
  return no(phase === 'Failed' ? 'PodFailed' : 'PodCompleted');
}

function judgeContainersReady({ pod, initStatuses, statuses, phase }: ConditionsInput): Verdict {
  const all = [...initStatuses, ...statuses];
  if (all.length === 0) return no('UnknownContainerStatuses');
  const watched = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const unknown = watched.filter((c) => !all.some((s) => s.name === c.name)).map((c) => c.name);
  const unready = watched.filter((c) => all.some((s) => s.name === c.name && !s.ready)).map((c) => c.name);
  if (phase === 'Failed' || (phase === 'Succeeded' && unknown.length === 0)) return terminalVerdict(phase);
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${list(unready)}`] : []),
  ];
  return messages.length > 0 ? no('ContainersNotReady', messages.join(', ')) : yes;
}

function judgeGates(pod: Pod, conditions: readonly PodCondition[]): Verdict {
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = conditions.find((c) => c.type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status !== 'True') return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
    return [];
  });
  return messages.length > 0 ? no('ReadinessGatesNotReady', messages.join(', ')) : yes;
}

const initDone = (container: Container, status: ContainerStatus): boolean =>
  isSidecar(container) ? status.started === true : status.ready;

function judgeInitialized({ pod, old, initStatuses, statuses, phase }: ConditionsInput): Verdict {
  const inits = pod.spec.initContainers ?? [];
  if (inits.length > 0 && initStatuses.length + statuses.length === 0) return no('UnknownContainerStatuses');
  const statusOf = new Map(initStatuses.map((s) => [s.name, s]));
  const unknown = inits.filter((c) => !statusOf.has(c.name)).map((c) => c.name);
  const incomplete = inits.filter((c) => {
    const status = statusOf.get(c.name);
    return status !== undefined && !initDone(c, status);
  });
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  if (statuses.some((s) => s.state?.running || s.state?.terminated)) return yes;
  if (unknown.length === 0 && incomplete.length === 0) return yes;
  if (old.conditions?.some((c) => c.type === 'Initialized' && c.status === 'True')) return yes;
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(incomplete.length > 0 ? [`containers with incomplete status: ${list(incomplete.map((c) => c.name))}`] : []),
  ];
  return no('ContainersNotInitialized', messages.join(', '));
}

const couldRestartAll = (pod: Pod): boolean =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some((c) =>
    c.restartPolicyRules?.some((rule) => rule.action === 'RestartAllContainers'),
  );

function judgeRestartingAll({ phase, restartingAll }: ConditionsInput): Verdict {
  if (isTerminalPhase(phase)) return terminalVerdict(phase);
  if (!restartingAll) return { status: 'False' };
  return { status: 'True', reason: 'RestartAllContainersStarted', message: 'container exited with restart policy rule' };
}
