/** What is mounted below a directory, and taking it down again. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Mount points at or below the directory, in the order in which they were mounted. Format: proc(5), mountinfo. */
async function mountsBelow(dir: string): Promise<string[]> {
  const mountInfo = await readFile('/proc/self/mountinfo', 'utf8');
  return parseMountPoints(mountInfo).filter((point) => point === dir || point.startsWith(`${dir}/`));
}

export function parseMountPoints(mountInfo: string): string[] {
  return mountInfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point !== '')
    .map((point) => point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}

/**
 * Takes down everything mounted at or below the directory; what is busy goes as soon as its last user does. What went
 * meanwhile, or lies hidden under another mount, is passed over.
 */
export async function unmountBelow(dir: string): Promise<void> {
  for (const point of (await mountsBelow(dir)).reverse()) {
    try {
      await run('umount', [point]).catch(() => run('umount', ['--lazy', point]));
    } catch (error) {
      if (!/not mounted|no mount point/.test(String(error))) throw error;
    }
  }
}
