/** The pods bound to a node, and how controllers take one away that its node can't. */
import type { PodCondition } from '../../../api/generated/core-v1.ts';
import { Pod } from '../../../api/generated/kinds.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { isPodTerminal } from '../../../api/predicates/pod-state.ts';
import type { ControllerIO } from '../../../client/controllers/controller.ts';

export function podsOnNode(name: string, io: ControllerIO): readonly Pod[] {
  return io.client.informer(Pod).index('node', ({ spec }) => (spec.nodeName ? [spec.nodeName] : []))(name);
}

export const disruptionCondition = (reason: string, message: string, nowMs: number): PodCondition => ({
  type: 'DisruptionTarget',
  status: 'True',
  reason,
  message,
  lastTransitionTime: formatTime(nowMs),
});

export interface PodRemoval {
  /** why, for whoever looks at the pod before it is gone */
  readonly condition?: PodCondition;
  /** nobody is left to end it: it is marked as failed and deleted at once */
  readonly force: boolean;
}

/** Harmless when the pod is gone already. */
export async function removePod(pod: Pod, { condition, force }: PodRemoval, io: ControllerIO): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const why = (): string => condition?.message ?? 'nobody else ends it';
  const isFailing = force && !isPodTerminal(pod);
  try {
    if (condition || isFailing) {
      const status = { ...(isFailing && { phase: 'Failed' }), ...(condition && { conditions: [condition] }) };
      await io.client.patch(
        Pod,
        { namespace, name },
        { type: 'strategic', body: { metadata: { uid }, status } },
        { subresource: 'status' },
      );
    }
    await io.client.delete(Pod, { namespace, name }, { preconditions: { uid }, why, ...(force && { gracePeriodSeconds: 0 }) });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
