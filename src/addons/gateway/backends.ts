/**
 * Which endpoint of a backend gets a request: of those next in turn the one that has the fewest, one that has just refused
 * a connection last. A client that shows its cookie gets the endpoint that it had before, while that is there.
 *
 * An endpoint that goes takes no further request, and what is under way there goes on: nothing fails because of a change.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';
import type { Endpoint, ResolvedBackend } from './endpoints.ts';
import type { BackendProtocol } from './route-policy.ts';
import type { Upstream } from './upstream.ts';

/** How many of them are compared. */
const comparedMax = 8;
/** How long one that refused comes after the others. */
const refusedMs = 10_000;
const idLength = 32;

export interface Chosen extends Endpoint {
  /** for a cookie: says nothing of where it is */
  readonly id: string;
  readonly upstream: Upstream;
}

class Place implements Chosen {
  readonly address: string;
  readonly port: number;
  readonly id: string;
  readonly upstream: Upstream;
  underWay = 0;
  refusedUntilMs = 0;

  constructor({ address, port }: Endpoint, upstream: Upstream) {
    this.address = address;
    this.port = port;
    this.id = hash('sha256', `${address} ${port}`).slice(0, idLength);
    this.upstream = upstream;
  }
}

export type OpenUpstream = (endpoint: Endpoint, protocol: BackendProtocol, connectMs: number) => Upstream;

export class Backend {
  readonly #open: (endpoint: Endpoint, protocol: BackendProtocol) => Upstream;
  readonly #clock: Clock;
  #protocol: BackendProtocol | undefined;
  #places: readonly Place[] = [];
  /** which go on with what they have */
  readonly #leaving = new Set<Upstream>();
  #next = 0;
  problem: string | undefined;

  constructor(open: (endpoint: Endpoint, protocol: BackendProtocol) => Upstream, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  get protocol(): BackendProtocol {
    return this.#protocol ?? 'http';
  }

  update({ protocol, endpoints, problem }: ResolvedBackend): void {
    const isSame = protocol === this.#protocol;
    const known = new Map(this.#places.map((place) => [placeKey(place), place]));
    this.#places = endpoints.map((endpoint) => {
      const before = isSame ? known.get(placeKey(endpoint)) : undefined;
      if (before) known.delete(placeKey(endpoint));
      return before ?? new Place(endpoint, this.#open(endpoint, protocol));
    });
    for (const { upstream } of known.values()) this.#leave(upstream);
    this.#protocol = protocol;
    this.problem = problem;
  }

  #leave(upstream: Upstream): void {
    this.#leaving.add(upstream);
    const left = (): unknown => this.#leaving.delete(upstream);
    detach(() => upstream.close().then(left), left); // one that was destroyed meanwhile
  }

  /** One that is not among `tried`; undefined: there is none. It counts until `done`. */
  choose(tried: ReadonlySet<Chosen>, id?: string): Chosen | undefined {
    const count = this.#places.length;
    const kept = id === undefined ? undefined : this.#places.find((place) => place.id === id && !tried.has(place));
    let best = kept;
    if (!best) {
      const nowMs = this.#clock.monotonic();
      let compared = 0;
      for (let i = 0; i < count && compared < comparedMax; i++) {
        const place = this.#places[(this.#next + i) % count];
        if (!place || tried.has(place)) continue;
        compared++;
        if (!best || weightOf(place, nowMs) < weightOf(best, nowMs)) best = place;
      }
      this.#next = count === 0 ? 0 : (this.#next + 1) % count;
    }
    if (best) best.underWay++;
    return best;
  }

  done(chosen: Chosen): void {
    (chosen as Place).underWay--;
  }

  refused(chosen: Chosen): void {
    (chosen as Place).refusedUntilMs = this.#clock.monotonic() + refusedMs;
  }

  /** No route leads here any more. */
  close(): void {
    this.update({ protocol: this.protocol, endpoints: [] });
  }

  destroy(): void {
    for (const upstream of [...this.#leaving, ...this.#places.map((place) => place.upstream)]) upstream.destroy();
  }
}

const refusedWeight = 1_000_000;
const weightOf = ({ underWay, refusedUntilMs }: Place, nowMs: number): number => underWay + (refusedUntilMs > nowMs ? refusedWeight : 0);
const placeKey = ({ address, port }: Endpoint): string => `${address} ${port}`;
