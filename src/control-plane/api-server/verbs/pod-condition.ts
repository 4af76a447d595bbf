/** Sets a condition of a pod's status; the time of its last transition stays while its status does. Upstream: pkg/api/pod/util.go. */
import type { Pod, PodCondition } from '../../../api/generated/core-v1.ts';
import { formatTime } from '../../../api/meta/time.ts';

export function withPodCondition(pod: Pod, condition: Omit<PodCondition, 'lastTransitionTime'>, nowMs: number): Pod {
  const conditions = pod.status?.conditions ?? [];
  const old = conditions.find((c) => c.type === condition.type);
  const lastTransitionTime = old?.status === condition.status && old.lastTransitionTime ? old.lastTransitionTime : formatTime(nowMs);
  const made = { ...condition, lastTransitionTime };
  const rest = old ? conditions.map((c) => (c === old ? made : c)) : [...conditions, made];
  return { ...pod, status: { ...pod.status, conditions: rest } };
}
