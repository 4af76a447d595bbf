/** The load generator's process, as the bench sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Access, LoadRequest } from './connections.ts';
import type { Job, JobAnswer, JobMessage, JobResults, RequestResult } from './jobs.ts';
import { cpuMsOf } from './process-usage.ts';

const failing = 400;

export class Generator implements Disposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  constructor() {
    this.#process = fork(join(import.meta.dirname, 'load-generator.ts'), { serialization: 'advanced' });
    this.#process.on('message', ({ id, result, error }: JobAnswer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    this.#process.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the load generator ended'));
    });
  }

  /** processor time so far */
  cpuMs(): number {
    return cpuMsOf([this.#process.pid ?? 0]);
  }

  do<J extends Job>(job: J): Promise<JobResults[J['type']]> {
    const id = ++this.#last;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#process.send({ id, job } satisfies JobMessage);
    return waiting.promise as Promise<JobResults[J['type']]>;
  }

  async connect(access: Access, connections: number, http: 1 | 2 = 1): Promise<void> {
    await this.do({ type: 'disconnect' });
    await this.do({ type: 'connect', access, http, connections });
  }

  /** One request; refused ones are errors unless their status is expected. */
  async request(request: LoadRequest, expected: readonly number[] = []): Promise<RequestResult> {
    const answer = await this.do({ type: 'request', request });
    if (answer.status < failing || expected.includes(answer.status)) return answer;
    throw new Error(`${request.method} ${request.path}: ${answer.status} ${answer.text}`);
  }

  [Symbol.dispose](): void {
    this.#process.disconnect();
  }
}
