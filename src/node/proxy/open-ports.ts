/**
 * Ports of the node that the proxy itself listens on, as many as are asked for at a time. One that another program has
 * stays that program's: it is told once, and tried again with each later change.
 */
import type { RequestListener } from 'node:http';
import { createServer } from '../../client/transport/node-http.ts';

/** Resolves when it listens; disposing closes the port. */
export type Opener = () => Promise<AsyncDisposable>;

export class OpenPorts implements AsyncDisposable {
  readonly #tellRefused: (key: string, error: unknown) => void;
  readonly #open = new Map<string, AsyncDisposable>();
  readonly #refused = new Set<string>();

  constructor(tellRefused: (key: string, error: unknown) => void) {
    this.#tellRefused = tellRefused;
  }

  /** These, and no others. One call at a time. */
  async set(wanted: ReadonlyMap<string, Opener>): Promise<void> {
    for (const key of this.#refused) if (!wanted.has(key)) this.#refused.delete(key);
    const gone = [...this.#open].filter(([key]) => !wanted.has(key));
    for (const [key] of gone) this.#open.delete(key);
    await Promise.all(gone.map(([, port]) => port[Symbol.asyncDispose]()));
    const missing = [...wanted].filter(([key]) => !this.#open.has(key));
    await Promise.all(missing.map(([key, open]) => this.#try(key, open)));
  }

  async #try(key: string, open: Opener): Promise<void> {
    try {
      this.#open.set(key, await open());
      this.#refused.delete(key);
    } catch (error) {
      if (!this.#refused.has(key)) this.#tellRefused(key, error);
      this.#refused.add(key);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.set(new Map());
  }
}

/** Of one HTTP port. Who asks for a health waits for the answer. */
const connectionsMax = 64;
const requestMs = 10_000;

export interface Address {
  /** absent: every one */
  readonly host?: string;
  readonly port: number;
}

export async function listenHTTP({ host, port }: Address, answer: RequestListener): Promise<AsyncDisposable> {
  const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, answer);
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  server.on('error', () => undefined); // of accepting: that client is told by its connection
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
