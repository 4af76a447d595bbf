/**
 * The addresses of simulated pods, handed out in turn so that one just given back is used last, as host-local does.
 * The first address is the network's, the second the bridge's; the last is for broadcasts.
 */
import { addressAt, type Cidr, parseCidr } from '../network/cidr.ts';
import { RuntimeError } from './container-runtime.ts';

const firstIndex = 2;

export class PodAddresses {
  readonly cidr: string;
  readonly #range: Cidr;
  readonly #taken = new Set<string>();
  #next = firstIndex;

  constructor(cidr: string) {
    this.cidr = cidr;
    this.#range = parseCidr(cidr);
  }

  take(): string {
    const count = this.#range.size - 1 - firstIndex;
    if (this.#taken.size >= count) throw new RuntimeError('ResourceExhausted', `no IP addresses available in range set: ${this.cidr}`);
    for (;;) {
      const address = addressAt(this.#range, this.#next);
      this.#next = this.#next + 1 < this.#range.size - 1 ? this.#next + 1 : firstIndex;
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
  }

  give(address: string): void {
    this.#taken.delete(address);
  }
}
