/**
 * Whether a container that ended is started again: rules of the container, its own policy, then the pod's. Pure.
 * Upstream: pkg/api/v1/pod/util.go (ContainerShouldRestart), pkg/kubelet/container/helpers.go.
 */
import type { Container, ContainerRestartRule, Pod, PodSpec } from '../../../api/generated/core-v1.ts';
import { findContainer, type ObservedPod } from '../pod/observed-pod.ts';

export function matchingRestartRule(container: Container, exitCode: number): ContainerRestartRule | undefined {
  return container.restartPolicyRules?.find(({ exitCodes }) => {
    if (!exitCodes) return false;
    const listed = exitCodes.values?.includes(exitCode) ?? false;
    return exitCodes.operator === 'In' ? listed : exitCodes.operator === 'NotIn' && !listed;
  });
}

export function restartsAfter(container: Container, spec: PodSpec, exitCode: number): boolean {
  if (container.restartPolicy !== undefined) {
    const action = matchingRestartRule(container, exitCode)?.action;
    if (action === 'Restart' || action === 'RestartAllContainers') return true;
    if (container.restartPolicy === 'Always') return true;
    if (container.restartPolicy === 'OnFailure') return exitCode !== 0;
    if (container.restartPolicy === 'Never') return false;
  }
  if (spec.restartPolicy === 'OnFailure') return exitCode !== 0;
  return spec.restartPolicy !== 'Never';
}

/** Not running, and not done for good. */
export function shouldBeRestarted(container: Container, pod: Pod, observed: ObservedPod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const status = findContainer(observed, container.name);
  if (!status) return true;
  if (status.state === 'running') return false;
  if (status.state !== 'exited') return true;
  return restartsAfter(container, pod.spec, status.exitCode);
}

/** A container ended in a way that asks for all containers of the pod to start over, and they have not yet. */
export function allContainersShouldRestart(pod: Pod, observed: ObservedPod): boolean {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some((container) => {
    const status = findContainer(observed, container.name);
    if (status?.state !== 'exited') return false;
    return matchingRestartRule(container, status.exitCode)?.action === 'RestartAllContainers';
  });
}
