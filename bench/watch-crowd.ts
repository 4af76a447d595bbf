/**
 * Many watches of one path, each on its own connection; events are counted, not decoded. A watch that the server ends
 * (as servers do to slow ones) goes on from the last revision that it saw.
 */
import type { TLSSocket } from 'node:tls';
import { type Access, openSocket, renderHead } from './connections.ts';
import { ResponseParser } from './response-parser.ts';

const lineFeed = 0x0a;
/** of each event, enough to see its type and revision */
const beginningBytes = 1024;
const revisionPattern = /"resourceVersion":"(\d+)"/;

interface Watch {
  socket: TLSSocket | undefined;
  count: number;
  /** of the line that it is in */
  beginning: string;
  lastBeginning: string;
}

export interface CrowdOptions {
  readonly access: Access;
  readonly path: string;
  readonly watchers: number;
  /** count only events of this type */
  readonly eventType?: string | undefined;
}

export class WatchCrowd {
  readonly #options: CrowdOptions;
  readonly #prefix: string;
  readonly #watches: readonly Watch[];
  #bytes = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #closed = false;
  #done: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(options: CrowdOptions) {
    this.#options = options;
    this.#prefix = options.eventType === undefined ? '' : `{"type":"${options.eventType}"`;
    this.#watches = Array.from({ length: options.watchers }, () => ({ socket: undefined, count: 0, beginning: '', lastBeginning: '' }));
  }

  static async open(options: CrowdOptions): Promise<WatchCrowd> {
    const crowd = new WatchCrowd(options);
    await Promise.all(crowd.#watches.map((watch) => crowd.#open(watch, options.path)));
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
        const least = Math.min(...this.#watches.map(({ count }) => count));
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
    this.#closed = true;
    for (const { socket } of this.#watches) socket?.destroy();
  }

  async #open(watch: Watch, path: string): Promise<void> {
    const { access } = this.#options;
    const socket = await openSocket(access);
    watch.socket = socket;
    return new Promise((resolve, reject) => {
      const parser = new ResponseParser({
        head: (status) => {
          if (status === 200) resolve();
          else reject(new Error(`watching ${path}: ${status}`));
        },
        body: (piece) => this.#count(watch, piece),
        end: () => this.#goOn(watch),
      });
      socket.on('data', (data: Buffer) => parser.take(data));
      socket.on('error', (error) => this.#fail(error));
      socket.write(renderHead(access.server, { method: 'GET', path }));
    });
  }

  #goOn(watch: Watch): void {
    watch.socket?.destroy();
    if (this.#closed) return;
    const revision = revisionPattern.exec(watch.lastBeginning)?.[1];
    watch.beginning = '';
    if (revision === undefined) this.#fail(new Error('the server ended a watch before any event'));
    else this.#open(watch, `${this.#options.path}&resourceVersion=${revision}`).catch((error: Error) => this.#fail(error));
  }

  #fail(error: Error): void {
    if (!this.#closed) this.#failed?.(error);
  }

  #count(watch: Watch, piece: Buffer): void {
    this.#bytes += piece.length;
    for (let at = 0; at < piece.length; ) {
      const missing = beginningBytes - watch.beginning.length;
      const end = piece.indexOf(lineFeed, at);
      const upTo = Math.min(end < 0 ? piece.length : end, at + missing);
      if (missing > 0 && upTo > at) watch.beginning += piece.toString('latin1', at, upTo);
      if (end < 0) break;
      if (watch.beginning.startsWith(this.#prefix)) watch.count++;
      watch.lastBeginning = watch.beginning;
      watch.beginning = '';
      at = end + 1;
    }
    if (watch.count >= this.#wanted) this.#look();
  }

  #look(): void {
    if (this.#watches.every(({ count }) => count >= this.#wanted)) this.#done?.();
  }
}
