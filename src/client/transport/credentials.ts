/** How a client says who it is: a certificate, a token, or a file that holds a token and is rewritten from time to time. */
import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';

export interface ClientCredentials {
  /** PEM, both or none */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

export interface TokenSource {
  token(): Promise<string>;
  /** The server did not accept it: read again next time. */
  refuse(): void;
}

const rereadMs = 60_000;

export function createTokenSource({ token, tokenFile }: ClientCredentials, clock: Clock): TokenSource | undefined {
  if (tokenFile) return new TokenFile(tokenFile, clock);
  return token ? { token: async () => token, refuse: () => undefined } : undefined;
}

class TokenFile implements TokenSource {
  readonly #path: string;
  readonly #clock: Clock;
  #read: { readonly atMs: number; readonly token: Promise<string> } | undefined;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  token(): Promise<string> {
    const nowMs = this.#clock.monotonic();
    if (!this.#read || nowMs - this.#read.atMs >= rereadMs) {
      const token = readFile(this.#path, 'utf8').then((text) => text.trim());
      token.catch(() => this.refuse());
      this.#read = { atMs: nowMs, token };
    }
    return this.#read.token;
  }

  refuse(): void {
    this.#read = undefined;
  }
}
