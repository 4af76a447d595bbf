/** `run --json` tells programs of its phases, and that it is ready, as `up --json` does: among the lines of its log. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';

interface Line {
  readonly event?: string;
  readonly phase?: string;
  readonly name?: string;
  readonly server?: string;
  readonly kubeconfig?: string;
}

it('run --json has events for its phases and for being ready', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'run-events-'));
  try {
    const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
    const kubeconfig = join(dir, 'kubeconfig');
    const flags = ['--json', '--nodes', '0', '--simulated', '1', '--port', '0', '--kubeconfig', kubeconfig];
    const env = { ...process.env, TIMONIER_ROOT: join(dir, 'clusters') };
    const child = spawn(process.execPath, [main, 'run', 'told', ...flags], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const phases: string[] = [];
    let ready: Line | undefined;
    for await (const text of createInterface(child.stdout)) {
      const line = JSON.parse(text) as Line;
      if (line.event === 'phase') phases.push(line.phase ?? '');
      if (line.event !== 'ready') continue;
      ready = line;
      child.kill('SIGTERM');
    }
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual([phases[0], phases.at(-1)], ['store', 'ready']);
    assert.deepEqual([ready?.name, ready?.kubeconfig], ['told', kubeconfig]);
    assert.match(ready?.server ?? '', /^https:\/\/127\.0\.0\.1:\d+$/);
  } finally {
    await rm(dir, { recursive: true });
  }
});
