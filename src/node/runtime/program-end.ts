/** How a program that was started ended, and the last lines that it said to stderr: what it says before those is not kept. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const saidCharactersMax = 4096;

/** Rejects when it could not be started. To be called at once: nothing said before is heard. */
export async function endOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly said: readonly string[] }> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-saidCharactersMax);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said: said.trim().split('\n') };
}
