/** Loaded into a measured server beside its own program: tells its memory, and records processor profiles. */
import { writeFile } from 'node:fs/promises';

export type ProbeQuestion =
  | { readonly probe: 'memory' }
  | { readonly probe: 'start-profile' }
  | { readonly probe: 'end-profile'; readonly file: string };

export interface ProbeAnswer {
  readonly probe: ProbeQuestion['probe'];
  readonly heapBytes: number;
  /** outside the heap: buffers above all */
  readonly externalBytes: number;
}

let endProfile: ((file: string) => Promise<void>) | undefined;

process.on('message', async (question: ProbeQuestion) => {
  if (question.probe === 'start-profile') endProfile = await startProfile();
  if (question.probe === 'end-profile') await endProfile?.(question.file);
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ probe: question.probe, heapBytes: heapUsed, externalBytes: external } satisfies ProbeAnswer);
});
process.channel?.unref();

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
