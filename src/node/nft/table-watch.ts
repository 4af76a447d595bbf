/**
 * Tells when a table was deleted from the namespace's rules, by whomever: `nft flush ruleset` of another program takes all
 * tables along. It listens to `nft monitor`, so nothing is asked while nothing happens; when that ends, it is started again,
 * and all are told, since something may have been missed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Clock, Timer } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';

const restartMs = 1000;
/** It ends with this process, however that ends: alone, it would hold the network namespace of a node that is gone. */
const withParent = ['--pdeathsig', 'KILL'];
const deletion = /^delete table (\S+) (\S+)/;

export class TableWatch implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Map<string, Set<() => void>>();
  #child: ChildProcess | undefined;
  #restart: Timer | undefined;
  #stopped = false;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
    this.#start();
  }

  /** `deleted` may be called without cause: look. */
  on({ family, name }: { readonly family: string; readonly name: string }, deleted: () => void): Disposable {
    const key = `${family} ${name}`;
    const listeners = this.#listeners.getOrInsertComputed(key, () => new Set());
    listeners.add(deleted);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(deleted);
      },
    };
  }

  #start(): void {
    const child = spawn('setpriv', [...withParent, 'nft', 'monitor', 'destroy', 'tables'], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, family, name] = deletion.exec(line) ?? [];
      for (const tell of this.#listeners.get(`${family} ${name}`) ?? []) tell();
    });
    child.on('error', (error) => this.#log.warn({ error }, 'nft monitor can not be started'));
    child.on('close', () => {
      this.#child = undefined;
      if (this.#stopped) return;
      this.#restart = this.#clock.setTimeout(() => {
        this.#start();
        for (const listeners of this.#listeners.values()) for (const tell of listeners) tell();
      }, restartMs);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#restart?.cancel();
    const child = this.#child;
    if (!child) return;
    const closed = once(child, 'close');
    child.kill();
    await closed;
  }
}
