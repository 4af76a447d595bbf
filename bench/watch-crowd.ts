/** Many watches of one path, each on its own connection; events are counted, not decoded. */
import type { TLSSocket } from 'node:tls';
import { type Access, openSocket, renderHead } from './connections.ts';
import { ResponseParser } from './response-parser.ts';

const lineFeed = 0x0a;

export class WatchCrowd {
  readonly #sockets: TLSSocket[] = [];
  readonly #counts: number[] = [];
  /** of the line that each watch is in */
  readonly #beginnings: string[] = [];
  readonly #prefix: string;
  #bytes = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #done: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** `type`: count only events of this type. */
  static async open(access: Access, path: string, { watchers, type }: { watchers: number; type?: string }): Promise<WatchCrowd> {
    const crowd = new WatchCrowd(type === undefined ? '' : `{"type":"${type}"`);
    await Promise.all(Array.from({ length: watchers }, (_, i) => crowd.#open(access, path, i)));
    return crowd;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when each watch has seen as many events. */
  each(events: number, timeoutMs: number): Promise<void> {
    this.#wanted = events;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const least = Math.min(...this.#counts);
        reject(new Error(`the slowest watch has seen ${least} of ${events} events after ${timeoutMs / 1000} s`));
      }, timeoutMs);
      this.#done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#failed = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      this.#look();
    });
  }

  close(): void {
    this.#failed = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #open(access: Access, path: string, i: number): Promise<void> {
    const socket = await openSocket(access);
    this.#sockets.push(socket);
    this.#counts[i] = 0;
    return new Promise((resolve, reject) => {
      const parser = new ResponseParser({
        head: (status) => {
          if (status === 200) resolve();
          else reject(new Error(`watching ${path}: ${status}`));
        },
        body: (piece) => this.#count(i, piece),
        end: () => this.#failed?.(new Error('the server ended a watch')),
      });
      socket.on('data', (data: Buffer) => parser.take(data));
      socket.on('close', () => this.#failed?.(new Error('the server closed the connection of a watch')));
      socket.write(renderHead(access.server, { method: 'GET', path }));
    });
  }

  #count(i: number, piece: Buffer): void {
    this.#bytes += piece.length;
    let count = this.#counts[i] ?? 0;
    let beginning = this.#beginnings[i] ?? '';
    for (let at = 0; at < piece.length; ) {
      if (beginning.length < this.#prefix.length) beginning += piece.toString('latin1', at, at + this.#prefix.length - beginning.length);
      const end = piece.indexOf(lineFeed, at);
      if (end < 0) break;
      if (beginning.startsWith(this.#prefix)) count++;
      beginning = '';
      at = end + 1;
    }
    this.#beginnings[i] = beginning;
    this.#counts[i] = count;
    if (count >= this.#wanted) this.#look();
  }

  #look(): void {
    if (this.#counts.every((count) => count >= this.#wanted)) this.#done?.();
  }
}
