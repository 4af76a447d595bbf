/**
 * The ServiceCIDR `kubernetes`: where the cluster's settings say that Services get their addresses.
 * One that is there is left as it is: a cluster that was single-stack gets its second family, anything else that does
 * not match the settings is told in an event. It is made ready only once; what is not ready afterwards is somebody's word.
 * What it does not do: make it anew while the server runs (its finalizer keeps it as long as the Service `kubernetes`).
 * Upstream: pkg/controlplane/controller/defaultservicecidr.
 */
import { ServiceCIDR } from '../../../api/generated/kinds.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { isAlreadyExists, isConflict, isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Clock } from '../../../client/clock.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { BootstrapTools } from './policy.ts';

export interface DefaultServiceCIDROptions {
  /** one per family, the default family first */
  readonly cidrs: readonly string[];
  readonly clock: Clock;
  readonly events: EventRecorder;
}

export type DefaultServiceCIDRStep =
  | { readonly do: 'nothing' }
  | { readonly do: 'create' }
  | { readonly do: 'addFamily' }
  | { readonly do: 'setReady' }
  | { readonly do: 'tell'; readonly reason: string; readonly message: string };

export const defaultServiceCIDRName = 'kubernetes';
/** What reports its events. */
export const defaultServiceCIDRComponent = 'kubernetes-service-cidr-controller';
const errorReason = 'KubernetesDefaultServiceCIDRError';
/** Made, made ready, and another server in between. */
const stepsMax = 5;

export async function ensureDefaultServiceCIDR({ reader, client }: BootstrapTools, options: DefaultServiceCIDROptions): Promise<void> {
  const { cidrs, clock, events } = options;
  const at = { name: defaultServiceCIDRName };
  for (let steps = 0; steps < stepsMax; steps++) {
    const existing = reader.get(ServiceCIDR, at);
    const step = planDefaultServiceCIDR(existing, cidrs);
    if (step.do === 'nothing') return;
    if (step.do === 'create') {
      await client.create(ServiceCIDR, { metadata: at, spec: { cidrs } }).catch(ignoreRace);
      continue;
    }
    if (!existing) return;
    if (step.do === 'tell') return events.event(existing, 'Warning', step.reason, step.message);
    try {
      if (step.do === 'addFamily') await client.update(ServiceCIDR, { ...existing, spec: { cidrs } });
      else await client.patch(ServiceCIDR, at, { type: 'strategic', body: readyAt(clock.now()) }, { subresource: 'status' });
    } catch (error) {
      if (isRace(error)) continue;
      const message =
        step.do === 'addFamily'
          ? `can not be upgraded from ${cidrs[0]} to dual stack ${shown(cidrs)} : ${messageOf(error)}`
          : 'Status can not be set to Ready=True';
      return events.event(existing, 'Warning', errorReason, `The default ServiceCIDR ${message}`);
    }
  }
}

/** What to do next. Pure. */
export function planDefaultServiceCIDR(existing: ServiceCIDR | undefined, cidrs: readonly string[]): DefaultServiceCIDRStep {
  if (!existing) return { do: 'create' };
  const there = existing.spec.cidrs ?? [];
  if (cidrs.length === 2 && there.length === 1 && there[0] === cidrs[0]) return { do: 'addFamily' };
  if (existing.metadata.deletionTimestamp !== undefined) return { do: 'nothing' };
  if (!equalJson(there, cidrs)) {
    const message = `The default ServiceCIDR ${shown(there)} does not match the controller flag configurations ${shown(cidrs)}`;
    return { do: 'tell', reason: 'KubernetesDefaultServiceCIDRInconsistent', message };
  }
  const ready = findCondition(existing.status.conditions, 'Ready');
  if (ready?.status === 'True') return { do: 'nothing' };
  if (ready?.status !== 'False') return { do: 'setReady' };
  return { do: 'tell', reason: ready.reason, message: `Configuration matches, but ${ready.message}` };
}

const shown = (cidrs: readonly string[]): string => `[${cidrs.join(' ')}]`;

const readyAt = (nowMs: number) => ({
  status: {
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: '',
        message: 'Kubernetes default Service CIDR is ready',
        lastTransitionTime: formatTime(nowMs),
      },
    ],
  },
});

const isRace = (error: unknown): boolean => isAlreadyExists(error) || isConflict(error) || isNotFound(error);

function ignoreRace(error: unknown): void {
  if (!isRace(error)) throw error;
}
