/**
 * How many requests are worked on at once, and how many of one user. A request takes one seat, one with a large body
 * more, as its work and memory grow with that; it counts until its client has taken the answer. What is over the limit waits, boundedly, and the users who wait take turns; what finds the queue full is told
 * to come back. Watches and connections count only until they are established; the server's own group (system:masters)
 * and in-process clients are not limited.
 *
 * What it does not do: priority levels (FlowSchemas are stored, not obeyed).
 * Upstream: apiserver/pkg/server/filters/maxinflight.go.
 */
import { errors, type StatusError } from '../../../api/meta/status-error.ts';
import type { UserInfo } from '../request/request.ts';
import { groups } from '../request/user.ts';

export interface FlowLimits {
  readonly readOnlyMax: number;
  readonly mutatingMax: number;
  readonly queueMax: number;
}

export const flowLimits: FlowLimits = { readOnlyMax: 400, mutatingMax: 200, queueMax: 2000 };
/** What one user may have of each limit. */
export const userShare = 1 / 4;
/** What of a body one seat is enough for. */
const seatBytes = 128 * 1024;
const retryAfterSeconds = 1;

export type FlowClass = 'readOnly' | 'mutating';

/** Called once when the request is over. */
export type Leave = () => void;

/** How many seats a request takes whose body has so many bytes. */
export const seatsFor = (bodyBytes: number): number => Math.max(1, Math.ceil(bodyBytes / seatBytes));

interface UserFlow {
  seatsTaken: number;
  readonly waiting: { readonly seats: number; readonly letIn: (leave: Leave) => void }[];
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
  enter(flow: FlowClass, user: UserInfo, seats = 1): Leave | Promise<Leave> {
    return this.#flows[flow].enter(user, seats);
  }
}

class Flow {
  readonly #max: number;
  readonly #queueMax: number;
  /** of those who have requests here; who was served last is the last */
  readonly #users = new Map<string, UserFlow>();
  #seatsTaken = 0;
  executing = 0;
  waiting = 0;

  constructor(max: number, queueMax: number) {
    this.#max = max;
    this.#queueMax = queueMax;
  }

  enter({ name, groups: its }: UserInfo, seats: number): Leave | Promise<Leave> {
    if (its.includes(groups.masters)) {
      this.#take(seats);
      return () => this.#left(seats);
    }
    const user = this.#users.get(name) ?? { seatsTaken: 0, waiting: [] };
    this.#users.set(name, user);
    if (this.#hasRoom(seats) && this.#mayHave(user, seats)) return this.#begin(name, user, seats);
    if (this.waiting >= this.#queueMax || user.waiting.length >= this.#queueMax * userShare) throw tooManyRequests();
    this.waiting++;
    return new Promise((letIn) => user.waiting.push({ seats, letIn }));
  }

  #take(seats: number): void {
    this.#seatsTaken += seats;
    this.executing++;
  }

  /** One that takes more seats than there are comes alone. */
  #hasRoom(seats: number): boolean {
    return this.#seatsTaken + seats <= this.#max || this.#seatsTaken === 0;
  }

  #mayHave(user: UserFlow, seats: number): boolean {
    return user.seatsTaken + seats <= this.#max * userShare || user.seatsTaken === 0;
  }

  #begin(name: string, user: UserFlow, seats: number): Leave {
    this.#take(seats);
    user.seatsTaken += seats;
    return () => {
      user.seatsTaken -= seats;
      if (user.seatsTaken === 0 && user.waiting.length === 0) this.#users.delete(name);
      this.#left(seats);
    };
  }

  /** As many as there is room for; one for whom there is not is waited for, so that small ones do not keep it out for ever. */
  #left(seats: number): void {
    this.#seatsTaken -= seats;
    this.executing--;
    for (let next = this.#next(); next && this.#hasRoom(next.seats); next = this.#next()) {
      const { name, user } = next;
      this.waiting--;
      this.#users.delete(name);
      this.#users.set(name, user);
      user.waiting.shift()?.letIn(this.#begin(name, user, next.seats));
    }
  }

  #next(): { readonly name: string; readonly user: UserFlow; readonly seats: number } | undefined {
    if (this.waiting === 0) return undefined;
    for (const [name, user] of this.#users) {
      const [first] = user.waiting;
      if (first && this.#mayHave(user, first.seats)) return { name, user, seats: first.seats };
    }
    return undefined;
  }
}

const tooManyRequests = (): StatusError => errors.tooManyRequests('Too many requests, please try again later.', retryAfterSeconds);
