/** What the store's keys and leases are called in etcd. */
import { RecentMap } from '../../../client/recent-map.ts';

export interface KeyPlace {
  /** what all keys of the store begin with */
  readonly own: string;
  /** what they begin with in etcd instead */
  readonly stored: string;
}

export class EtcdKeys {
  readonly #place: KeyPlace;

  constructor(place: KeyPlace) {
    this.#place = place;
  }

  stored(key: string): Buffer {
    const { own, stored } = this.#place;
    if (!key.startsWith(own)) throw new RangeError(`a key here begins with ${own}, not as ${key}`);
    return Buffer.from(stored + key.slice(own.length));
  }

  own(stored: Buffer): string {
    return this.#place.own + stored.toString().slice(this.#place.stored.length);
  }

  /** All keys that begin so; `startAfter`: those behind it. */
  range(prefix: string, startAfter?: string): { readonly key: Buffer; readonly rangeEnd: Buffer } {
    const first = this.stored(prefix);
    const next = startAfter === undefined || startAfter < prefix ? first : Buffer.from(`${this.stored(startAfter)}\0`);
    return { key: Buffer.compare(first, next) > 0 ? first : next, rangeEnd: endOf(first) };
  }
}

/** The first key behind all that begin so. No key has a byte of 255, since keys are UTF-8. */
function endOf(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

/** Leases of others that are remembered. They share them as we do: one a minute. */
const foreignLeasesMax = 10_000;

/** etcd's leases are numbers of 63 bits. Those that are larger than ours, since others granted them, are negative here. */
export class EtcdLeases {
  readonly #numbers = new RecentMap<string, number>(foreignLeasesMax);
  readonly #ids = new RecentMap<number, string>(foreignLeasesMax);
  #last = 0;

  /** '0' is none. */
  numberOf(id: string): number | undefined {
    const number = Number(id);
    if (Number.isSafeInteger(number)) return number === 0 ? undefined : number;
    const known = this.#numbers.get(id) ?? --this.#last;
    this.#numbers.set(id, known);
    this.#ids.set(known, id);
    return known;
  }

  /** One that was forgotten has an id that no lease has. */
  idOf(lease: number): string {
    return lease > 0 ? String(lease) : (this.#ids.get(lease) ?? '-1');
  }
}
