/** Asks for the page over and over, each time on a connection of its own, and remembers what went wrong. */
import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const requestsMax = 10_000;
/** keeps the kernel's table of connections, which remembers each for two minutes, far from full */
const pauseMs = 5;
const answerMsMax = 5000;

/** The body of an answer 200. */
export function fetchPage(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: answerMsMax }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(parts).toString());
        else reject(new Error(`${url}: ${response.statusCode}`));
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${url}: no answer within ${answerMsMax} ms`)));
    request.on('error', reject);
  });
}

export class Customer {
  readonly answers = new Map<string, number>();
  readonly failures: string[] = [];
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(urls: readonly string[]) {
    this.#done = this.#ask(urls);
  }

  async #ask(urls: readonly string[]): Promise<void> {
    for (let i = 0; i < requestsMax && !this.#stopped; i++) {
      const url = urls[i % urls.length] ?? '';
      try {
        const answer = (await fetchPage(url)).trim();
        this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
      } catch (error) {
        this.failures.push(`request ${i}: ${String(error)}`);
      }
      await pause(pauseMs);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}
