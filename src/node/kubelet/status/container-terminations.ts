/**
 * Counts containers that have ended, by how: what `kubelet_terminated_containers_total` shows. A container counts when
 * its status says so and the one before did not.
 * Upstream: pkg/kubelet/status/status_manager.go (updateStatusInternal).
 */
import type { ContainerStatus, PodStatus } from '../../../api/generated/core-v1.ts';

export interface Terminations {
  readonly labels: { readonly container_type: string; readonly exit_code: string; readonly reason: string };
  readonly count: number;
}

/** Of labels; exit codes are few, but containers choose them. */
const countsMax = 1000;

const lists = [
  ['init_container', 'initContainerStatuses'],
  ['container', 'containerStatuses'],
  ['ephemeral_container', 'ephemeralContainerStatuses'],
] as const;

export class ContainerTerminations {
  readonly #counts = new Map<string, Terminations>();

  observe(before: PodStatus, after: PodStatus): void {
    for (const [type, list] of lists) {
      for (const { name, state } of after[list] ?? []) {
        if (state?.terminated && !hasEnded(before[list], name)) this.#count(type, state.terminated);
      }
    }
  }

  all(): readonly Terminations[] {
    return [...this.#counts.values()];
  }

  #count(type: string, { exitCode, reason = '' }: { readonly exitCode: number; readonly reason?: string }): void {
    const labels = { container_type: type, exit_code: String(exitCode), reason };
    const key = JSON.stringify(labels);
    const count = this.#counts.get(key)?.count ?? 0;
    if (count > 0 || this.#counts.size < countsMax) this.#counts.set(key, { labels, count: count + 1 });
  }
}

const hasEnded = (statuses: readonly ContainerStatus[] | undefined, name: string): boolean =>
  statuses?.find((status) => status.name === name)?.state?.terminated !== undefined;
