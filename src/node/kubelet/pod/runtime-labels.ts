/**
 * What the kubelet writes on sandboxes and containers so that it finds them again after a restart, and reads back.
 * Upstream: pkg/kubelet/kuberuntime/labels.go.
 */
import type { Container, ContainerPort, LifecycleHandler, Pod } from '../../../api/generated/core-v1.ts';
import { own } from '../../../api/meta/words.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { podLabels, runsToCompletionAnnotation } from '../../runtime/container-runtime.ts';
import type { StringMap } from '../../runtime/cri-types.ts';
import { hashContainer } from '../container/container-identity.ts';

const keys = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  preStop: 'io.kubernetes.container.preStopHandler',
  ports: 'io.kubernetes.container.ports',
  deletionGracePeriod: 'io.kubernetes.pod.deletionGracePeriod',
  terminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const;

export const labelsOfPod = (pod: Pod): StringMap => ({
  ...pod.metadata.labels,
  [podLabels.podName]: pod.metadata.name,
  [podLabels.podNamespace]: pod.metadata.namespace,
  [podLabels.podUid]: pod.metadata.uid,
});

export const labelsOfContainer = (pod: Pod, container: Container): StringMap => ({
  [podLabels.podName]: pod.metadata.name,
  [podLabels.podNamespace]: pod.metadata.namespace,
  [podLabels.podUid]: pod.metadata.uid,
  [podLabels.containerName]: container.name,
});

export function annotationsOfContainer(pod: Pod, container: Container, restartCount: number): StringMap {
  const { deletionGracePeriodSeconds } = pod.metadata;
  const { terminationGracePeriodSeconds } = pod.spec;
  const preStop = container.lifecycle?.preStop;
  return {
    [keys.hash]: hashContainer(container),
    [keys.restartCount]: String(restartCount),
    [keys.terminationMessagePath]: container.terminationMessagePath ?? '',
    [keys.terminationMessagePolicy]: container.terminationMessagePolicy ?? '',
    ...(deletionGracePeriodSeconds !== undefined && { [keys.deletionGracePeriod]: String(deletionGracePeriodSeconds) }),
    ...(terminationGracePeriodSeconds !== undefined && { [keys.terminationGracePeriod]: String(terminationGracePeriodSeconds) }),
    ...(preStop && { [keys.preStop]: JSON.stringify(preStop) }),
    ...(container.ports?.length && { [keys.ports]: JSON.stringify(container.ports) }),
    ...(runsToCompletion(pod, container) && { [runsToCompletionAnnotation]: 'true' }),
  };
}

function runsToCompletion(pod: Pod, container: Container): boolean {
  if (pod.spec.initContainers?.includes(container)) return !isSidecar(container);
  return pod.spec.restartPolicy === 'Never' || pod.spec.restartPolicy === 'OnFailure';
}

export interface ContainerNotes {
  readonly hash: string;
  readonly restartCount: number;
  readonly terminationMessagePath: string;
  readonly terminationMessagePolicy: string;
  readonly deletionGraceSeconds?: number | undefined;
  readonly terminationGraceSeconds?: number | undefined;
  readonly preStop?: LifecycleHandler | undefined;
  readonly ports?: readonly ContainerPort[] | undefined;
}

export function readContainerNotes(annotations: StringMap): ContainerNotes {
  return {
    hash: at(annotations, keys.hash) ?? '',
    restartCount: readNumber(annotations[keys.restartCount]) ?? 0,
    terminationMessagePath: at(annotations, keys.terminationMessagePath) ?? '',
    terminationMessagePolicy: at(annotations, keys.terminationMessagePolicy) ?? '',
    deletionGraceSeconds: readNumber(annotations[keys.deletionGracePeriod]),
    terminationGraceSeconds: readNumber(annotations[keys.terminationGracePeriod]),
    preStop: readJSON<LifecycleHandler>(annotations[keys.preStop]),
    ports: readJSON<readonly ContainerPort[]>(annotations[keys.ports]),
  };
}

const at = (annotations: StringMap, key: string): string | undefined => own(annotations, key);

function readNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** A value that another kubelet wrote in another form is as if it were absent. */
function readJSON<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return parseJSON(text) as T;
  } catch {
    return undefined;
  }
}
