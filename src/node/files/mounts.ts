/** What is mounted below a directory, and taking it down again. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** In one call: a program takes so many words. */
const pointsMax = 200;

/** In the order in which they were mounted. Format: proc(5), mountinfo. */
export async function mountPoints(): Promise<string[]> {
  return parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Those at or below the directory. */
async function mountsBelow(dir: string): Promise<string[]> {
  return (await mountPoints()).filter((point) => point === dir || point.startsWith(`${dir}/`));
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
  for (const how of [[], ['--lazy']]) {
    const points = (await mountsBelow(dir)).reverse();
    for (let first = 0; first < points.length; first += pointsMax) {
      try {
        await run('umount', [...how, ...points.slice(first, first + pointsMax)]); // all that it can, then it says what it can't
      } catch (error) {
        if (how.length > 0 && !isPassedOver(error)) throw error;
      }
    }
  }
}

/** Every line of what umount says is of one that is not there. */
function isPassedOver(error: unknown): boolean {
  const { stderr = '' } = error as { readonly stderr?: string };
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => /not mounted|no mount point/.test(line));
}
