/** An evaluation under way: its variables, and what it has cost. */

import type { Value } from './values.ts';

export class Run {
  /** of variables first, then of loops; by the slots that the plan gave */
  readonly slots: (Value | undefined)[];
  readonly limit: number;
  cost = 0;
  constructor(slots: (Value | undefined)[], limit: number) {
    this.slots = slots;
    this.limit = limit;
  }
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.limit) throw new CostExceeded();
  }
}

export class CostExceeded {
  readonly message = 'operation cancelled: actual cost limit exceeded';
}

export type Step = (run: Run) => Value;
