/**
 * Loaded into a measured server beside its own program: tells its memory, records processor profiles, and watches the
 * turns of the event loop for the one that took the main thread longest. That is counted in processor time, which the
 * machine's other programs do not lengthen as they do a wait.
 */
import { writeFile } from 'node:fs/promises';

export type ProbeQuestion =
  | { readonly probe: 'memory' }
  | { readonly probe: 'start-profile' }
  | { readonly probe: 'end-profile'; readonly file: string }
  | { readonly probe: 'turns' };

export interface ProbeAnswer {
  readonly probe: ProbeQuestion['probe'];
  readonly heapBytes: number;
  /** outside the heap: buffers above all */
  readonly externalBytes: number;
  /** of the main thread, since `turns` was last asked for */
  readonly longestTurnMs: number;
}

let endProfile: ((file: string) => Promise<void>) | undefined;

process.on('message', async (question: ProbeQuestion) => {
  if (question.probe === 'start-profile') endProfile = await startProfile();
  if (question.probe === 'end-profile') await endProfile?.(question.file);
  const { heapUsed, external } = process.memoryUsage();
  const longestTurnMs = question.probe === 'turns' ? turns.lap() : 0;
  process.send?.({ probe: question.probe, heapBytes: heapUsed, externalBytes: external, longestTurnMs } satisfies ProbeAnswer);
});
process.channel?.unref();

/** Each tick of a timer is another turn: what the thread has worked in between was one, or a few that were short. */
class Turns {
  #longestMs = 0;
  #lastMs = 0;
  #timer: NodeJS.Timeout | undefined;

  lap(): number {
    this.#tick();
    this.#timer ??= setInterval(() => this.#tick(), 1).unref();
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  #tick(): void {
    const { user, system } = process.threadCpuUsage();
    const nowMs = (user + system) / 1000;
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}

const turns = new Turns();

async function startProfile(): Promise<(file: string) => Promise<void>> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return async (file) => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    await writeFile(file, JSON.stringify(profile));
  };
}
