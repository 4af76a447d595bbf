/**
 * Ends all pods of a node that shuts down, from what the runtime knows of them: side by side, each with its preStop hooks
 * and its own grace period, or `graceSecondsMax` where that is shorter. Nobody records events any more.
 * Upstream: pkg/kubelet/nodeshutdown/nodeshutdown_manager.go (processShutdownEvent); without its order by priority.
 */
import { podLabels } from '../../runtime/container-runtime.ts';
import { type KillContext, killPod, terminationGraceSeconds } from './kill-pod.ts';
import { observePod } from './observe-pod.ts';
import { restorePod } from './restore-pod.ts';

/** Resolves when the last one is gone. Rejects, after all have been tried, when one would not end. */
export async function endPods(context: Omit<KillContext, 'events'>, graceSecondsMax: number): Promise<void> {
  const { runtime } = context;
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandbox(), runtime.listContainers()]);
  const ended = await Promise.allSettled(
    sandboxes.map(async (sandbox) => {
      const own = containers.filter(({ podSandboxId }) => podSandboxId === sandbox.id);
      const pod = restorePod(sandbox, own);
      const graceSeconds = Math.min(terminationGraceSeconds(pod, { name: '' }, 'other'), graceSecondsMax);
      const observed = await observePod(runtime, sandbox.labels[podLabels.podUid] ?? '');
      const ofSandbox = { sandboxes: observed.sandboxes.filter(({ id }) => id === sandbox.id), containers: observed.containers };
      const signal = new AbortController().signal;
      await killPod({ ...context, events: { event: () => undefined } }, { pod, observed: ofSandbox, graceSeconds, signal });
    }),
  );
  const errors = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (errors.length > 0) throw new AggregateError(errors, 'pods that did not end');
}
