/**
 * What the server holds for clients of watches that do not read, counted per user and for all together. When it is too
 * much, each of their watches has to be read before it gets more: it is slowed, never ended, and catches up as it reads.
 */

const ofUserBytesMax = 64 * 1024 * 1024;
const ofAllBytesMax = 256 * 1024 * 1024;

export class UntakenBytes {
  readonly #users = new Map<string, number>();
  #total = 0;

  /** `bytes` may be negative: they were taken. */
  change(user: string, bytes: number): void {
    const now = (this.#users.get(user) ?? 0) + bytes;
    if (now > 0) this.#users.set(user, now);
    else this.#users.delete(user);
    this.#total += bytes;
  }

  isTooMuch(user: string): boolean {
    return this.#total > ofAllBytesMax || (this.#users.get(user) ?? 0) > ofUserBytesMax;
  }

  get total(): number {
    return this.#total;
  }
}
