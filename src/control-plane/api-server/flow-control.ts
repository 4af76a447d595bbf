/**
 * How many requests are worked on at once. What is over the limit waits, in order and boundedly; what finds the queue
 * full is told to come back. Watches and connections count only until they are established; the server's own group
 * (system:masters) and in-process clients are not limited.
 *
 * What it does not do: priority levels and fair queues (FlowSchemas are stored, not obeyed).
 * Upstream: apiserver/pkg/server/filters/maxinflight.go.
 */
import { errors, type StatusError } from '../../api/meta/status-error.ts';
import type { UserInfo } from './request.ts';

export interface FlowLimits {
  readonly readOnlyMax: number;
  readonly mutatingMax: number;
  readonly queueMax: number;
}

export const flowLimits: FlowLimits = { readOnlyMax: 400, mutatingMax: 200, queueMax: 2000 };
const exemptGroup = 'system:masters';
const retryAfterSeconds = 1;

export type FlowClass = 'readOnly' | 'mutating';

export class FlowControl {
  readonly #limits: FlowLimits;
  readonly #executing: Record<FlowClass, number> = { readOnly: 0, mutating: 0 };
  readonly #waiting: Record<FlowClass, (() => void)[]> = { readOnly: [], mutating: [] };

  constructor(limits: FlowLimits = flowLimits) {
    this.#limits = limits;
  }

  executing(flow: FlowClass): number {
    return this.#executing[flow];
  }
  waiting(flow: FlowClass): number {
    return this.#waiting[flow].length;
  }

  /** Undefined: go ahead at once. Every admission is followed by one `leave`. Throws TooManyRequests. */
  enter(flow: FlowClass, user: UserInfo): Promise<void> | undefined {
    const max = flow === 'readOnly' ? this.#limits.readOnlyMax : this.#limits.mutatingMax;
    if (this.#executing[flow] < max || user.groups.includes(exemptGroup)) {
      this.#executing[flow]++;
      return undefined;
    }
    if (this.#waiting[flow].length >= this.#limits.queueMax) throw tooManyRequests();
    return new Promise((resolve) => this.#waiting[flow].push(resolve));
  }

  leave(flow: FlowClass): void {
    const next = this.#waiting[flow].shift();
    if (next) next();
    else this.#executing[flow]--;
  }
}

const tooManyRequests = (): StatusError => errors.tooManyRequests('Too many requests, please try again later.', retryAfterSeconds);
