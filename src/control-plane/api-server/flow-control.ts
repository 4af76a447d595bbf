/**
 * How many requests are worked on at once, and how many of one user. A request counts until its client has taken the
 * answer. What is over the limit waits, boundedly, and the users who wait take turns; what finds the queue full is told
 * to come back. Watches and connections count only until they are established; the server's own group (system:masters)
 * and in-process clients are not limited.
 *
 * What it does not do: priority levels (FlowSchemas are stored, not obeyed).
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
/** What one user may have of each limit. */
export const userShare = 1 / 4;
const exemptGroup = 'system:masters';
const retryAfterSeconds = 1;

export type FlowClass = 'readOnly' | 'mutating';

/** Called once when the request is over. */
export type Leave = () => void;

interface UserFlow {
  executing: number;
  readonly waiting: ((leave: Leave) => void)[];
}

export class FlowControl {
  readonly #flows: Readonly<Record<FlowClass, Flow>>;

  constructor({ readOnlyMax, mutatingMax, queueMax }: FlowLimits = flowLimits) {
    this.#flows = { readOnly: new Flow(readOnlyMax, queueMax), mutating: new Flow(mutatingMax, queueMax) };
  }

  executing(flow: FlowClass): number {
    return this.#flows[flow].executing;
  }
  waiting(flow: FlowClass): number {
    return this.#flows[flow].waiting;
  }

  /** At once, or when there is room. Throws TooManyRequests. */
  enter(flow: FlowClass, user: UserInfo): Leave | Promise<Leave> {
    return this.#flows[flow].enter(user);
  }
}

class Flow {
  readonly #max: number;
  readonly #queueMax: number;
  /** of those who have requests here; who was served last is the last */
  readonly #users = new Map<string, UserFlow>();
  executing = 0;
  waiting = 0;

  constructor(max: number, queueMax: number) {
    this.#max = max;
    this.#queueMax = queueMax;
  }

  enter({ name, groups }: UserInfo): Leave | Promise<Leave> {
    if (groups.includes(exemptGroup)) {
      this.executing++;
      return () => this.#left();
    }
    const user = this.#users.get(name) ?? { executing: 0, waiting: [] };
    this.#users.set(name, user);
    if (this.executing < this.#max && this.#mayHaveMore(user)) return this.#begin(name, user);
    if (this.waiting >= this.#queueMax || user.waiting.length >= this.#queueMax * userShare) throw tooManyRequests();
    this.waiting++;
    return new Promise((resolve) => user.waiting.push(resolve));
  }

  #mayHaveMore(user: UserFlow): boolean {
    return user.executing < this.#max * userShare;
  }

  #begin(name: string, user: UserFlow): Leave {
    this.executing++;
    user.executing++;
    return () => {
      user.executing--;
      if (user.executing === 0 && user.waiting.length === 0) this.#users.delete(name);
      this.#left();
    };
  }

  #left(): void {
    this.executing--;
    if (this.waiting === 0 || this.executing >= this.#max) return;
    for (const [name, user] of this.#users) {
      if (user.waiting.length === 0 || !this.#mayHaveMore(user)) continue;
      this.waiting--;
      this.#users.delete(name);
      this.#users.set(name, user);
      user.waiting.shift()?.(this.#begin(name, user));
      return;
    }
  }
}

const tooManyRequests = (): StatusError => errors.tooManyRequests('Too many requests, please try again later.', retryAfterSeconds);
